// SPDX-License-Identifier: GPL-2.0-only
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { lineIndex } from "../../server/text/line-index.ts";
import { splitLines } from "../../server/text/lines.ts";

const text = fc.array(fc.constantFrom("a", "bc", "\n", "\r\n", "\r", "\u{1F600}", "\t")).map((parts) => parts.join(""));

describe("lineIndex", () => {
  it.each([
    ["", 0, { line: 1, column: 0 }],
    ["ab", 2, { line: 1, column: 2 }],
    ["ab\n", 3, { line: 2, column: 0 }],
    ["ab\ncd", 4, { line: 2, column: 1 }],
    ["ab\r\ncd", 4, { line: 2, column: 0 }],
    ["a\rb", 2, { line: 1, column: 2 }],
    ["ab", 99, { line: 1, column: 2 }],
    ["ab", -1, { line: 1, column: 0 }],
  ])("%j at %i", (input, offset, expected) => {
    expect(lineIndex(input).positionOf(offset)).toEqual(expected);
  });

  it("leaves the terminator out of a line", () => {
    const index = lineIndex("ab\r\ncd\n");
    expect([index.spanOf(1), index.spanOf(2), index.spanOf(3)]).toEqual([
      { start: 0, end: 2 }, { start: 4, end: 6 }, { start: 7, end: 7 },
    ]);
    expect(index.lineCount).toBe(3);
    expect([index.offsetOf(1, 9), index.offsetOf(9, 0), index.offsetOf(2, 1)]).toEqual([2, 7, 5]);
  });

  it("returns from a position to the same offset", () => {
    fc.assert(fc.property(text, fc.nat(40), (input, at) => {
      const index = lineIndex(input);
      const offset = Math.min(at, input.length);
      const { line, column } = index.positionOf(offset);
      const { start, end } = index.spanOf(line);
      expect(start + column).toBe(offset);
      expect(index.offsetOf(line, column)).toBe(Math.min(offset, end));
    }));
  });
});

describe("splitLines", () => {
  it("agrees with the index", () => {
    fc.assert(fc.property(text, (input) => {
      const index = lineIndex(input);
      for (const line of splitLines(input)) {
        const { start, end } = index.spanOf(line.line);
        const expectedEnd = end > start && end === input.length && input.endsWith("\r") ? end - 1 : end;
        expect([line.start, line.text]).toEqual([start, input.slice(start, expectedEnd)]);
      }
    }));
  });

  it("counts from the line it is told, and does not show a byte order mark", () => {
    expect(splitLines("\uFEFFa\nb", 7)).toEqual([{ line: 7, start: 1, text: "a", map: null }, { line: 8, start: 3, text: "b", map: null }]);
  });
});
