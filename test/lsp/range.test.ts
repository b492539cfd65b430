// SPDX-License-Identifier: GPL-2.0-only
import { expect, test } from "vitest";
import { TextDocument } from "vscode-languageserver-textdocument";
import { findingRange, lineRange } from "../../server/lsp/range.ts";

const DOCUMENT = TextDocument.create("file:///a", "diff", 1, "+\tint 𝒳 = f();\r\n\r\nlast");

const range = (patchLine: number, column: number, endColumn: number): string => {
  const { start, end } = findingRange(DOCUMENT, { patchLine, column, endColumn, file: null, newLine: null, oldLine: null });
  return `${start.line}:${start.character}-${end.line}:${end.character}`;
};

test.each([
  [1, 3, 6, "0:2-0:5"],
  [1, 7, 9, "0:6-0:8"],
  [1, 3, 99, "0:2-0:15"],
  [1, 0, 0, "0:0-0:15"],
  [1, 5, 5, "0:0-0:15"],
  [1, 50, 60, "0:0-0:15"],
  [2, 1, 5, "1:0-1:0"],
  [3, 2, 4, "2:1-2:3"],
  [0, 1, 2, "0:0-0:15"],
  [99, 1, 3, "2:0-2:4"],
])("line %i, columns %i-%i: %s", (line, column, endColumn, expected) => expect(range(line, column, endColumn)).toBe(expected));

test("the words of a line", () => {
  const document = TextDocument.create("file:///a", "diff", 1, "  a b \n\t\n");
  expect(lineRange(document, 1)).toEqual({ start: { line: 0, character: 2 }, end: { line: 0, character: 5 } });
  expect(lineRange(document, 2)).toEqual({ start: { line: 1, character: 1 }, end: { line: 1, character: 1 } });
});
