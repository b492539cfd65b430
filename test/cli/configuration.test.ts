// SPDX-License-Identifier: GPL-2.0-only
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { ENGINE } from "../../server/cli/engine.ts";
import type { ReviewOptions } from "../../server/review/options.ts";
import { folderOf, patchwalk, wordReview } from "./run-command.ts";
import { TOY_TREE } from "./toy-tree.ts";

const WALK = "hugetlb-walk-unlocked";
const START = "notifier-nonblock-outside-oom";

const project = (configuration: unknown, files: Readonly<Record<string, string>> = {}): string => {
  const folder = folderOf({ "a.patch": "+PROVED\n+QUESTION\n", "sub/b.patch": "+QUESTION\n", "c.patch": "+PROVED\n", ...files, ".patchwalk.json": typeof configuration === "string" ? configuration : JSON.stringify(configuration, null, 1) });
  mkdirSync(join(folder, ".git"));
  return folder;
};

const QUESTION = { rule: WALK, function: "find_huge", file: "mm/example.c", reason: "its callers hold the lock" };

/** What rules the engine is told for an input. */
async function rulesFor(configuration: unknown, argv: readonly string[]): Promise<ReviewOptions["rules"]> {
  let seen: ReviewOptions["rules"] = {};
  const outcome = await patchwalk(["lint", join(project(configuration), "a.patch"), ...argv], { engine: { review: (input, options) => { seen = options.rules; return wordReview(input); } } });
  expect(outcome.err).toBe("");
  return seen;
}

describe("severities", () => {
  test.each<[readonly string[], ReviewOptions["rules"]]>([
    [[], { [WALK]: "off", [START]: "warning" }],
    [["--rule", `${WALK}=error`], { [WALK]: "error", [START]: "warning" }],
    [["--rule", `MM_HUGETLB_WALK_UNLOCKED=info,${START}=off`], { [WALK]: "info", [START]: "off" }],
    [["--rule", `${WALK}=error`, "--rule", `${WALK}=off`], { [WALK]: "off", [START]: "warning" }],
    [["--types", WALK], { [START]: "off" }],
    [["--types", WALK, "--rule", `${WALK}=off`], { [WALK]: "off", [START]: "off" }],
    [["--ignore", START], { [WALK]: "off", [START]: "off" }],
    [["--no-config-file"], {}],
  ])("%j", async (argv, rules) => {
    expect(await rulesFor({ rules: { [WALK]: "off", [START]: "warning" } }, argv)).toEqual(rules);
  });

  test.each([
    [["--rule", "nothing=off"], "--rule: no rule is called 'nothing'; see patchwalk rules"],
    [["--rule", WALK], `--rule takes RULE=off|info|warning|error; not '${WALK}'`],
    [["--rule", `${WALK}=loud`], `--rule takes RULE=off|info|warning|error; not '${WALK}=loud'`],
    [["--config-file", "x", "--no-config-file"], "--config-file and --no-config-file do not go together"],
    [["--update-baseline"], "--update-baseline needs --baseline FILE"],
    [["--baseline", "a.patch"], "--baseline a.patch is an input, or the output, too"],
    [["--baseline", "x", "--output", "./x"], "--baseline x is an input, or the output, too"],
  ])("%j: %s", async (argv, says) => {
    const { status, err } = await patchwalk(["lint", "a.patch", ...argv]);
    expect([status, err]).toEqual([2, `patchwalk: ${says}; see patchwalk --help\n`]);
  });
});

