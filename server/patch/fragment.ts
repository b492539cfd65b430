// SPDX-License-Identifier: GPL-2.0-only
import { append } from "../text/append.ts";
import { codeTokens, looksLikeCode } from "./code-like.ts";
import type { HunkRow, Row } from "./row.ts";
import { isFileStart } from "./row.ts";

/** The rows of a block of quoted lines that are code of a patch; the others are prose. */
export interface Fragment {
  readonly taken: readonly HunkRow[];
  readonly prose: readonly Row[];
}

/** A line with a diff marker. `--- x`, `-- ` and rulers are none. */
export const hasMarker = (text: string): boolean => /^(?:\+(?!\+\+ )|-(?!-))/.test(text);

/** Index after the last row of the block that starts at `at`: it ends at a break, a gap or a header. */
export const blockEnd = (rows: readonly Row[], at: number): number => {
  let end = at + 1;
  for (; end < rows.length; end += 1) {
    const row = rows[end];
    if (row === undefined || row.afterBreak || row.afterGap || row.text.startsWith("@@") || isFileStart(rows, end)) break;
  }
  return end;
};

/**
 * True where the marked lines of a block are code and not the items of a list: half of them read as code, and the block
 * has at least two signs of C.
 */
export const isCodeBlock = (rows: readonly Row[], from: number, to: number): boolean => {
  let marked = 0;
  let code = 0;
  let tokens = 0;
  for (let at = from; at < to; at += 1) {
    const text = rows[at]?.text ?? "";
    if (!hasMarker(text)) {
      tokens += /^[ \t]/.test(text) ? codeTokens(text.slice(1)) : 0;
      continue;
    }
    const body = text.slice(1);
    if (body.trim() === "") continue;
    marked += 1;
    if (looksLikeCode(body)) code += 1;
    tokens += codeTokens(body);
  }
  return code > 0 && code * 2 >= marked && tokens >= 2;
};

const isUnmarkedCode = (text: string, isStripped: boolean): boolean =>
  isStripped ? looksLikeCode(text) : /^[ \t]/.test(text) && text.trim() !== "";

const asHunkRow = (row: Row, isStripped: boolean): HunkRow => {
  const first = row.text[0];
  const kind = first === "+" ? "added" : first === "-" ? "deleted" : "context";
  const marker = kind !== "context" || (first === " " && !isStripped) ? 1 : 0;
  return { row, kind, marker, isTail: false, isUncertain: false };
};

/** First and last index (inclusive) of the rows that have a marker, widened over context; null where there is none. */
const extent = (rows: readonly Row[], from: number, to: number, isStripped: boolean): { first: number; last: number } | null => {
  let first = from;
  while (first < to && !hasMarker(rows[first]?.text ?? "")) first += 1;
  if (first === to) return null;
  let last = to - 1;
  while (!hasMarker(rows[last]?.text ?? "")) last -= 1;
  while (first > from && isUnmarkedCode(rows[first - 1]?.text ?? "", isStripped)) first -= 1;
  while (last + 1 < to && isUnmarkedCode(rows[last + 1]?.text ?? "", isStripped)) last += 1;
  return { first, last };
};

/** The whole block as context, where each line reads so: a quote that resumes on unchanged lines. */
const contextOnly = (rows: readonly Row[], from: number, to: number, isStripped: boolean): Fragment | null => {
  const block = rows.slice(from, to);
  const filled = block.filter((row) => row.text.trim() !== "");
  if (filled.length === 0 || !filled.every((row) => isUnmarkedCode(row.text, isStripped))) return null;
  return { taken: filled.map((row) => asHunkRow(row, isStripped)), prose: [] };
};

/**
 * Reads a block of quoted lines without a `@@` header as code of a patch, or returns null for prose. `isOpen`: code of the
 * patch stands above, so that a block needs less to be believed.
 */
export const readFragment = (rows: readonly Row[], from: number, to: number, isStripped: boolean, isOpen: boolean): Fragment | null => {
  const range = extent(rows, from, to, isStripped);
  if (range === null) return isOpen ? contextOnly(rows, from, to, isStripped) : null;
  if (!isCodeBlock(rows, from, to) && !(isOpen && !isList(rows, range.first, range.last))) return null;
  const taken: HunkRow[] = [];
  const prose: Row[] = rows.slice(from, range.first);
  for (let at = range.first; at <= range.last; at += 1) {
    const row = rows[at];
    if (row === undefined) continue;
    const isCode = hasMarker(row.text) || isStripped || row.text === "" || /^[ \t]/.test(row.text);
    if (isCode) taken.push(asHunkRow(row, isStripped));
    else prose.push(row);
  }
  append(prose, rows.slice(range.last + 1, to));
  return { taken, prose };
};

/** `- a point` in the middle of sentences: no marked line reads as code, and some do not begin like an empty or comment line. */
const isList = (rows: readonly Row[], first: number, last: number): boolean => {
  for (let at = first; at <= last; at += 1) {
    const text = rows[at]?.text ?? "";
    if (hasMarker(text) && (text.trim().length === 1 || /^[+-]\t/.test(text) || looksLikeCode(text.slice(1)))) return false;
  }
  return true;
};
