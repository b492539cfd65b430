// SPDX-License-Identifier: GPL-2.0-only
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { commitsIn } from "../../server/node/commits.ts";
import { repositoryAt } from "../../server/node/git.ts";
import { openKernelTree, readKernelTree } from "../../server/node/kernel-tree.ts";
import type { TreeAtHand } from "../../server/source/tree-at-hand.ts";
import { emptyFolder, git, gitTree, writeFiles } from "../git-tree.ts";

const ABSENT = "0123456789abcdef0123456789abcdef01234567";

const ask = async (folder: string, blobs: readonly string[], withGit = true): Promise<TreeAtHand> => {
  const tree = openKernelTree(folder, withGit);
  if ("reason" in tree) throw new Error(tree.reason);
  return readKernelTree(tree, { blobs, paths: ["mm/toy.c"], commits: [ABSENT, "HEAD"] });
};

const blobOf = (folder: string, path: string): string => git(folder, "rev-parse", `HEAD:${path}`).trim();

/** A repository that does its best to run a program of its own; `ran` says whether it did. */
function hostile(): { readonly folder: string; readonly blob: string; readonly ran: () => boolean } {
  const tree = gitTree({ Makefile: "VERSION = 6\nPATCHLEVEL = 1\n", "mm/toy.c": "int toy;\n", ".gitattributes": "* diff=evil filter=evil text eol=crlf\n" });
  const { folder } = tree;
  const proof = join(emptyFolder(), "ran");
  const script = join(emptyFolder(), "run.sh");
  writeFileSync(script, `#!/bin/sh\necho "$0 $*" >> '${proof}'\ncat\n`, { mode: 0o755 });
  const hooks = emptyFolder();
  for (const hook of ["pre-auto-gc", "post-checkout", "post-index-change", "reference-transaction", "fsmonitor-watchman", "post-merge"]) {
    writeFileSync(join(hooks, hook), `#!/bin/sh\necho hook >> '${proof}'\n`, { mode: 0o755 });
    writeFileSync(join(folder, ".git/hooks", hook), `#!/bin/sh\necho hook >> '${proof}'\n`, { mode: 0o755 });
  }
  const included = join(folder, ".git/more.config");
  writeFileSync(included, `[core]\n\tfsmonitor = ${script}\n\tpager = ${script}\n\taskPass = ${script}\n[pager]\n\tcat-file = ${script}\n`);
  const settings: readonly (readonly [string, string])[] = [
    ["core.fsmonitor", script], ["core.pager", script], ["core.editor", script], ["core.hooksPath", hooks], ["core.sshCommand", script], ["core.gitProxy", script],
    ["core.askPass", script], ["core.alternateRefsCommand", script], ["diff.external", script], ["diff.evil.textconv", script], ["diff.evil.command", script],
    ["filter.evil.smudge", script], ["filter.evil.clean", script], ["filter.evil.process", script], ["credential.helper", `!${script}`], ["alias.cat-file", `!${script}`],
    ["pager.cat-file", script], ["gc.auto", "1"], ["submodule.recurse", "true"], ["uploadpack.packObjectsHook", script], ["include.path", included],
    ["includeIf.gitdir:/.path", included], ["trace2.eventTarget", proof], ["core.repositoryFormatVersion", "1"], ["extensions.partialClone", "origin"],
    ["remote.origin.promisor", "true"], ["remote.origin.url", `ext::${script}`], ["remote.origin.uploadpack", script], ["remote.origin.vcs", "evil"], ["protocol.ext.allow", "always"],
    ["protocol.allow", "always"],
  ];
  for (const [key, value] of settings) git(folder, "config", "--add", key, value);
  rmSync(proof, { force: true });
  return { folder, blob: execFileSync("git", ["hash-object", "--no-filters", join(folder, "mm/toy.c")], { encoding: "utf8" }).trim(), ran: () => existsSync(proof) };
}

describe("a repository that wants to run something", () => {
  test("answers, and runs nothing", async () => {
    const { folder, blob, ran } = hostile();
    const tree = await ask(folder, [blob.slice(0, 12), ABSENT.slice(0, 12), ABSENT]);
    expect(tree.blob(blob.slice(0, 12))).toEqual({ text: "int toy;\n" });
    expect(tree.blob(ABSENT)).toBeNull();
    expect(tree.releaseOf(ABSENT)).toBeNull();
    expect(await commitsIn([pathToFileURL(folder).href], [ABSENT.slice(0, 12)])).toEqual(new Map());
    expect(ran()).toBe(false);
  });

  test("the same repository does run its program for a Git that nobody holds back", () => {
    const { folder, ran } = hostile();
    try {
      git(folder, "status");
    } catch {
      // What it says does not matter.
    }
    expect(ran()).toBe(true);
  });

  test.each([["ext", "ext::"], ["a transport of its own", "evil::"], ["a local path", ""], ["ssh", "ssh://"]])("a partial clone does not fetch what is absent: %s", async (_, scheme) => {
    const { folder, ran } = hostile();
    git(folder, "config", "--unset-all", "remote.origin.vcs");
    git(folder, "config", "--replace-all", "remote.origin.url", `${scheme}${folder}/absent`);
    expect((await ask(folder, [ABSENT])).blob(ABSENT)).toBeNull();
    expect(ran()).toBe(false);
  });

  test("no process at all where Git is not to be asked", async () => {
    const { folder, blob, ran } = hostile();
    const tree = await ask(folder, [blob], false);
    expect([tree.blob(blob), tree.file("mm/toy.c"), tree.release]).toEqual([null, { text: "int toy;\n" }, "6.1"]);
    expect(ran()).toBe(false);
  });
});