describe("suppressed findings", () => {
  test("are none, but are counted", async () => {
    const folder = project({ suppressions: [QUESTION] });
    const both = await patchwalk(["lint", join(folder, "a.patch")]);
    expect([both.status, both.err]).toEqual([1, ""]);
    expect(both.out).toContain(`[${START}]`);
    expect(both.out).not.toContain(`[${WALK}]`);
    expect(both.out).toMatch(/1 finding \(1 proved\) in 1 input in 1 file; 1 suppressed\n$/);
    const one = await patchwalk(["lint", join(folder, "sub")]);
    expect([one.status, one.out, one.err]).toEqual([0, "patchwalk: no findings in 1 input in 1 file; 1 suppressed\n", ""]);
    expect((await patchwalk(["lint", "--min-tier", "proved", join(folder, "sub")])).out).toBe("patchwalk: no findings in 1 input in 1 file\n");
    expect((await patchwalk(["lint", "--no-config-file", join(folder, "sub")])).status).toBe(1);
  });

  test("are told on request, with the reason and where it stands", async () => {
    const folder = project({ suppressions: [{ ...QUESTION, until: "7.0" }] });
    const { out } = await patchwalk(["lint", "--show-suppressed", join(folder, "sub")]);
    expect(out.replaceAll(folder, "DIR")).toContain(`
DIR/sub/b.patch:1: suppressed: does every caller of find_huge() hold hugetlb_vma_lock or i_mmap_rwsem here? [hugetlb-walk-unlocked] (contract)
  reason     its callers hold the lock
  said in    DIR/.patchwalk.json:4, until 7.0
`);
  });

  test("are data in JSON", async () => {
    const folder = project({ suppressions: [QUESTION] });
    const { inputs, configurations, summary } = JSON.parse((await patchwalk(["lint", "--format", "json", join(folder, "sub")])).out);
    expect(inputs[0].findings).toEqual([]);
    expect(inputs[0].suppressed).toMatchObject([{ ruleId: WALK, suppression: { in: "configuration", path: join(folder, ".patchwalk.json"), line: 4, reason: "its callers hold the lock", until: null } }]);
    expect(configurations).toEqual([{ path: join(folder, ".patchwalk.json"), problems: [] }]);
    expect(summary).toEqual({ proved: 0, contract: 0, pattern: 0, files: 1, suppressed: 1 });
  });

  test("are found again when their time is over", async () => {
    const folder = project({ suppressions: [{ ...QUESTION, until: "6.5" }] });
    const { status, err } = await patchwalk(["lint", join(folder, "sub")]);
    expect([status, err.replace(folder, "DIR")]).toEqual([1, "DIR/.patchwalk.json:4:12: note: this suppression of hugetlb-walk-unlocked ended with 6.5, and the target is 6.6: the finding is reported [suppression-expired]\n"]);
  });

  test("of a C file are named from the folder of the configuration", async () => {
    const folder = project({ suppressions: [{ ...QUESTION, file: "mm/walk.c" }] }, { "mm/walk.c": "/* QUESTION */\n", "fs/mm/walk.c": "/* QUESTION */\n" });
    expect((await patchwalk(["lint", join(folder, "mm/walk.c")])).out).toContain("1 suppressed");
    expect((await patchwalk(["lint", join(folder, "fs/mm/walk.c")])).status).toBe(1);
  });

  test("stay suppressed in a mail further down in its mailbox", async () => {
    const folder = project({ suppressions: [{ ...QUESTION, fingerprint: "fedcba9876543210" }] }, { "series.mbox": "From a\nSubject: 1/2\n\nFrom b\nSubject: 2/2\n+x\n+QUESTION\n" });
    expect((await patchwalk(["lint", "--show-suppressed", join(folder, "series.mbox")])).out).toContain("series.mbox:7: suppressed:");
  });
});

describe("suppressed findings of real mails", () => {
  const MAIL = readFileSync(join(import.meta.dirname, "../fixtures/rules/hugetlb-walk-unlocked/new-function.patch"), "utf8");
  const IGNORED = MAIL.replace("---\n mm", `---\nPatchwalk-ignore: ${WALK}: looked at\n mm`);
  const lint = (folder: string, ...argv: string[]) => patchwalk(["lint", ...argv, join(folder, "a.mbox")], { engine: ENGINE });

  test("have the lines of their mailbox", async () => {
    const { status, out } = await lint(folderOf({ "a.mbox": `${MAIL}${IGNORED}` }), "--format", "json");
    const { inputs, summary } = JSON.parse(out);
    const before = MAIL.split("\n").length - 1;
    expect([status, summary.suppressed]).toEqual([1, 1]);
    expect(inputs[1].suppressed).toMatchObject([{ location: { patchLine: before + 34 }, suppression: { in: "mail", path: null, line: before + 12, reason: "looked at" } }]);
  });

  test("are not mended", async () => {
    expect((await lint(folderOf({ "a.mbox": MAIL }), "--fix-diff")).out).toContain("+\thugetlb_vma_lock_read(vma);");
    expect((await lint(folderOf({ "a.mbox": IGNORED }), "--fix-diff")).out).toBe("");
    const configured = folderOf({ "a.mbox": MAIL, ".patchwalk.json": JSON.stringify({ suppressions: [{ rule: WALK, reason: "looked at" }] }) });
    expect((await lint(configured, "--fix-diff")).out).toBe("");
    const known = folderOf({ "a.mbox": MAIL });
    await lint(known, "--baseline", join(known, "known.json"), "--update-baseline");
    expect((await lint(known, "--baseline", join(known, "known.json"), "--fix-diff")).out).toBe("");
  });

  test("can be explored", async () => {
    const folder = folderOf({ "a.mbox": IGNORED });
    const [one] = JSON.parse((await lint(folder, "--format", "json")).out).inputs[0].suppressed;
    const { status, out } = await patchwalk(["simulate", "--finding", one.fingerprint, join(folder, "a.mbox")], { engine: ENGINE });
    expect(out).toContain("huge_usage_account() of");
    expect(status).not.toBe(2);
  });
});

