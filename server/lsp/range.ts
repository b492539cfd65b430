// SPDX-License-Identifier: GPL-2.0-only
import type { Range } from "vscode-languageserver/node";
import type { TextDocument } from "vscode-languageserver-textdocument";
import type { Location } from "../review/finding.ts";

/** Text of a line (0-based) without its end; "" for lines that do not exist. */
const lineText = (document: TextDocument, line: number): string =>
  document.getText({ start: { line, character: 0 }, end: { line: line + 1, character: 0 } }).replace(/[\r\n]+$/, "");

/** The words of a 1-based document line, without the white space around them. */
export function lineRange(document: TextDocument, patchLine: number): Range {
  const line = Math.min(Math.max(patchLine - 1, 0), document.lineCount - 1);
  const text = lineText(document, line);
  const start = text.length - text.trimStart().length;
  const end = Math.max(start, text.trimEnd().length);
  return { start: { line, character: start }, end: { line, character: end } };
}

/** The range of a finding. A place that the document does not have becomes the nearest line. */
export function findingRange(document: TextDocument, location: Location): Range {
  const whole = lineRange(document, location.patchLine);
  const { line } = whole.start;
  const start = location.column - 1;
  const end = Math.min(location.endColumn - 1, lineText(document, line).length);
  if (line !== location.patchLine - 1 || start < 0 || end <= start) return whole;
  return { start: { line, character: start }, end: { line, character: end } };
}
