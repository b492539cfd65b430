// SPDX-License-Identifier: GPL-2.0-only
import { describe, expect, it } from "vitest";
import { readPatches } from "../../server/patch/read.ts";
import { brief, codes, expectExactPositions, hunksOf, linesOf } from "./check.ts";
import { diffText, firstHunk, mailText } from "./sample.ts";

const head = "diff --git a/mm/toy.c b/mm/toy.c\n--- a/mm/toy.c\n+++ b/mm/toy.c\n";
const firstHunkBrief = [
  " { @10/10", " \tpte_t *ptep; @11/11", "  @12/12", "-\treturn 0; @./13", "+\tptep = toy_offset(mm, 0); @13/.", "+\tif (!ptep) @14/.",
  "+\t\treturn -ENOENT; @15/.", " } @16/14", "  @17/15", " static void toy_free(void) @18/16", " { @19/17",
];

describe("a mail", () => {
  it("keeps header, prose, files and lines", () => {
    const text = mailText("[PATCH v2] mm/toy: check\n the entry", diffText);
    const document = readPatches(text);
    expect(document.problems).toEqual([]);
    expect(document.patches).toHaveLength(1);
    expect(document.patches[0]).toMatchObject({
      form: "mail", subject: "[PATCH v2] mm/toy: check the entry", from: "Example Developer <dev@example.org>",
      date: "Fri, 20 Nov 2026 03:53:35 +0000", messageId: "20261120-1-dev@example.org",
      commit: "50a1827beff7afa07ecc26202feb3730298c2b06", whitespaceLost: false, remarks: [], startLine: 1, endLine: 33,
    });
    expect(document.patches[0]?.files).toMatchObject([
      { oldPath: "mm/toy.c", newPath: "mm/toy.c", index: { old: "7846ce8", new: "04bdd92" }, change: "modified", line: 15 },
    ]);
    expect(hunksOf(document)).toMatchObject([
      { header: { oldStart: 10, oldCount: 8, newStart: 10, newCount: 10 }, section: "static int toy_walk(struct mm_struct *mm)", line: 19 },
    ]);
    expect(linesOf(document).map(brief)).toEqual(firstHunkBrief);
    expect(document.patches[0]?.prose.map((line) => line.line)).toEqual([8, 9, 10, 11, 12, 13, 14, 31, 32, 33]);
    expectExactPositions(document);
  });

  it("reads each mail of an mbox, and skips the cover letter", () => {
    const cover = mailText("[PATCH 0/2] mm/toy", "");
    const text = cover + mailText("[PATCH 1/2] a", diffText) + mailText("[PATCH 2/2] b", diffText);
    const document = readPatches(text, { firstLine: 101 });
    expect(document.patches.map((patch) => [patch.subject, patch.startLine, hunksOf({ ...document, patches: [patch] }).length]))
      .toEqual([["[PATCH 1/2] a", 118, 1], ["[PATCH 2/2] b", 150, 1]]);
    expect(document.problems).toEqual([]);
    expectExactPositions(document, 101);
  });

  it("reads lines that end in CRLF", () => {
    const document = readPatches(mailText("[PATCH] a", diffText).replaceAll("\n", "\r\n"));
    expect(document.problems).toEqual([]);
    expect(linesOf(document).map(brief)).toEqual(firstHunkBrief);
    expectExactPositions(document);
  });

  it("takes the commit of git show", () => {
    const document = readPatches(`commit ${"a".repeat(40)}\nAuthor: Dev <dev@example.org>\nDate:   now\n\n    text\n\n${diffText}\n`);
    expect(document.patches).toMatchObject([
      { form: "diff", commit: "a".repeat(40), from: "Dev <dev@example.org>", date: "now", subject: "text" },
    ]);
    expect(document.patches[0]?.prose.map((line) => line.text)).toEqual(["", "    text", ""]);
  });
});

describe("text without a patch", () => {
  it.each([
    ["a cover letter", mailText("[PATCH 0/3] mm", ""), []],
    ["prose", "Hello,\n\n- a point (see foo());\n+ another\n--- \n", []],
    ["a C file", "// SPDX\nint a;\n\nstatic int f(void)\n{\n\tif (a > 1\n> 0)\n\t\treturn -1;\n}\n", []],
    ["nothing", "", ["empty-input"]],
    ["blank lines", "\n \n", ["empty-input"]],
    ["a picture", "\u00ff\u0000\u0010JFIF\u0000\u0001\u0001\u0000\ufffd\ufffd\u0000\ufffd", ["binary-input"]],
    ["a list in a reply", "> - first point\n> - second point, see foo\n\nYes.\n", []],
    ["a list with calls", "> On Fri, Dev wrote:\n> - we call foo() in the loop and that is slow\n> - then bar() must wait for all of them\n", []],
  ])("%s", (_, text, expected) => {
    const document = readPatches(text);
    expect([document.patches.length, codes(document)]).toEqual([0, expected]);
  });
});