describe("variables of the environment", () => {
  const own = { ...process.env };
  beforeEach(() => void Object.assign(process.env, { GIT_DIR: "/nowhere", GIT_OBJECT_DIRECTORY: "/nowhere", GIT_EXTERNAL_DIFF: "false", GIT_CONFIG_COUNT: "1", GIT_CONFIG_KEY_0: "core.bare", GIT_CONFIG_VALUE_0: "maybe" }));
  afterEach(() => {
    for (const name of Object.keys(process.env)) if (!(name in own)) delete process.env[name];
  });

  test("those of Git do not reach it", async () => {
    const { GIT_DIR: _, ...clean } = process.env;
    expect(clean["GIT_CONFIG_COUNT"]).toBe("1");
    const folder = emptyFolder();
    const plain = { ...own };
    const run = (...args: string[]): string => execFileSync("git", ["-C", folder, "-c", "user.name=a", "-c", "user.email=a@example.org", ...args], { env: plain, encoding: "utf8" }).trim();
    run("init", "-q");
    writeFiles(folder, { "mm/toy.c": "int toy;\n" });
    run("add", "-A");
    const blob = run("hash-object", "mm/toy.c");
    expect((await ask(folder, [blob])).blob(blob)).toEqual({ text: "int toy;\n" });
  });
});

describe("a .git file", () => {
  test("of a linked work tree leads to its repository", async () => {
    const tree = gitTree({ "mm/toy.c": "int toy;\n" });
    const linked = join(emptyFolder(), "linked");
    git(tree.folder, "worktree", "add", "-q", linked);
    const blob = blobOf(tree.folder, "mm/toy.c");
    expect((await ask(linked, [blob])).blob(blob)).toEqual({ text: "int toy;\n" });
  });

  test("that points at a repository which does not know it leads nowhere", async () => {
    const secret = gitTree({ "mm/toy.c": "int secret;\n" });
    const folder = emptyFolder();
    writeFiles(folder, { ".git": `gitdir: ${secret.folder}/.git\n`, "mm/toy.c": "int toy;\n" });
    const blob = blobOf(secret.folder, "mm/toy.c");
    expect(repositoryAt(folder)).toBeNull();
    expect((await ask(folder, [blob])).blob(blob)).toBeNull();
    // A linked work tree of somebody else names that one in return, not this one.
    const linked = join(emptyFolder(), "linked");
    git(secret.folder, "worktree", "add", "-q", linked);
    writeFiles(folder, { ".git": `gitdir: ${secret.folder}/.git/worktrees/${readdirSync(join(secret.folder, ".git/worktrees"))[0]}\n` });
    expect(repositoryAt(folder)).toBeNull();
  });

  test("and a repository around the folder is none of ours", async () => {
    const tree = gitTree({ "mm/toy.c": "int toy;\n" });
    const blob = blobOf(tree.folder, "mm/toy.c");
    expect((await ask(join(tree.folder, "mm"), [blob])).blob(blob)).toBeNull();
    // A bare one inside of a work tree may come with a clone; it is used where it is named itself.
    mkdirSync(join(tree.folder, "inner"));
    git(join(tree.folder, "inner"), "init", "-q", "--bare");
    expect(repositoryAt(tree.folder)).toEqual({ folder: tree.folder, isBare: false });
  });
});

test("a blob that is too large, or no blob, is refused", async () => {
  const tree = gitTree({ "mm/large.c": `${"/* filler of a line */\n".repeat(110_000)}`, "mm/toy.c": "int toy;\n" });
  const [large, folder] = [blobOf(tree.folder, "mm/large.c"), blobOf(tree.folder, "mm")];
  const commit = git(tree.folder, "rev-parse", "HEAD").trim();
  const answers = await ask(tree.folder, [large, folder, commit, "--help\n", "HEAD"]);
  expect([answers.blob(large), answers.blob(folder), answers.blob(commit)]).toEqual([{ reason: "larger than 2 MiB" }, { reason: "a tree" }, { reason: "a commit" }]);
});