describe("a configuration", () => {
  test("that is wrong in parts counts for the rest, and the status says so", async () => {
    const folder = project({ rules: { nothing: "off" }, suppressions: [QUESTION, { rule: WALK }] });
    const { status, out, err } = await patchwalk(["lint", "-q", join(folder, "sub"), join(folder, "c.patch")]);
    expect(status).toBe(2);
    expect(out).not.toContain(`[${WALK}]`);
    expect(err.replaceAll(folder, "DIR")).toBe(`\
DIR/.patchwalk.json:3:3: error: no rule is called "nothing"; see patchwalk rules [unknown-rule]
DIR/.patchwalk.json:12:3: error: "reason" is missing here [configuration-key]
`);
  });

  test("is named, followed where it is a link, and the only one then", async () => {
    const folder = project({ rules: { [WALK]: "off" } });
    const named = join(folderOf({ "other.json": JSON.stringify({ suppressions: [QUESTION] }) }), "other.json");
    const link = join(folder, "link.json");
    symlinkSync(named, link);
    const { inputs, configurations } = JSON.parse((await patchwalk(["lint", "--format", "json", "--config-file", link, join(folder, "sub")])).out);
    expect(inputs[0].suppressed).toHaveLength(1);
    expect(configurations).toEqual([{ path: link, problems: [] }]);
    const missing = await patchwalk(["lint", "--config-file", `${link}x`, join(folder, "c.patch")]);
    expect([missing.status, missing.err]).toEqual([2, `${link}x: no such file or directory\n`]);
  });

  test("is that of each input", async () => {
    const folder = project({ suppressions: [QUESTION] });
    writeFileSync(join(folder, "sub/.patchwalk.json"), "{}");
    const { status, out } = await patchwalk(["lint", join(folder, "sub"), join(folder, "a.patch")]);
    expect(status).toBe(1);
    expect(out).toContain("2 findings (1 proved, 1 contract) in 2 inputs in 2 files; 1 suppressed");
  });

  test("of a series that needs no finding has nothing to say in jsonl and text", async () => {
    const folder = project({});
    expect((await patchwalk(["lint", "--format", "jsonl", "--fail-on", "never", join(folder, "c.patch")])).out.trim().split("\n")).toHaveLength(1);
  });

  test("never reaches further than it says", async () => {
    const folder = project({ suppressions: [{ ...QUESTION, file: "**/example.c" }] });
    const { status, err } = await patchwalk(["lint", "--config-file", "/dev/zero", join(folder, "sub")]);
    expect([status, err]).toEqual([2, "/dev/zero: not used, because it is no file\n"]);
  });
});

describe("scan", () => {
  const STALE = { rule: WALK, file: "mm/toy_walk.c", function: "toy_walked", reason: "gone" };
  const scan = (tree: string, ...rest: string[]) => patchwalk(["scan", tree, "--no-cache", "--rule", `${WALK}=warning`, ...rest], { engine: ENGINE });
  const tree = (suppressions: readonly unknown[]): string => folderOf({ ...TOY_TREE, ".patchwalk.json": JSON.stringify({ suppressions }, null, 1) });

  test("suppresses what the tree's configuration names, and tells what is stale", async () => {
    const folder = tree([{ rule: WALK, file: "mm/toy_walk.c", function: "toy_walk", reason: "a toy" }, STALE, { ...STALE, file: "mm/toy_right.c" }, { ...STALE, file: "mm/*.c" }, { ...STALE, file: "mm/none.c" }, { ...STALE, until: "6.1" }]);
    const { status, out, err } = await scan(folder);
    expect(out).toMatch(/no findings in 3 inputs in 3 files; 1 suppressed\n$/);
    expect(status).toBe(0);
    expect(err.replaceAll(folder, "DIR").split("\n")).toEqual([
      "DIR/.patchwalk.json:10:12: note: stale suppression: there is no finding of hugetlb-walk-unlocked in toy_walked() of mm/toy_walk.c [suppression-stale]",
      "DIR/.patchwalk.json:16:12: note: stale suppression: there is no finding of hugetlb-walk-unlocked in toy_walked() of mm/toy_right.c [suppression-stale]",
      "",
    ]);
    const { configurations } = JSON.parse((await scan(folder, "--format", "json")).out);
    expect(configurations[0].problems.map(({ code, line }: { code: string; line: number }) => [code, line])).toEqual([["suppression-stale", 10], ["suppression-stale", 16]]);
  });

  test("calls stale only what it looked at", async () => {
    const folder = tree([STALE]);
    expect((await scan(folder, "mm/toy_right.c")).err).toBe("");
    expect((await scan(folder, "--no-simulate")).err).toBe("");
    expect((await scan(folder, "--ignore", WALK)).err).toBe("");
    expect((await scan(folder, "-q", "mm/toy_walk.c")).err).toBe("");
    expect((await scan(folder, "mm/toy_walk.c")).err).toContain("stale suppression");
    expect((await patchwalk(["lint", join(folder, "mm/toy_walk.c")], { engine: ENGINE })).err).toBe("");
  });
});