describe("inside a hunk the counts decide", () => {
  it.each([
    ["a deleted `- ` is no signature", "@@ -1,3 +1,2 @@\n a\n-- \n b\n-- \n2.39.5\n", [" a @1/1", "-- @./2", " b @2/3"]],
    ["a deleted last line `- ` is no signature", "@@ -1,2 +1,1 @@\n a\n-- \n-- \n2.39.5\n", [" a @1/1", "-- @./2"]],
    ["a deleted `-- a/x` is no file", "@@ -1,2 +1,2 @@\n a\n--- a/x\n+++ b/x\n@@ -9,1 +9,1 @@\n-c\n+d\n",
      [" a @1/1", "--- a/x @./2", "+++ b/x @2/.", "-c @./9", "+d @9/."]],
    ["a note about the newline counts for neither side", "@@ -1 +1 @@\n-a\n\\ Kein Zeilenumbruch\n+b\n\\ No newline at end of file\n",
      ["-a @./1", "+b @1/."]],
    ["a context line may have lost its blank", "@@ -1,3 +1,4 @@\n a\n\n+b\n c\n", [" a @1/1", "  @2/2", "+b @3/.", " c @4/3"]],
    ["a last context line may have lost its blank", "@@ -1,2 +1,3 @@\n+b\n a\n\n-- \n2.39.5\n", ["+b @1/.", " a @2/1", "  @3/2"]],
    ["an addition only, without context", "@@ -5,0 +6 @@\n+x\n@@ -9,2 +10,0 @@ f\n-y\n-z\n", ["+x @6/.", "-y @./9", "-z @./10"]],
    ["a wrapped line keeps its tail", "@@ -1,2 +1,3 @@\n a(b,\nc);\n+d(e,\nf);\n g\n",
      [" a(b, c); @1/1", "+d(e, f); @2/.", " g @3/2"]],
  ])("%s", (_, body, expected) => {
    const document = readPatches(head + body);
    expect(linesOf(document).map((line) => brief(line).replace("--  @", "-- @"))).toEqual(expected);
    expect(codes(document).filter((code) => code !== "wrapped-line")).toEqual([]);
    expectExactPositions(document);
  });
});

describe("wrong counts", () => {
  const next = "diff --git a/mm/b.c b/mm/b.c\n--- a/mm/b.c\n+++ b/mm/b.c\n@@ -1 +1 @@\n-a\n+b\n";
  it.each([
    ["too few lines before the next file", `@@ -4,10 +4,12 @@\n a\n+b\n${next}`, 3 + 1, "hunk-count-mismatch", /10 old and 12 new lines, but 1 and 2 follow/],
    ["too few lines before the next hunk", "@@ -4,10 +4,12 @@\n a\n+b\n@@ -20 +20 @@\n-a\n+b\n", 4, "hunk-count-mismatch", /but 1 and 2 follow/],
    ["too few lines before the signature", "@@ -4,10 +4,12 @@\n a\n+b\n-- \n2.39.5\n", 4, "hunk-count-mismatch", /but 1 and 2 follow/],
    ["too few before a file without a git line", "@@ -4,10 +4,12 @@\n a\n+b\n--- a/mm/c.c\n+++ b/mm/c.c\n@@ -1 +1 @@\n-a\n+b\n", 4, "hunk-count-mismatch", /but 1 and 2 follow/],
    ["too many lines", `@@ -4,1 +4,2 @@\n a\n+b\n+c\n d\n${next}`, 4, "hunk-count-mismatch", /1 old and 2 new lines, but 2 and 4 follow/],
    ["the end of the text", "@@ -4,10 +4,12 @@\n a\n+b\n", 4, "hunk-truncated", /10 old and 12 new lines, but 1 and 2 follow/],
  ])("%s", (_, body, line, code, message) => {
    const document = readPatches(head + body);
    expect(document.problems).toEqual([{ code, line, message: expect.stringMatching(message) as string }]);
    expect(hunksOf(document)[0]?.lines.slice(0, 2).map(brief)).toEqual([" a @4/4", "+b @5/."]);
    expectExactPositions(document);
  });
});

