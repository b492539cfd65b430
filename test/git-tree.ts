// SPDX-License-Identifier: GPL-2.0-only
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { onTestFinished } from "vitest";

/** Files by path; null: the file is gone. */
export type Files = Readonly<Record<string, string | null>>;

const OWN = ["-c", "user.name=Example Developer", "-c", "user.email=dev@example.org", "-c", "commit.gpgSign=false", "-c", "core.autocrlf=false", "-c", "protocol.file.allow=always"];

const DATE = "Mon, 16 Jan 2023 10:20:00 +0000";

/** An empty folder, gone when the test is. */
export function emptyFolder(): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "patchwalk-tree-")));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export function writeFiles(folder: string, files: Files): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    if (text === null) rmSync(join(folder, path));
    else writeFileSync(join(folder, path), text);
  }
}

export const git = (folder: string, ...args: readonly string[]): string =>
  execFileSync("git", ["-C", folder, ...OWN, ...args], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"], env: { ...process.env, GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_NOSYSTEM: "1", GIT_AUTHOR_DATE: DATE, GIT_COMMITTER_DATE: DATE } });

/** A real repository. */
export interface GitTree {
  readonly folder: string;
  /** Writes files and commits them; the new commit. */
  readonly commit: (files: Files, title?: string) => string;
  /** Mails of the last commits, as `git format-patch` writes them. */
  readonly mails: (count: number, ...options: readonly string[]) => string;
  /** Puts the work tree and HEAD back; the objects stay. */
  readonly back: (count: number) => void;
}

export function gitTree(files: Files): GitTree {
  const folder = emptyFolder();
  git(folder, "init", "-q");
  const commit = (changed: Files, title = "mm: change"): string => {
    writeFiles(folder, changed);
    git(folder, "add", "-A");
    git(folder, "commit", "-q", "--allow-empty", "-m", title);
    return git(folder, "rev-parse", "HEAD").trim();
  };
  commit(files, "mm: first");
  return {
    folder,
    commit,
    mails: (count, ...options) => git(folder, "format-patch", "--stdout", ...options, `-${count}`),
    back: (count) => void git(folder, "reset", "-q", "--hard", `HEAD~${count}`),
  };
}
