// SPDX-License-Identifier: GPL-2.0-only
import { hasNoRunsOfBlanks } from "../mail/damage.ts";
import { quoteMarks, quotePrefix } from "../mail/quote.ts";
import type { TextLine } from "../text/lines.ts";
import { parseRange } from "./row.ts";

/** Context lines that a hunk header demands beyond the lines that can be context with their marker gone or trimmed. */
const hasUnmarkedContext = (lines: readonly string[], at: number): boolean => {
  const header = parseRange(lines[at] ?? "");
  if (header === null) return false;
  let deleted = 0;
  let empty = 0;
  for (let next = at + 1; next < lines.length; next += 1) {
    const text = lines[next] ?? "";
    if (text.startsWith("@@") || text.startsWith("diff -") || text === "--") break;
    if (text.startsWith("-")) deleted += 1;
    if (text === "") empty += 1;
  }
  return header.range.oldCount - deleted > empty;
};

/**
 * True for archive text: the body has no run of white space anywhere, and a sign that it had some, namely a hunk whose
 * context lines have no marker, or an indentation that shrank to one blank (a comment's ` * ` is none).
 */
export const isStripped = (lines: readonly TextLine[]): boolean => {
  if (!lines.every((line) => hasNoRunsOfBlanks(line.text))) return false;
  const marks = quoteMarks(lines.map((each) => each.text));
  const texts = lines.map((each) => each.text.slice(quotePrefix(each.text, marks).length));
  return texts.some((text, at) => /^[+-] [^ *]/.test(text) || hasUnmarkedContext(texts, at));
};
