// SPDX-License-Identifier: GPL-2.0-only
import { describe, expect, it } from "vitest";
import { readPatches } from "../../server/patch/read.ts";
import { brief, codes, expectExactPositions, hunksOf, linesOf } from "./check.ts";
import { diffText, quote, stripWhiteSpace } from "./sample.ts";

const head = "diff --cc mm/m.c\nindex 9cd5a1b,46f2f2f..b830b4b\n--- a/mm/m.c\n+++ b/mm/m.c\n";
const hunk = "@@@ -1,3 -1,5 +1,4 @@@ static int f(void)\n  int a;\n- int b;\n -int x;\n++int y;\n  int c;\n+ int d;\n -int e;\n";
const hunkBrief = [" int a; @1/1", "-int b; @./2", "-int x; @./.", "+int y; @2/.", " int c; @3/3", "+int d; @4/.", "-int e; @./."];

describe("a combined diff", () => {
  it("has the lines of the merge, with the numbers of the first parent, and says what it is", () => {
    const document = readPatches(`${head}${hunk}${diffText}\n`);
    expect(document.patches[0]?.files.map((file) => [file.newPath, file.line])).toEqual([["mm/m.c", 1], ["mm/toy.c", 13]]);
    expect(hunksOf(document)[0]).toMatchObject({ header: { oldStart: 1, oldCount: 3, newStart: 1, newCount: 4 }, section: "static int f(void)", line: 5 });
    expect(linesOf(document).slice(0, 7).map(brief)).toEqual(hunkBrief);
    expect(document.problems).toMatchObject([{ code: "combined-diff", line: 1, message: expect.stringContaining("merge: only lines of the merge itself") as string }]);
    expectExactPositions(document);
  });

  it.each([
    ["of three parents", `${head}@@@@ -1,2 -1,1 -1,2 +1,2 @@@@\n   int a;\n- -int b;\n+++int c;\n`, ["   int a;", "- -int b;", "+++int c;"]],
    ["with a trimmed context line", `${head}@@@ -1,2 -1,2 +1,3 @@@\n  int a;\n\n++int c;\n`, ["  int a;", "", "++int c;"]],
    ["with a note about the newline", `${head}@@@ -1,1 -1,1 +1,1 @@@\n- a;\n -b;\n\\ No newline at end of file\n++c;\n\\ No newline at end of file\n`, ["- a;", " -b;", "++c;"]],
    ["as --combined", `${head.replace("--cc", "--combined")}@@@ -1,1 -1,1 +1,2 @@@\n  int a;\n++int c;\n`, ["  int a;", "++int c;"]],
    ["of a new file", "diff --cc mm/n.c\nindex 0000000,0000000..b830b4b\nnew file mode 100644\n--- /dev/null\n+++ b/mm/n.c\n@@@ -0,0 -0,0 +1,1 @@@\n++int c;\n", ["++int c;"]],
  ])("%s", (_, text, expected) => {
    const document = readPatches(text);
    const lines = text.split("\n");
    expect(linesOf(document).map((line) => lines[line.line - 1])).toEqual(expected);
    expect(codes(document)).toEqual(["combined-diff"]);
    expectExactPositions(document);
  });

  it("can be quoted", () => {
    const document = readPatches(`Subject: Re: merge\nFrom: Rev <rev@example.org>\n\n${quote(head + hunk.trimEnd(), 1)}\n\nWhy?\n`);
    expect(linesOf(document).map(brief)).toEqual(hunkBrief);
    expectExactPositions(document);
  });

  it.each([
    ["too few lines", `${head}@@@ -1,9 -1,9 +1,9 @@@\n  int a;\n${diffText}\n`, ["combined-diff", "hunk-count-mismatch"]],
    ["the end of the text", `${head}@@@ -1,9 -1,9 +1,9 @@@\n  int a;\n`, ["combined-diff", "hunk-truncated"]],
    ["no such header", `${head}@@@ -1 @@@\n  int a;\n`, ["combined-diff"]],
    ["archive text", `${stripWhiteSpace(head + hunk)}\n${stripWhiteSpace(diffText)}`, ["combined-diff", "combined-hunk-stripped", "whitespace-lost"]],
    ["no hunk", "diff --cc mm/m.bin\nindex 9cd5a1b,46f2f2f..b830b4b\nBinary files differ\n", ["combined-diff"]],
  ])("that is damaged: %s", (_, text, expected) => {
    const document = readPatches(text);
    expect(codes(document).toSorted()).toEqual(expected.toSorted());
    expectExactPositions(document);
  });
});
