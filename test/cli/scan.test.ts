// SPDX-License-Identifier: GPL-2.0-only
import { mkdirSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { ENGINE } from "../../server/cli/engine.ts";
import type { CliIo } from "../../server/cli/io.ts";
import { folderOf, patchwalk } from "./run-command.ts";
import { TOY_TREE } from "./toy-tree.ts";

const run = (argv: readonly string[], io: Partial<CliIo> = {}) => patchwalk(argv, { engine: ENGINE, io });

const scan = (tree: string, ...rest: string[]) => run(["scan", tree, "--no-simulate", "--types", "hugetlb-walk-unlocked", ...rest]);

const places = (out: string, tree: string): string[] =>
  [...out.matchAll(/^(\S+:\d+: (?:error|note): (?:called from )?\S+)/gm)].map((match) => match[1]!.replaceAll(`${tree}/`, ""));

const EXPECTED = ["mm/toy_walk.c:5: error: toy_walk()", "mm/toy_walk.c:7: note: ptep", "virt/kvm/toy_wrong.c:4: note: called from toy_wrong()"];

describe("scan", () => {
  test("finds what a caller in another file does not hold, and says who", async () => {
    const tree = folderOf(TOY_TREE);
    const { status, out, err } = await scan(tree, "--no-cache");
    expect(places(out, tree)).toEqual(EXPECTED);
    expect(out).toContain("target 6.1.7 by tree");
    expect(out).toMatch(/1 finding \(1 contract\) in 3 inputs in 3 files\n$/);
    expect([status, err]).toEqual([1, ""]);
  });

  test("what is no finding is counted on request", async () => {
    const { status, out } = await scan(folderOf(TOY_TREE), "--no-cache", "--show-refuted");
    expect(status).toBe(1);
    expect(out).toMatch(/1 finding \(1 contract\) in 3 inputs in 3 files; 0 refuted, 0 fixed\n$/);
    const { inputs, summary } = JSON.parse((await scan(folderOf(TOY_TREE), "--no-cache", "--show-refuted", "--format", "json")).out);
    expect(inputs[0]).toMatchObject({ refuted: [], fixed: [] });
    expect(summary).toMatchObject({ contract: 1, refuted: 0, fixed: 0 });
  });

  test("a right tree is clean", async () => {
    const { "virt/kvm/toy_wrong.c": _, ...right } = TOY_TREE;
    expect(await scan(folderOf(right), "--no-cache")).toEqual({ status: 0, out: "patchwalk: no findings in 2 inputs in 2 files\n", err: "" });
  });

  test("paths limit what is reported, not where callers are looked for", async () => {
    const tree = folderOf(TOY_TREE);
    expect(places((await scan(tree, "mm/toy_walk.c", "--no-cache")).out, tree)).toEqual(EXPECTED);
    expect((await scan(tree, "mm/toy_right.c", "--no-cache")).out).toContain("no findings in 1 input");
    expect((await scan(tree, join(tree, "virt"), "--no-cache")).out).toContain("no findings in 1 input");
  });

  test("JSON names the other file", async () => {
    const { out } = await scan(folderOf(TOY_TREE), "--no-cache", "--format", "json");
    const [finding] = JSON.parse(out).inputs.flatMap((input: { findings: unknown[] }) => input.findings);
    expect(finding).toMatchObject({ origin: "introduced", tier: "contract", location: { file: "mm/toy_walk.c", newLine: 5 } });
    expect(finding.related[1]).toMatchObject({ file: "virt/kvm/toy_wrong.c", patchLine: 4, message: "called from toy_wrong()" });
  });

  test("what is no tree, and what is not in it", async () => {
    expect(await scan("/nowhere")).toEqual({ status: 2, out: "", err: "/nowhere: no such file or directory\n" });
    const tree = folderOf(TOY_TREE);
    symlinkSync("/etc", join(tree, "mm", "etc"));
    const { status, err } = await scan(tree, "mm/none.c", "mm/etc", "--no-cache");
    expect([status, err]).toEqual([2, `${tree}/mm/none.c: no such file or directory\n${tree}/mm/etc: outside of the tree\n`]);
  });

  test("a directory that is no kernel tree is clean", async () => {
    expect((await scan(folderOf({ "a.txt": "" }), "--no-cache")).out).toBe("patchwalk: no findings in 0 inputs in 0 files\n");
  });
});

describe("what is kept", () => {
  const files = (folder: string): string[] => readdirSync(folder).toSorted();

  test("the second run takes everything from the store and says the same", async () => {
    const tree = folderOf(TOY_TREE);
    const cache = join(folderOf({}), "kept");
    const first = await scan(tree, "--cache", cache);
    const kept = files(cache);
    expect(kept.filter((name) => name.startsWith("outline-"))).toHaveLength(3);
    expect(kept.filter((name) => name.startsWith("review-"))).toHaveLength(3);
    expect(await scan(tree, "--cache", cache)).toEqual(first);
    expect(files(cache)).toEqual(kept);
    expect((await run(["index", tree, "--cache", cache])).out).toBe("patchwalk: 3 files (0 new or changed), 3 functions, 9 calls\n");
  });

  test("a changed caller is seen", async () => {
    const tree = folderOf(TOY_TREE);
    const cache = join(folderOf({}), "kept");
    await scan(tree, "--cache", cache);
    writeFileSync(join(tree, "virt/kvm/toy_wrong.c"), TOY_TREE["virt/kvm/toy_wrong.c"]!.replaceAll("mmap_read_lock(vma->vm_mm)", "hugetlb_vma_lock_read(vma)").replaceAll("mmap_read_unlock(vma->vm_mm)", "hugetlb_vma_unlock_read(vma)"));
    expect((await scan(tree, "--cache", cache)).out).toContain("no findings");
    expect((await run(["index", tree, "--cache", cache])).out).toContain("(0 new or changed)");
    writeFileSync(join(tree, "mm/toy_new.c"), TOY_TREE["virt/kvm/toy_wrong.c"]!.replaceAll("toy_wrong", "toy_new"));
    expect((await run(["index", tree, "--cache", cache])).out).toContain("4 files (1 new or changed)");
    expect(places((await scan(tree, "--cache", cache)).out, tree).at(-1)).toBe("mm/toy_new.c:4: note: called from toy_new()");
  });

  test("damage is rebuilt, never trusted", async () => {
    const tree = folderOf(TOY_TREE);
    const cache = join(folderOf({}), "kept");
    const first = await scan(tree, "--cache", cache);
    const whole = files(cache).map((name) => readFileSync(join(cache, name), "utf8"));
    const damages: ((text: string) => string)[] = [(text) => text.slice(0, text.length >> 1), () => "", (text) => text.replace(/toy_wrong/g, "toy_other"), () => "\u0000".repeat(100)];
    for (const damage of damages) {
      for (const name of files(cache)) writeFileSync(join(cache, name), damage(readFileSync(join(cache, name), "utf8")));
      expect(await scan(tree, "--cache", cache)).toEqual(first);
    }
    expect(files(cache).map((name) => readFileSync(join(cache, name), "utf8"))).toEqual(whole);
  });

  test("other options, other results", async () => {
    const tree = folderOf(TOY_TREE);
    const cache = join(folderOf({}), "kept");
    expect((await scan(tree, "--cache", cache)).status).toBe(1);
    expect((await scan(tree, "--cache", cache, "--ignore", "hugetlb-walk-unlocked")).status).toBe(0);
    expect((await scan(tree, "--cache", cache)).status).toBe(1);
  });

  test("a store that cannot be written is said once and costs nothing else", async () => {
    const tree = folderOf(TOY_TREE);
    const file = join(folderOf({ file: "" }), "file");
    const { status, out, err } = await scan(tree, "--cache", join(file, "below"));
    expect(places(out, tree)).toEqual(EXPECTED);
    expect([status, err]).toEqual([1, "patchwalk: nothing is kept for the next run: not a directory\n"]);
  });

  test("the usual place is the user's cache folder; nothing is written into the tree", async () => {
    const tree = folderOf(TOY_TREE);
    const home = folderOf({});
    mkdirSync(join(home, "cache"));
    await run(["index", tree], { env: { XDG_CACHE_HOME: join(home, "cache") } });
    const [folder] = files(join(home, "cache", "patchwalk"));
    expect(files(join(home, "cache", "patchwalk", folder!))).toHaveLength(3);
    expect(files(tree)).toEqual(["Makefile", "mm", "virt"]);
    rmSync(home, { recursive: true });
  });
});

test("an interrupt ends the run", async () => {
  const tree = folderOf(TOY_TREE);
  const signal = AbortSignal.abort(new Error("interrupted"));
  for (const command of ["scan", "index"]) {
    expect(await run([command, tree, "--no-cache"], { signal })).toEqual({ status: 130, out: "", err: "patchwalk: interrupted\n" });
  }
});