describe("file headers", () => {
  const hunk = "@@ -1 +1 @@\n-a\n+b\n";
  it.each([
    ["git", `diff --git a/mm/a.c b/mm/a.c\n--- a/mm/a.c\n+++ b/mm/a.c\n${hunk}`, "mm/a.c", "mm/a.c", "modified"],
    ["no prefix", `diff --git mm/a.c mm/a.c\n--- mm/a.c\n+++ mm/a.c\n${hunk}`, "mm/a.c", "mm/a.c", "modified"],
    ["mnemonic prefix", `diff --git i/mm/a.c w/mm/a.c\n--- i/mm/a.c\n+++ w/mm/a.c\n${hunk}`, "mm/a.c", "mm/a.c", "modified"],
    ["diff -u with dates", `--- mm/a.c.orig\t2026-01-01 10:00:00.000000000 +0000\n+++ mm/a.c\t2026-01-02 10:00:00.000000000 +0000\n${hunk}`,
      "mm/a.c", "mm/a.c", "modified"],
    ["quilt", `Index: linux/mm/a.c\n${"=".repeat(67)}\n--- linux.orig/mm/a.c\t2026-01-01 10:00:00.000000000 +0000\n+++ linux/mm/a.c\n${hunk}`, "mm/a.c", "mm/a.c", "modified"],
    ["two trees", `diff -urN linux.orig/mm/a.c linux/mm/a.c\n--- linux.orig/mm/a.c\n+++ linux/mm/a.c\n${hunk}`, "mm/a.c", "mm/a.c", "modified"],
    ["created", `diff --git a/mm/a.c b/mm/a.c\nnew file mode 100644\n--- /dev/null\n+++ b/mm/a.c\n@@ -0,0 +1 @@\n+a\n`, null, "mm/a.c", "created"],
    ["created, by the epoch", `--- a/mm/a.c\t1970-01-01 00:00:00.000000000 +0000\n+++ b/mm/a.c\t2026-01-02 10:00:00.0 +0000\n@@ -0,0 +1 @@\n+a\n`,
      null, "mm/a.c", "created"],
    ["deleted", `diff --git a/mm/a.c b/mm/a.c\ndeleted file mode 100644\n--- a/mm/a.c\n+++ /dev/null\n@@ -1 +0,0 @@\n-a\n`, "mm/a.c", null, "deleted"],
    ["renamed", "diff --git a/mm/a.c b/mm/b.c\nsimilarity index 100%\nrename from mm/a.c\nrename to mm/b.c\n", "mm/a.c", "mm/b.c", "renamed"],
    ["mode only", "diff --git a/mm/a.sh b/mm/a.sh\nold mode 100644\nnew mode 100755\n", "mm/a.sh", "mm/a.sh", "modified"],
    ["quoted", `diff --git "a/sp\\303\\251 c.c" "b/sp\\303\\251 c.c"\n--- "a/sp\\303\\251 c.c"\n+++ "b/sp\\303\\251 c.c"\n${hunk}`, "sp\u00e9 c.c", "sp\u00e9 c.c", "modified"],
    ["blanks", "diff --git a/a b.c b/a b.c\nold mode 100644\nnew mode 100755\n", "a b.c", "a b.c", "modified"],
    ["hunk alone", hunk, null, null, "unknown"],
  ])("%s", (_, text, oldPath, newPath, change) => {
    const document = readPatches(text);
    expect(document.patches).toMatchObject([{ form: "diff", files: [{ oldPath, newPath, change }] }]);
    expect(document.problems).toEqual([]);
  });

  it("skips binary files and goes on after them", () => {
    const binary = "diff --git a/b.bin b/b.bin\nindex e59aa70e..ac26409d 100644\nGIT binary patch\nliteral 7\nOcmZQzWMcMn4F>=L?f~%s\n\nliteral 6\nNcmZQzWODNK0{{WJ0Nnrp\n\n";
    const document = readPatches(`${binary}diff --git a/c.bin b/c.bin\nBinary files a/c.bin and b/c.bin differ\n${diffText}\n`);
    expect(document.patches[0]?.files.map((file) => [file.newPath, file.hunks.length])).toEqual([["b.bin", 0], ["c.bin", 0], ["mm/toy.c", 1]]);
    expect(document.problems.map((problem) => [problem.code, problem.line])).toEqual([["binary-skipped", 1], ["binary-skipped", 10]]);
  });

  it("reads a hunk of a large file fast and whole", () => {
    const lines = Array.from({ length: 200_000 }, (_, at) => `+line ${at};`).join("\n");
    const document = readPatches(`${head}@@ -0,0 +1,200000 @@\n${lines}\n`);
    expect([linesOf(document).length, codes(document)]).toEqual([200_000, []]);
  });
});

describe("firstHunk", () => {
  it("is what the other tests think it is", () => {
    expect(firstHunk.split("\n")).toHaveLength(1 + firstHunkBrief.length);
  });
});
