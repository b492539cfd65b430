// SPDX-License-Identifier: GPL-2.0-only
import { describe, expect, it } from "vitest";
import { isAttribution, isGapMark, quoteMarks, quotePrefix } from "../../server/mail/quote.ts";

describe("quotePrefix", () => {
  it.each([
    ["text", 0, "text"],
    ["> text", 1, "text"],
    [">text", 1, "text"],
    ["> > +\tx", 2, "+\tx"],
    [">> +x", 2, "+x"],
    [">>>x", 3, "x"],
    [">  \tx", 1, " \tx"],
    ["> >", 2, ""],
    ["AB> text", 1, "text"],
    ["AB text", 0, "AB text"],
    [">From the start", 0, ">From the start"],
    ["", 0, ""],
  ])("%j", (line, depth, rest) => {
    const prefix = quotePrefix(line);
    expect([prefix.depth, line.slice(prefix.length)]).toEqual([depth, rest]);
  });
});

describe("quotePrefix with initials inside, and with other marks", () => {
  it.each([
    ["> AB> text", ">", 2, "text"],
    ["AB> CD>text", ">", 2, "text"],
    ["> PMD_A", ">", 1, "PMD_A"],
    ["> +A>b", ">", 1, "+A>b"],
    ["| +x", ">|", 1, "+x"],
    ["|+x", ">|", 1, "+x"],
    ["> | +x", ">|", 2, "+x"],
    ["| +x", ">", 0, "| +x"],
    [": +x", ">:", 1, "+x"],
    [":", ">:", 1, ""],
    ["::x", ">:", 0, "::x"],
    [": > +x", ">:", 2, "+x"],
  ])("%j (%j)", (line, marks, depth, rest) => {
    const prefix = quotePrefix(line, marks);
    expect([prefix.depth, line.slice(prefix.length)]).toEqual([depth, rest]);
  });
});

describe("quoteMarks", () => {
  it.each<readonly [string, readonly string[], string]>([
    ["bars", ["| @@ -1 +1 @@", "| -a", "| +b"], ">|"],
    ["bars without blanks", ["|+a", "|+b"], ">|"],
    ["colons", [": -a", ": +b"], ">:"],
    ["bars in a quote", ["> | -a", "> | +b"], ">|"],
    ["a tree", ["|-- a", "| +-- b", "|   `-- c", "+-+"], ">"],
    ["operators", ["> | FLAG_A", "> | FLAG_B", "> : a - b"], ">"],
    ["a table", ["| a | b |", "|---|---|", "| 1 | 2 |"], ">"],
    ["one line", ["| +a"], ">"],
  ])("%s", (_, lines, marks) => {
    expect(quoteMarks(lines)).toBe(marks);
  });
});

describe("isGapMark", () => {
  it.each(["[...]", "...", "[snip]", "<snip>", "[ ... ]", "[\u2026]", "--8<--", "[snip unrelated code]", "(...)"])("%j is one", (line) => {
    expect(isGapMark(line)).toBe(true);
  });
  it.each(["", "text ...", "-", "--", "}", "+...", "[1]", "snippet", "int a[...];"])("%j is none", (line) => {
    expect(isGapMark(line)).toBe(false);
  });
});

describe("isAttribution", () => {
  it.each(["On Fri, Sep 15, 2026, Dev wrote:", "Example Developer <dev@example.org> writes:", "On Fri, Sep 15, 2026 at 4:34 PM Dev <dev@example.org>",
    "<dev@example.org> wrote:", "wrote:", "Am 20.11.26 um 03:53 schrieb Dev:", "Le ven. 20 nov. 2026, Dev <dev@example.org> a \u00e9crit :",
    "2026-11-20 3:53 GMT+01:00 Dev <dev@example.org>:", "* Dev <dev@example.org> [2026-11-20 03:53]:"])(
    "%j is one", (line) => {
      expect(isAttribution(line)).toBe(true);
    });
  it.each(["On x86 this is fine.", "* a point:", "I wrote: no", "wrote"])("%j is none", (line) => {
    expect(isAttribution(line)).toBe(false);
  });
});
