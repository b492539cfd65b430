// SPDX-License-Identifier: GPL-2.0-only
import { describe, expect, it } from "vitest";
import { readPatches } from "../../server/patch/read.ts";
import { brief, codes, expectExactPositions, hunksOf, linesOf } from "./check.ts";
import { diffText, mailText, stripWhiteSpace } from "./sample.ts";

const head = "diff --git a/mm/toy.c b/mm/toy.c\n--- a/mm/toy.c\n+++ b/mm/toy.c\n";
const archiveHead = "Re: [PATCH] mm/toy\n\nFrom: Example Developer\nDate: Fri Sep 15 2023 - 19:40:28 EST\n\n";

describe("archive text", () => {
  it("finds out how many blank context lines are gone", () => {
    const document = readPatches(archiveHead + stripWhiteSpace(mailText("[PATCH] a", diffText).split("\n").slice(6).join("\n")));
    expect(document.patches).toMatchObject([{ form: "archive", whitespaceLost: true, subject: "Re: [PATCH] mm/toy", from: "Example Developer" }]);
    expect(hunksOf(document)).toMatchObject([{ lostContext: 2 }]);
    expect(linesOf(document).map(brief)).toEqual([
      "{ @10/10", " pte_t *ptep; @11/11", "- return 0; @./12", "+ ptep = toy_offset(mm, 0); @12/.", "+ if (!ptep) @13/.", "+ return -ENOENT; @14/.",
      " } @15/13", " static void toy_free(void) @16/14", " { @17/15",
    ].map((text) => text.replace(/^ ?(?=\{)/, " ")));
    expect(linesOf(document).every((line) => line.certainty === "shifted")).toBe(true);
    expect(codes(document)).toEqual(["whitespace-lost"]);
    expectExactPositions(document);
  });

  it("does not take a signature in the middle for the end of the mail", () => {
    const document = readPatches(`${archiveHead}thanks,\n--\nExample Developer\nExample\n\nReported-by: A <a@example.org>\n---\n${stripWhiteSpace(diffText)}`);
    expect([linesOf(document).length, document.patches[0]?.prose.length]).toEqual([9, 8]);
  });

  it.each([
    ["a decrement", "@@ -1,3 +1,4 @@\nint f(void)\n+ a = b;\n--p;\n}", ["context", "added", "context", "context"]],
    ["an increment", "@@ -1,3 +1,4 @@\nint f(void)\n+ a = b;\n}\n++p;", ["context", "added", "context", "context"]],
    ["a negative operand", "@@ -1,4 +1,4 @@\nint f(a,\n-1, 0);\n- x = 2;\n+ x = 3;\n}", ["context", "context", "deleted", "added", "context"]],
    ["an increment, and a lost line", "@@ -1,5 +1,5 @@\nint f(void)\n- a = c;\n+ a = b;\n++p;\n}", ["context", "deleted", "added", "context", "context"]],
  ])("finds the context line that begins with a marker: %s", (_, body, kinds) => {
    const document = readPatches(`${head}${body}\ndiff --git a/mm/b.c b/mm/b.c\n--- a/mm/b.c\n+++ b/mm/b.c\n@@ -1 +1 @@\n-a\n+b\n`);
    expect(hunksOf(document)[0]?.lines.map((line) => line.kind)).toEqual(kinds);
    expect(codes(document)).toEqual(["whitespace-lost", "marker-doubtful"]);
    expectExactPositions(document);
  });

  it("does not explain a wrong count by a replaced line", () => {
    const body = "@@ -1,4 +1,6 @@\nfoo(a,\n- b);\n+ c);\nreturn 0;\n+ bar(a);\n}\n";
    const document = readPatches(`${head}${body}@@ -9 +9 @@\n-a\n+b\n`);
    expect(hunksOf(document)[0]?.lines.map((line) => line.kind)).toEqual(["context", "deleted", "added", "context", "added", "context"]);
    expect(codes(document)).toContain("hunk-count-mismatch");
  });

  it("says which lines after the last hunk may be prose", () => {
    const document = readPatches(`${head}@@ -1,7 +1,8 @@\nint f(void)\n{\n+ foo(a);\n bar;\n}\nPlease have a look at this\nwhen you find time\n`.replace("\n bar", "\nbar"));
    expect(linesOf(document).map((line) => `${line.text}:${line.certainty}`)).toEqual([
      "int f(void):shifted", "{:shifted", " foo(a);:shifted", "bar;:shifted", "}:shifted",
      "Please have a look at this:uncertain", "when you find time:uncertain",
    ]);
    expect(hunksOf(document)).toMatchObject([{ lostContext: 3 }]);
  });

  it("stops at the signature", () => {
    const document = readPatches(`${head}@@ -1,5 +1,6 @@\nint f(void)\n{\n+ foo(a);\n}\n--\n2.39.5\n`);
    expect([linesOf(document).length, hunksOf(document)[0]?.lostContext]).toEqual([4, 2]);
  });

  it("is not what a diff of unindented lines is", () => {
    const document = readPatches(`${head}@@ -1,0 +2 @@\n+int b;\n@@ -9,1 +10,0 @@\n-int c;\n`);
    expect(document.patches).toMatchObject([{ form: "diff", whitespaceLost: false }]);
  });
});
