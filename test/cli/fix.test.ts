// SPDX-License-Identifier: GPL-2.0-only
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { ENGINE } from "../../server/cli/engine.ts";
import { unifiedDiff } from "../../server/report/unified-diff.ts";
import { gitTree } from "../git-tree.ts";
import { folderOf, patchwalk } from "./run-command.ts";
import { MAKEFILE, MMAP_LOCK, toyScan, WALK } from "./toy-scan.ts";

const fixture = (name: string): string => readFileSync(join(import.meta.dirname, "../fixtures/rules", name), "utf8");

const C = fixture("notifier-nonblock-outside-oom/drop-page.c");
const MAIL = fixture("hugetlb-walk-unlocked/new-function.patch");

const run = (...argv: string[]) => patchwalk(["lint", "--release", "6.1", ...argv], { engine: ENGINE });

interface Report {
  readonly inputs: readonly { readonly findings: readonly { readonly fix: Record<string, unknown> | null; readonly otherFixes?: readonly unknown[] }[] }[];
}

const findingsOf = (out: string) => (JSON.parse(out) as Report).inputs.flatMap((one) => one.findings);

test("a report brings fixes where it is asked for them", async () => {
  const path = join(folderOf({ "x.c": C }), "x.c");
  const [plain] = findingsOf((await run("--format", "json", path)).out);
  expect(plain?.fix).toBeNull();
  const [finding] = findingsOf((await run("--format", "json", "--fixes", path)).out);
  expect(Object.keys(finding?.fix ?? {})).toEqual(["title", "verified", "proved", "states", "blockedAt", "heldBy", "edits"]);
  expect(finding?.fix).toMatchObject({ verified: true, proved: true, edits: [{ patchLine: 17, column: 2, endPatchLine: 17, remove: "mmu_notifier_invalidate_range_start_nonblock(&range);", insert: "mmu_notifier_invalidate_range_start(&range);" }] });
  const text = (await run("--fixes", path)).out.replace(/\s+/g, " ");
  expect(text).toMatch(/fix: Start the invalidation with the call that may block, here \(proved, \d+ states; blocked at "KVM vCPU: guest stores through its mapping", held by discard_anon_page\(\)\)/);
});

test("a mail of a mailbox has the lines of the mailbox", async () => {
  const path = join(folderOf({ "x.mbox": `${MAIL}${MAIL}` }), "x.mbox");
  const [first, second] = findingsOf((await run("--format", "json", "--fixes", path)).out);
  const lines = (finding: typeof first): number[] => ((finding?.fix?.edits ?? []) as { patchLine: number }[]).map((edit) => edit.patchLine);
  const by = MAIL.split("\n").length - 1;
  expect(lines(second)).toEqual(lines(first).map((line) => line + by));
});

describe("proved fixes", () => {
  test.each([["x.c", C], ["x.patch", MAIL]])("of %s are printed as a diff that applies, and leave nothing to report", async (name, text) => {
    const folder = folderOf({ [name]: text });
    const { out, status } = await run("--fix-diff", join(folder, name));
    expect(status).toBe(1);
    const diff = out.replace(/^(---|\+\+\+) ([ab])\/.*$/gm, `$1 $2/${name}`);
    expect(spawnSync("git", ["apply", "-"], { cwd: folder, input: diff, env: { ...process.env, GIT_CEILING_DIRECTORIES: join(folder, "..") } }).status).toBe(0);
    expect((await run(join(folder, name))).status).toBe(0);
  });

  test("are written beside the file, or in its place, never unasked", async () => {
    const folder = folderOf({ "x.patch": MAIL });
    const path = join(folder, "x.patch");
    await run("--fixes", path);
    expect(readFileSync(path, "utf8")).toBe(MAIL);
    const beside = await run("--fix", path);
    expect(beside.err).toContain("x.patch.fixed: 1 proved fix written");
    expect(readFileSync(path, "utf8")).toBe(MAIL);
    const fixed = readFileSync(`${path}.fixed`, "utf8");
    expect(fixed).toContain("@@ -7,6 +7,32 @@");
    // What is there is not overwritten.
    expect((await run("--fix", path)).status).toBe(2);
    await run("--fix-inplace", path);
    expect(readFileSync(path, "utf8")).toBe(fixed);
  });

  test("of one mail of many are not written", async () => {
    const path = join(folderOf({ "x.mbox": `${MAIL}${MAIL}` }), "x.mbox");
    const { err, status } = await run("--fix-inplace", path);
    expect(err).toContain("part of the input only");
    expect(status).toBe(2);
    expect(existsSync(`${path}.fixed`)).toBe(false);
    expect(readFileSync(path, "utf8")).toBe(`${MAIL}${MAIL}`);
  });

  test("need the simulator", async () => {
    expect((await run("--fix", "--no-simulate", "x.c")).status).toBe(2);
  });
});

test("where a tree shows the whole file, the edit stays in the hunk", async () => {
  const file = "mm/toy_scan.c";
  const tree = gitTree({ Makefile: MAKEFILE, [file]: toyScan(MMAP_LOCK) });
  tree.commit({ [file]: toyScan({ ...MMAP_LOCK, middle: WALK }) });
  const mail = tree.mails(1);
  tree.back(1);
  const folder = folderOf({ "x.patch": mail });
  const path = join(folder, "x.patch");
  const { out } = await patchwalk(["lint", "--tree", tree.folder, "--fixes", "--format", "json", path], { engine: ENGINE });
  const [finding] = findingsOf(out);
  expect(finding?.fix).toMatchObject({ verified: true, proved: true });
  await patchwalk(["lint", "--tree", tree.folder, "--fix-inplace", path], { engine: ENGINE });
  expect(spawnSync("git", ["-C", tree.folder, "apply", "--check", path]).status).toBe(0);
  expect((await patchwalk(["lint", "--tree", tree.folder, path], { engine: ENGINE })).status).toBe(0);
});

test("a diff of two texts", () => {
  const lines = (...names: string[]): string => `${names.join("\n")}\n`;
  const before = lines("a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n");
  const after = lines("a", "B", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "l2", "m", "n");
  expect(unifiedDiff("x", before, after)).toBe(
    ["--- a/x", "+++ b/x", "@@ -1,5 +1,5 @@", " a", "-b", "+B", " c", " d", " e", "@@ -10,5 +10,6 @@", " j", " k", " l", "+l2", " m", " n", ""].join("\n"));
  expect(unifiedDiff("x", before, before)).toBe("");
});
