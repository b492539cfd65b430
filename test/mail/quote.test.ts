// SPDX-License-Identifier: GPL-2.0-only
import { describe, expect, it } from "vitest";
import { isAttribution, isGapMark, quotePrefix } from "../../server/mail/quote.ts";

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

describe("isGapMark", () => {
  it.each(["[...]", "...", "[snip]", "<snip>", "[ ... ]", "[\u2026]", "--8<--", "[snip unrelated code]", "(...)"])("%j is one", (line) => {
    expect(isGapMark(line)).toBe(true);
  });
  it.each(["", "text ...", "-", "--", "}", "+...", "[1]", "snippet", "int a[...];"])("%j is none", (line) => {
    expect(isGapMark(line)).toBe(false);
  });
});

describe("isAttribution", () => {
  it.each(["On Fri, Sep 15, 2026, Dev wrote:", "Example Developer <dev@example.org> writes:", "On Fri, Sep 15, 2026 at 4:34 PM Dev <dev@example.org>"])(
    "%j is one", (line) => {
      expect(isAttribution(line)).toBe(true);
    });
  it.each(["On x86 this is fine.", "I wrote: no", "wrote"])("%j is none", (line) => {
    expect(isAttribution(line)).toBe(false);
  });
});
