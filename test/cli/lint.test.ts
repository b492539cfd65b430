// SPDX-License-Identifier: GPL-2.0-only
import { existsSync, mkdirSync, readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { Readable, Writable } from "node:stream";
import { describe, expect, test } from "vitest";
import { folderOf, patchwalk, wordReview } from "./run-command.ts";

const JPEG = Uint8Array.from([0xff, 0xd8, 0xff, 0xe0, 0x00, 0x10, 0x4a, 0x46, 0x49, 0x46]);

const folder = folderOf({
  "clean.patch": "Subject: clean\n",
  "proved.patch": "Subject: one\n+PROVED\n",
  "question.patch": "+QUESTION\n",
  "cut.patch": "+PROVED\nCUT\n",
  "crash.patch": "CRASH\n",
  "empty.patch": "",
  "blank.patch": "\n \n",
  "photo.patch": JPEG,
  "x.bin": Uint8Array.from([1, 2, 3, 4, 65, 66]),
  "t.gz": Uint8Array.from([0x1f, 0x8b, 8, 0]),
  "wide.txt": Uint8Array.from([0xff, 0xfe, 65, 0]),
  "cr.patch": "--- a/x.c\r+++ b/x.c\r@@ -1 +1 @@\r-a\r+b\r",
  "series.mbox": "From a\nSubject: cover\n\nFrom b\nSubject: 1/2\n+PROVED\n\nFrom c\nSubject: 2/2\n+x\n+QUESTION\n",
  "walk.c": "/* QUESTION */\n",
  "void/readme.md": "nothing here",
});
const path = (name: string): string => join(folder, name);

const colored = async (options: string[], terminal: boolean, env: Record<string, string> = {}): Promise<boolean> =>
  (await patchwalk(["lint", ...options, path("proved.patch")], { io: { isStdoutTerminal: terminal, env } })).out.includes("\x1b[");

/** What the engine is called with. */
async function optionsFor(argv: readonly string[]) {
  let seen: unknown = null;
  const outcome = await patchwalk(["lint", path("clean.patch"), ...argv], {
    engine: { review: (input, options) => { seen = options; return wordReview(input); } },
  });
  return { seen, ...outcome };
}

const broken = (): never => {
  throw new TypeError("broken\ncatalogue");
};

async function* failingRead(): AsyncGenerator<Uint8Array> {
  yield Buffer.from("x".repeat(10_000));
  throw Object.assign(new Error("read"), { code: "EIO" });
}

describe("exit status", () => {
  test.each([
    [["clean.patch"], [], 0],
    [["proved.patch"], [], 1],
    [["question.patch"], [], 1],
    [["question.patch"], ["--fail-on", "proved"], 0],
    [["proved.patch"], ["--fail-on=proved"], 1],
    [["proved.patch"], ["--fail-on", "never"], 0],
    [["question.patch"], ["--min-tier", "proved"], 0],
    [["proved.patch", "missing.patch"], [], 2],
    [["cut.patch"], ["--fail-on", "never"], 2],
    [["crash.patch", "missing.patch", "proved.patch"], [], 3],
  ])("%j %j: %i", async (names, options, status) => {
    expect((await patchwalk(["lint", ...options, ...names.map(path)])).status).toBe(status);
  });
});

describe("what cannot be read costs one line and nothing else", () => {
  test.each([
    ["missing.patch", "no such file or directory"],
    ["clean.patch/x", "not a directory"],
    ["empty.patch", "empty file"],
    ["blank.patch", "empty file"],
    ["photo.patch", "binary file"],
    ["x.bin", "binary file"],
    ["t.gz", "compressed file: unpack it first"],
    ["wide.txt", "UTF-16 text: save it as UTF-8"],
    ["cr.patch", "carriage returns end its lines: convert them"],
    ["void", "no patch, mail or C file in this directory"],
    ["cut.patch", "the patch ends inside a hunk (line 2)"],
  ])("%s: %s", async (name, reason) => {
    const { status, out, err } = await patchwalk(["lint", path(name), path("proved.patch")]);
    expect(err).toBe(`${path(name)}: ${reason}\n`);
    expect(status).toBe(2);
    expect(out).toContain(`${path("proved.patch")}:2: error:`);
  });

  test("a patch that is cut short is linted as far as it goes", async () => {
    expect((await patchwalk(["lint", path("cut.patch")])).out).toContain(`${path("cut.patch")}:1: error:`);
  });

  test("a crash is one line, the others are linted", async () => {
    const { status, out, err } = await patchwalk(["lint", path("crash.patch"), path("proved.patch")]);
    expect(err).toBe(`patchwalk: internal error: ${path("crash.patch")}:1: a bug with two lines\n`);
    expect(out).toContain("proved.patch:2: error:");
    expect(status).toBe(3);
    const debug = await patchwalk(["lint", path("crash.patch")], { io: { env: { PATCHWALK_DEBUG: "1" } } });
    expect(debug.err).toContain("\n    at ");
  });

  test("a crash outside of the engine is one line too", async () => {
    expect(await patchwalk(["lint"], { engine: { rules: broken } }))
      .toEqual({ status: 3, out: "", err: "patchwalk: internal error: broken catalogue\n" });
    const { status, out, err } = await patchwalk(["lint", path("clean.patch"), path("walk.c")], { engine: { messagesOf: broken } });
    expect([status, err]).toEqual([3, `patchwalk: internal error: ${path("clean.patch")}: broken catalogue\n`]);
    expect(out).toContain(`${path("walk.c")}:1: warning:`);
  });
});

describe("inputs", () => {
  test("standard input, with - and without", async () => {
    for (const argv of [["lint"], ["lint", "-"]]) {
      const { out, status } = await patchwalk(argv, { stdin: "x\nPROVED\n" });
      expect(out).toContain("\n-:2: error:");
      expect(status).toBe(1);
    }
    expect(await patchwalk(["lint"], { stdin: "" })).toMatchObject({ status: 2, err: "-: empty file\n" });
  });

  test("each mail of a mailbox is one input, with lines of the file", async () => {
    const { out } = await patchwalk(["lint", "--format", "json", path("series.mbox")]);
    const { inputs, summary } = JSON.parse(out);
    expect(inputs.map((input: { subject: string }) => input.subject)).toEqual(["cover", "1/2", "2/2"]);
    const lines = inputs.flatMap((input: { findings: { location: { patchLine: number } }[] }) =>
      input.findings.map((finding) => finding.location.patchLine));
    expect(lines).toEqual([6, 11]);
    expect(summary).toEqual({ proved: 1, contract: 1, pattern: 0, files: 1 });
  });

  test("C files are reviewed as C", async () => {
    const kinds: string[] = [];
    const review: typeof wordReview = (input) => {
      kinds.push(input.kind);
      return wordReview(input);
    };
    await patchwalk(["lint", path("walk.c"), path("clean.patch")], { engine: { review } });
    expect(kinds).toEqual(["c", "patch"]);
  });

  test("a directory: endings, order, maildirs, links", async () => {
    const tree = folderOf({
      "b.patch": "x", "a.diff": "x", "z/deep.mbox": "x", "notes.md": "x", ".hidden/x.patch": "x", "node_modules/x.c": "x",
      "mail/cur/2:2,S": "x", "mail/new/1": "x", "mail/tmp/3": "x", "B.txt": "x", "c.eml": "x", "d.c": "x",
    });
    const outside = folderOf({ "secret.patch": "x" });
    symlinkSync(join(outside, "secret.patch"), join(tree, "e.patch"));
    symlinkSync(outside, join(tree, "linked"));
    symlinkSync(join(tree, "b.patch"), join(tree, "f.patch"));
    symlinkSync(join(tree, "nowhere"), join(tree, "g.patch"));
    mkdirSync(join(tree, "h.patch"));
    const { out, status } = await patchwalk(["lint", "--format=jsonl", tree]);
    expect(out.trim().split("\n").map((line) => JSON.parse(line).path.slice(tree.length + 1)))
      .toEqual(["B.txt", "a.diff", "b.patch", "c.eml", "d.c", "f.patch", "mail/cur/2:2,S", "mail/new/1", "z/deep.mbox"]);
    expect(status).toBe(0);
  });

  test("native memory is collected between mails", async () => {
    let collected = 0;
    await patchwalk(["lint", path("series.mbox")], { engine: { collectNativeMemory: () => void collected++ } });
    expect(collected).toBe(3);
  });
});

describe("output", () => {
  test("clean input: the summary alone; nothing with -q", async () => {
    expect((await patchwalk(["lint", path("clean.patch")])).out).toBe("patchwalk: no findings in 1 input in 1 file\n");
    expect((await patchwalk(["lint", "-q", path("clean.patch")])).out).toBe("");
    expect((await patchwalk(["lint", "--no-summary", path("clean.patch")])).out).toBe("");
  });

  test("one input gives the same bytes each time; timings are extra", async () => {
    const argv = ["lint", "--format", "json", path("series.mbox"), path("proved.patch")];
    const plain = await patchwalk(argv);
    expect((await patchwalk(argv, { io: { now: () => Math.random() * 1e6 } })).out).toBe(plain.out);
    let time = 0;
    const timed = JSON.parse((await patchwalk([...argv, "--timings"], { io: { now: () => (time += 5) } })).out);
    expect(timed.timings.totalMs).toBeGreaterThan(timed.timings.reviewMs);
    delete timed.timings;
    expect(timed).toEqual(JSON.parse(plain.out));
    expect((await patchwalk(["lint", "-q", "--timings", path("clean.patch")])).out).toBe("patchwalk: 0 ms, of which 0 ms in reviews\n");
  });

  test("json of nothing readable is still a document", async () => {
    const { out } = await patchwalk(["lint", "--format", "json", path("missing.patch")]);
    expect(JSON.parse(out)).toMatchObject({ inputs: [], summary: { files: 0 } });
  });

  test("--output", async () => {
    const file = path("report.json");
    expect(await patchwalk(["lint", "--format=json", "--output", file, path("proved.patch")])).toEqual({ status: 1, out: "", err: "" });
    expect(JSON.parse(readFileSync(file, "utf8")).summary.proved).toBe(1);
    expect(await patchwalk(["lint", "--output", path("no/such/folder"), path("proved.patch")]))
      .toEqual({ status: 2, out: "", err: `${path("no/such/folder")}: no such file or directory\n` });
    expect(existsSync(path("no"))).toBe(false);
  });

  test("colors", async () => {
    expect(await colored([], false)).toBe(false);
    expect(await colored([], true)).toBe(true);
    expect(await colored([], true, { NO_COLOR: "1" })).toBe(false);
    expect(await colored(["--color=always"], false, { NO_COLOR: "1" })).toBe(true);
    expect(await colored(["--color"], false)).toBe(true);
    expect(await colored(["--color", "never"], true)).toBe(false);
    expect(await colored(["--color=never"], true)).toBe(false);
  });

  test("a reader that goes away ends the run quietly", async () => {
    const gone = new Writable({ write: (_chunk, _encoding, done) => done(Object.assign(new Error("write EPIPE"), { code: "EPIPE" })) });
    const { status, err } = await patchwalk(["lint", path("proved.patch"), path("crash.patch")], { io: { stdout: gone } });
    expect([status, err]).toEqual([1, ""]);
    const full = new Writable({ write: (_chunk, _encoding, done) => done(Object.assign(new Error("x"), { code: "ENOSPC" })) });
    expect((await patchwalk(["lint", path("proved.patch")], { io: { stdout: full } })).err).toBe("stdout: no space left on device\n");
  });

  test("progress: only on a terminal, only after a second, and gone at the end", async () => {
    let time = 0;
    const now = (): number => (time += 400);
    expect((await patchwalk(["lint", path("series.mbox")], { io: { now } })).err).toBe("");
    const { err } = await patchwalk(["lint", path("series.mbox")], { io: { now, isStderrTerminal: true } });
    expect(err).toMatch(/\r\x1b\[Kpatchwalk: \d inputs linted/);
    expect(err.endsWith("\r\x1b[K")).toBe(true);
    expect((await patchwalk(["lint", path("series.mbox")], { io: { isStderrTerminal: true } })).err).toBe("");
  });
});

describe("options of the review", () => {
  test("are handed on", async () => {
    expect((await optionsFor([])).seen).toMatchObject({ release: null, arch: null, config: [], rules: {}, minTier: "contract", simulate: true });
    const argv = ["--release", "6.1.y", "--arch=arm64", "--config", "HIGHPTE=n,CONFIG_PARAVIRT=y", "--config", "SMP=y", "--no-simulate", "--min-tier", "pattern"];
    expect((await optionsFor(argv)).seen).toMatchObject({
      release: "6.1.y", arch: "arm64", config: ["HIGHPTE=n", "PARAVIRT=y", "SMP=y"], simulate: false, minTier: "pattern",
    });
  });

  test.each([["powerpc", "powerpc64"], ["RISCV", "riscv64"], ["s390", "s390x"], ["aarch64", "arm64"], ["x86", "x86_64"]])("--arch %s", async (given, arch) => {
    expect((await optionsFor(["--arch", given])).seen).toMatchObject({ arch });
  });

  test("a release of the future is told on stderr", async () => {
    expect(await optionsFor(["--release", "7.9"])).toMatchObject({
      seen: { release: "7.9" }, status: 0, err: "patchwalk: --release 7.9: newer than what the facts were checked against; they are as of 6.17\n",
    });
    expect(await optionsFor(["--release", "mainline"])).toMatchObject({ err: "" });
  });

  test("rules that were not asked for are off", async () => {
    expect((await optionsFor(["--ignore", "MM_HUGETLB_WALK_UNLOCKED,MM_NEVER_HEARD_OF"])).seen).toMatchObject({ rules: { "hugetlb-walk-unlocked": "off" } });
    expect((await optionsFor(["--types", "hugetlb-walk-unlocked"])).seen).toMatchObject({ rules: { "notifier-nonblock-outside-oom": "off" } });
    const both = await patchwalk(["lint", "--ignore=mm_hugetlb_walk_unlocked", path("series.mbox")]);
    expect(both.out).not.toContain("hugetlb-walk-unlocked");
    const one = await patchwalk(["lint", "--types=MM_HUGETLB_WALK_UNLOCKED", path("series.mbox")]);
    expect(one.out).not.toContain("notifier-nonblock");
  });

  test.each([
    [["--release", "x"], "--release takes a release such as 6.1 or mainline; not 'x'"],
    [["--arch", "vax"], "--arch takes x86_64, arm64, riscv64, powerpc64, s390x; not 'vax'"],
    [["--config", "x"], "--config takes KEY=y or KEY=n; not 'x'"],
    [["--format", "sarif"], "--format sarif is not available in this version"],
    [["--format", "xml"], "--format takes text, json, jsonl; not 'xml'"],
    [["--fail-on", "x"], "--fail-on takes proved, contract, pattern, never; not 'x'"],
    [["--types", "MM_X"], "--types: no rule is called 'MM_X'; see patchwalk rules"],
    [["--frobnicate"], "unknown option '--frobnicate'"],
    [["--output", path("clean.patch")], `--output ${path("clean.patch")} is an input too`],
    [["--output"], "option '--output <value>' argument missing"],
  ])("%j", async (argv, reason) => {
    expect(await optionsFor(argv)).toEqual({ seen: null, status: 2, out: "", err: `patchwalk: ${reason}; see patchwalk --help\n` });
  });
});

test("an error of reading in the middle is the file's, not ours", async () => {
  expect(await patchwalk(["lint"], { io: { stdin: Readable.from(failingRead()) } })).toMatchObject({ status: 2, err: "-: input/output error\n" });
});
