// SPDX-License-Identifier: GPL-2.0-only
import { describe, expect, it } from "vitest";
import { readPatches } from "../../server/patch/read.ts";
import { quoteBlocks } from "../../server/patch/quote-block.ts";
import { brief, codes, expectExactPositions, linesOf } from "./check.ts";
import { diffText, stripWhiteSpace } from "./sample.ts";

const header = "Subject: Re: [PATCH] mm/toy\nFrom: Reviewer <rev@example.org>\n\n";
const expected = linesOf(readPatches(diffText)).map(brief);
const diffLines = diffText.split("\n");

/** The diff with a mark before each line, and a remark above the last five lines. */
const marked = (mark: (line: string) => string, remark: string): string =>
  [...diffLines.slice(0, -5).map(mark), ...remark.split("\n"), ...diffLines.slice(-5).map(mark)].join("\n");

const styles: readonly (readonly [string, (line: string) => string, string])[] = [
  [">", (line) => `> ${line}`, "Why?"],
  ["> without blanks", (line) => `>${line}`, "Why?"],
  [">>>", (line) => `>>>${line}`, ">Why?"],
  ["> >", (line) => `> > ${line}`, "> Why?"],
  [">> >", (line) => `>> > ${line}`, ">> Why?"],
  ["initials", (line) => `AB> ${line}`, "Why?"],
  ["initials in a quote", (line) => `> AB> ${line}`, "> Why?"],
  ["a bar", (line) => `| ${line}`, "Why?"],
  ["a bar without blanks", (line) => `|${line}`, "Why?"],
  ["a bar in a quote", (line) => `> | ${line}`, "> Why?"],
  ["a quote behind a bar", (line) => `| > ${line}`, "| Why?"],
  ["a colon", (line) => `: ${line}`, "Why?"],
  ["trailing blanks trimmed", (line) => `> ${line}`.trimEnd(), "Why?"],
];

describe("a quote marked by", () => {
  it.each(styles)("%s", (_, mark, remark) => {
    const document = readPatches(`${header}${marked(mark, `\n${remark}\n`)}\n\nBye.\n`);
    expect(document.patches).toMatchObject([{ form: "quoted", files: [{ newPath: "mm/toy.c" }] }]);
    expect(linesOf(document).map(brief)).toEqual(expected);
    expect(codes(document)).toEqual([]);
    const anchor = linesOf(document).at(-6)?.line;
    expect(document.patches[0]?.remarks.map((each) => [each.text, each.anchor])).toEqual([["Why?", anchor], ["Bye.", linesOf(document).at(-1)?.line]]);
    expectExactPositions(document);
    expect(quoteBlocks(document)[0]).toMatchObject({ startLine: 4 });
  });

  it.each(styles.filter(([name]) => name !== "trailing blanks trimmed"))("%s, in archive text", (_, mark, remark) => {
    const archive = `Re: [PATCH] mm/toy\nFrom: Rev\nDate: Fri Sep 15 2023 - 19:40:28 EST\n`;
    const document = readPatches(stripWhiteSpace(`${archive}${marked(mark, remark)}\nBye.\n`));
    expect(document.patches).toMatchObject([{ form: "quoted", whitespaceLost: true }]);
    const changes = (lines: readonly string[]): readonly string[] => lines.filter((line) => /^[+-]/.test(line)).map((line) => line.replace(/ @.*/, "").replace(/\s+/g, " ").replace(/^([+-]) /, "$1"));
    expect(changes(linesOf(document).map(brief))).toEqual(changes(expected));
    expectExactPositions(document);
  });
});

describe("a reply", () => {
  it("has its attribution lines apart, wrapped ones too", () => {
    const attribution = "> On Fri, Nov 20, 2026 at 03:53:35AM +0000, Example Developer\n> <dev@example.org> wrote:\n";
    const document = readPatches(`${header}On Fri, Nov 20, 2026 at 04:53:35AM +0000, Reviewer\n<rev@example.org> wrote:\n${attribution}${diffLines.map((line) => `> > ${line}`).join("\n")}\n>\n> Why?\n\nBecause.\n`);
    expect(document.patches[0]?.remarks.map((remark) => remark.text)).toEqual(["Why?", "Because."]);
    expect(linesOf(document).map(brief)).toEqual(expected);
  });

  it.each([
    ["a tree", "The layout:\n\n|-- mm\n|   +-- toy.c\n|   +-- toys.c\n+-- fs\n"],
    ["a table", "| a | b |\n|---|---|\n| 1; | -2 |\n"],
    ["a list in bars", "| - a point\n| - another, see there\n"],
    ["an assembler label", ": + x\n"],
  ])("without code has no patch: %s", (_, text) => {
    expect(readPatches(`${header}${text}\nBye.\n`).patches).toEqual([]);
  });
});
