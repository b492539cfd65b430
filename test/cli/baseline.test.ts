// SPDX-License-Identifier: GPL-2.0-only
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { ENGINE } from "../../server/cli/engine.ts";
import { folderOf, patchwalk } from "./run-command.ts";
import { TOY_TREE } from "./toy-tree.ts";

describe("lint with a baseline", () => {
  const folder = (): string => folderOf({ "a.patch": "+PROVED\n+QUESTION\n", "b.patch": "+QUESTION\n", "later.patch": "x\n\n+PROVED\n+QUESTION\n+QUESTION\n+QUESTION\n", "crash.patch": "CRASH\n", "clean.patch": "x\n" });

  test("reports what it does not have, wherever the lines are by now", async () => {
    const inside = folder();
    const file = join(inside, "known.json");
    const lint = (name: string, ...rest: string[]) => patchwalk(["lint", "--baseline", file, ...rest, ...name.split(" ").map((one) => join(inside, one))]);
    const written = await lint("a.patch b.patch", "--update-baseline");
    expect(written).toEqual({ status: 0, out: "patchwalk: no findings in 2 inputs in 2 files; 3 in the baseline\n", err: `${file}: 3 findings written, 0 dropped that nothing matches\n` });
    expect(await lint("a.patch b.patch")).toEqual({ status: 0, out: "patchwalk: no findings in 2 inputs in 2 files; 3 in the baseline\n", err: "" });
    const later = await lint("later.patch");
    expect(later.status).toBe(1);
    expect(later.out).toMatch(/later\.patch:6: .*\[hugetlb-walk-unlocked\]/);
    expect(later.out).not.toContain("later.patch:5:");
    expect(later.out).toMatch(/1 finding \(1 contract\) in 1 input in 1 file; 3 in the baseline\n$/);
    const { summary, inputs } = JSON.parse((await lint("a.patch", "--format", "json")).out);
    expect([summary, inputs[0].findings]).toEqual([{ proved: 0, contract: 0, pattern: 0, files: 1, baseline: 2 }, []]);
    expect((await lint("b.patch", "--update-baseline", "-q"))).toEqual({ status: 0, out: "", err: "" });
    expect((await lint("b.patch a.patch", "--update-baseline")).err).toContain("3 findings written, 0 dropped");
    expect((await lint("clean.patch", "--update-baseline")).err).toContain("0 findings written, 3 dropped that nothing matches");
  });

  test("keeps entries of rules that were not on", async () => {
    const inside = folder();
    const file = join(inside, "known.json");
    const update = (...rest: string[]) => patchwalk(["lint", "--baseline", file, "--update-baseline", ...rest]);
    await update(join(inside, "a.patch"));
    expect((await update("--types", "hugetlb-walk-unlocked", join(inside, "clean.patch"))).err).toContain("1 finding written, 1 dropped");
  });

  test("what is suppressed needs no entry", async () => {
    const inside = folderOf({ "a.patch": "+PROVED\n+QUESTION\n", ".patchwalk.json": '{"suppressions": [{"rule": "hugetlb-walk-unlocked", "reason": "looked at"}]}' });
    expect((await patchwalk(["lint", "--baseline", join(inside, "known.json"), "--update-baseline", join(inside, "a.patch")])).err).toContain("1 finding written");
  });

  test("a pipe or a device is not waited for", async () => {
    const inside = folder();
    const pipe = join(inside, "known.json");
    execFileSync("mkfifo", [pipe]);
    for (const [file, ...rest] of [[pipe], [pipe, "--update-baseline"], ["/dev/zero"]] as const)
      expect(await patchwalk(["lint", "--baseline", file, ...rest, join(inside, "a.patch")])).toEqual({ status: 2, out: "", err: `${file}: not used, because it is no file\n` });
  });

  test.each([
    ["missing.json", null, "missing.json: no such file or directory\n"],
    ["broken.json", '{\n "version": "1",\n "findings": [{}]\n}\n', 'broken.json:3:15: error: "rule" is missing here [configuration-key]\nbroken.json:3:15: error: "fingerprint" is missing here [configuration-key]\n'],
  ])("%s is an error, and nothing is reported", async (name, content, says) => {
    const inside = folder();
    const file = join(inside, name);
    if (content !== null) writeFileSync(file, content);
    for (const argv of [["lint", join(inside, "a.patch")], ["scan", inside]]) {
      const outcome = await patchwalk([...argv, "--baseline", file]);
      expect({ ...outcome, err: outcome.err.replaceAll(`${inside}/`, "") }).toEqual({ status: 2, out: "", err: says });
    }
    // What cannot be read is not overwritten.
    if (content !== null) {
      expect((await patchwalk(["lint", "--baseline", file, "--update-baseline", join(inside, "a.patch")])).status).toBe(2);
      expect(readFileSync(file, "utf8")).toBe(content);
    }
  });

  test("is not written where not all was reviewed", async () => {
    const inside = folder();
    const file = join(inside, "known.json");
    for (const [name, status] of [["crash.patch", 3], ["missing.patch", 2]] as const) {
      const outcome = await patchwalk(["lint", "--baseline", file, "--update-baseline", join(inside, "a.patch"), join(inside, name)]);
      expect(outcome.status).toBe(status);
      expect(outcome.err).toContain("known.json: not written, because part of the input, or of a configuration, could not be used\n");
      expect(existsSync(file)).toBe(false);
    }
    const nowhere = await patchwalk(["lint", "--baseline", join(inside, "no/known.json"), "--update-baseline", join(inside, "a.patch")]);
    expect([nowhere.status, nowhere.err.replace(inside, "DIR")]).toEqual([2, "DIR/no/known.json: no such file or directory\n"]);
  });
});

describe("scan with a baseline", () => {
  const scan = (tree: string, file: string, ...rest: string[]) => patchwalk(["scan", tree, "--no-cache", "--no-simulate", "--types", "hugetlb-walk-unlocked", "--baseline", file, ...rest], { engine: ENGINE });

  test("knows what it wrote, and keeps what it did not look at", async () => {
    const tree = folderOf(TOY_TREE);
    const file = join(tree, "known.json");
    expect((await scan(tree, file, "--update-baseline")).err).toBe(`${file}: 1 finding written, 0 dropped that nothing matches\n`);
    expect(await scan(tree, file)).toEqual({ status: 0, out: "patchwalk: no findings in 3 inputs in 3 files; 1 in the baseline\n", err: "" });
    // Lines above move it; new code does not hide behind it.
    writeFileSync(join(tree, "mm/toy_walk.c"), `/* moved */\n\n${TOY_TREE["mm/toy_walk.c"]}`);
    expect((await scan(tree, file)).status).toBe(0);
    writeFileSync(join(tree, "mm/toy_walk.c"), `${TOY_TREE["mm/toy_walk.c"]}${TOY_TREE["mm/toy_walk.c"]?.replace("toy_walk", "toy_again")}`);
    expect((await scan(tree, file)).status).toBe(1);
    expect((await scan(tree, file, "mm/toy_right.c", "--update-baseline")).err).toContain("1 finding written, 0 dropped");
    writeFileSync(join(tree, "mm/toy_walk.c"), "int nothing;\n");
    expect((await scan(tree, file, "mm/toy_right.c", "--update-baseline")).err).toContain("1 finding written, 0 dropped");
    expect((await scan(tree, file, "--update-baseline")).err).toContain("0 findings written, 1 dropped");
  });
});
