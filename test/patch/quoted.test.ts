// SPDX-License-Identifier: GPL-2.0-only
import { describe, expect, it } from "vitest";
import { readPatches } from "../../server/patch/read.ts";
import { brief, codes, expectExactPositions, hunksOf, linesOf } from "./check.ts";
import { diffText, firstHunk, quote, stripWhiteSpace } from "./sample.ts";

const header = "Subject: Re: [PATCH] mm/toy\nFrom: Reviewer <rev@example.org>\n\nOn Fri, Nov 20, 2026, Dev wrote:\n";
const hunkLines = firstHunk.split("\n");
const upper = hunkLines.slice(0, 8).join("\n");
const lower = hunkLines.slice(8).join("\n");

describe("a review with a diff header", () => {
  it.each([1, 2, 3])("at depth %i, in one piece", (depth) => {
    const document = readPatches(`${header}${quote(`Text.\n---\n${diffText}`, depth)}\n\nLooks good.\n-- \nRev\n`);
    expect(document.patches).toMatchObject([{ form: "quoted", whitespaceLost: false, files: [{ newPath: "mm/toy.c" }] }]);
    expect([linesOf(document).length, codes(document)]).toEqual([11, []]);
    expect(linesOf(document)[0]).toMatchObject({ kind: "context", text: "{", newLine: 10, oldLine: 10, certainty: "exact" });
    expect(document.patches[0]?.remarks).toMatchObject([{ text: "Looks good.", anchor: linesOf(document).at(-1)?.line }]);
    expectExactPositions(document);
  });

  it.each([1, 2, 3])("at depth %i, with a remark in the middle", (depth) => {
    const remark = depth === 1 ? "Why?\nReally." : `${quote("Why?\nReally.", depth - 1)}\n\nBecause.`;
    const document = readPatches(`${header}${quote(`${diffText.split("@@")[0]}${upper}`, depth)}\n\n${remark}\n\n${quote(lower, depth)}\n`);
    expect(hunksOf(document)).toHaveLength(1);
    expect(linesOf(document).map((line) => line.newLine)).toEqual([10, 11, 12, null, 13, 14, 15, 16, 17, 18, 19]);
    const anchor = linesOf(document)[6]?.line;
    const because = depth === 1 ? [] : [{ text: "Because.", anchor }];
    expect(document.patches[0]?.remarks).toMatchObject([{ text: "Why?\nReally.", anchor }, ...because]);
    expect(codes(document)).toEqual([]);
    expectExactPositions(document);
  });

  it("says that lines were left out, and gives no numbers below", () => {
    const document = readPatches(`${header}${quote(upper, 1)}\n\nWhy?\n\n${quote(" }", 1)}\n\nBye.\n`);
    expect(linesOf(document).map((line) => line.newLine)).toEqual([10, 11, 12, null, 13, 14, 15, null]);
    expect(document.problems).toMatchObject([{ code: "hunk-incomplete", line: 5 }]);
  });

  it("starts a new hunk after a gap", () => {
    const document = readPatches(`${header}${quote(upper, 1)}\n[...]\n${quote("-\tfoo(a);\n+\tbar(b);", 1)}\n\nWhy?\n`);
    expect(hunksOf(document).map((hunk) => [hunk.header === null, hunk.afterGap, hunk.lines.length])).toEqual([[false, false, 7], [true, true, 2]]);
    expect(linesOf(document).slice(7).map(brief)).toEqual(["-\tfoo(a); @./.", "+\tbar(b); @./."]);
    expect(document.patches[0]?.remarks).toMatchObject([{ text: "Why?" }]);
  });

  it("keeps a remark on the commit message without an anchor", () => {
    const document = readPatches(`${header}${quote("Some text.", 1)}\n\nPlease say why.\n\n${quote(diffText, 1)}\n`);
    expect(document.patches[0]?.remarks).toMatchObject([{ text: "Please say why.", anchor: null }]);
    expect(document.patches[0]?.prose.map((line) => line.text).filter((text) => text !== "")).toEqual(["On Fri, Nov 20, 2026, Dev wrote:", "Some text."]);
  });

  it("reads the reviewer's own diff too", () => {
    const document = readPatches(`${header}${quote(diffText, 1)}\n\nBetter:\n\n${diffText.replace("10,8", "20,8")}\n`);
    expect(document.patches.map((patch) => patch.form)).toEqual(["mail", "quoted"]);
    expect(codes(document)).toEqual([]);
  });
});

describe("a review without any diff header", () => {
  const code = [
    "+static int toy_move(struct mm_struct *mm)", "+{", "+\tpte_t *pte = NULL;", "+", "+\tpte = toy_offset(mm, 0);",
  ].join("\n");
  const rest = "+\tpte_unmap(pte);\n+\treturn 0;\n+}";

  it.each([1, 2, 3])("at depth %i", (depth) => {
    const remark = depth === 1 ? "That can be NULL." : quote("That can be NULL.", depth - 1);
    const document = readPatches(`${header}${quote(code, depth)}\n${depth === 1 ? "" : ">"}\n${remark}\n\n${quote(rest, depth)}\n`);
    expect(document.patches).toMatchObject([{ form: "quoted", files: [{ oldPath: null, newPath: null, change: "unknown" }] }]);
    expect(hunksOf(document)).toMatchObject([{ header: null, afterGap: false, lostContext: 0 }]);
    expect(linesOf(document)).toHaveLength(8);
    expect(linesOf(document).every((line) => line.kind === "added" && line.newLine === null && line.oldLine === null)).toBe(true);
    expect(document.patches[0]?.remarks).toMatchObject([{ text: "That can be NULL.", anchor: linesOf(document)[4]?.line }]);
    expect(document.problems).toEqual([]);
    expectExactPositions(document);
  });

  it("in archive text", () => {
    const text = stripWhiteSpace(`${header}${quote(`${code}\n${rest}`, 2)}\n> Hm.\n\nYes.\n`);
    const document = readPatches(text);
    expect(document.patches).toMatchObject([{ form: "quoted", whitespaceLost: true }]);
    expect(linesOf(document).map((line) => line.text)).toEqual(
      ["static int toy_move(struct mm_struct *mm)", "{", " pte_t *pte = NULL;", "", " pte = toy_offset(mm, 0);", " pte_unmap(pte);", " return 0;", "}"]);
    expectExactPositions(document);
  });

  it("with context around the change, and prose above", () => {
    const document = readPatches(`${header}> Text of the message.\n>\n>  \tspin_lock(ptl);\n> +\tfoo(a);\n> -\tbar(b);\n>  \tspin_unlock(ptl);\n\nNo.\n`);
    expect(linesOf(document).map((line) => `${line.kind} ${line.line}`)).toEqual(["context 7", "added 8", "deleted 9", "context 10"]);
  });

  it("takes the deepest level, and keeps a counter-proposal as a remark", () => {
    const document = readPatches(`${header}${quote(code, 2)}\n${quote("I would do\n+\tfoo(a);\n+\tbar(b);", 1)}\n\nOk.\n`);
    expect(linesOf(document)).toHaveLength(5);
    expect(document.patches[0]?.remarks.map((remark) => remark.text)).toEqual(["I would do\n+\tfoo(a);\n+\tbar(b);", "Ok."]);
  });
});
