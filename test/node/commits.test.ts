// SPDX-License-Identifier: GPL-2.0-only
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { commitsIn } from "../../server/node/commits.ts";

const git = (folder: string, ...args: readonly string[]): string =>
  execFileSync("git", ["-C", folder, "-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgSign=false", ...args], { encoding: "utf8" }).trim();

function repository(): { readonly folder: string; readonly uri: string; readonly commit: string } {
  const folder = mkdtempSync(join(tmpdir(), "patchwalk-commits-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  git(folder, "init", "-q");
  git(folder, "commit", "-q", "--allow-empty", "-m", "mm: first");
  return { folder, uri: pathToFileURL(folder).href, commit: git(folder, "rev-parse", "HEAD") };
}

test("abbreviated names become full ones; what is no commit or not there is left out", async () => {
  const { folder, uri, commit } = repository();
  const tree = git(folder, "rev-parse", "HEAD^{tree}");
  const short = commit.slice(0, 12);
  const found = await commitsIn([uri], [tree.slice(0, 12), short, "0123456789ab", short, "--help\n", "HEAD"]);
  expect([...found]).toEqual([[short, commit]]);
});

test("no repository, no folder and a repository around the folder know nothing", async () => {
  const { folder, commit } = repository();
  mkdirSync(join(folder, "mm"));
  const folders = [pathToFileURL(join(folder, "mm")).href, pathToFileURL(join(folder, "absent")).href, "untitled:a", "file://%zz"];
  expect((await commitsIn(folders, [commit])).size).toBe(0);
});

test("a later folder is asked for what the first does not have", async () => {
  const [one, two] = [repository(), repository()];
  git(two.folder, "commit", "-q", "--allow-empty", "-m", "mm: second");
  const second = git(two.folder, "rev-parse", "HEAD");
  expect([...await commitsIn([one.uri, two.uri], [second])]).toEqual([[second, second]]);
});

test("a partial clone does not run the transport that its configuration names", async () => {
  const { folder, uri, commit } = repository();
  const proof = join(folder, "ran");
  const helper = join(folder, "helper.sh");
  writeFileSync(helper, `#!/bin/sh\ntouch '${proof}'\n`, { mode: 0o755 });
  for (const [key, value] of [
    ["core.repositoryFormatVersion", "1"], ["extensions.partialClone", "origin"], ["remote.origin.promisor", "true"],
    ["remote.origin.url", `ext::${helper}`], ["protocol.ext.allow", "always"], ["core.fsmonitor", helper], ["core.sshCommand", helper],
  ] as const) git(folder, "config", key, value);
  const absent = "0123456789abcdef0123456789abcdef01234567";
  expect([...await commitsIn([uri], [absent, commit])]).toEqual([[commit, commit]]);
  expect(existsSync(proof)).toBe(false);
});
