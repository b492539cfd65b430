// SPDX-License-Identifier: GPL-2.0-only
import type { Problem } from "../text/problem.ts";
import { lineOf } from "./hunk.ts";
import type { Hunk, LineKind, PatchLine } from "./model.ts";
import type { Range, Row } from "./row.ts";
import { isFileStart } from "./row.ts";

/** The `@@@` line of a merge: one old range for each parent. */
interface CombinedRange {
  readonly parents: readonly { readonly start: number; readonly count: number }[];
  readonly start: number;
  readonly count: number;
  readonly section: string;
}

/** A hunk of a combined diff, the row after it, and what is wrong with its counts. */
export interface CombinedHunk {
  readonly hunk: Hunk;
  readonly next: number;
  readonly problem: Problem | null;
}

const header = /^(@{3,33}) ((?:-\d{1,9}(?:,\d{1,9})? ){2,32})\+(\d{1,9})(?:,(\d{1,9}))? (@{3,33}) ?(.*)$/;

const parseCombinedRange = (text: string): CombinedRange | null => {
  const match = header.exec(text);
  if (match === null) return null;
  const [, open, old = "", start, count, close, section] = match;
  const parents = Array.from(old.matchAll(/-(\d+)(?:,(\d+))?/g), ([, from, many]) => ({ start: Number(from), count: Number(many ?? 1) }));
  if (open !== close || parents.length !== (open?.length ?? 0) - 1) return null;
  return { parents, start: Number(start), count: Number(count ?? 1), section: (section ?? "").trim() };
};

/** True for the `@@@` line of a combined hunk. */
export const isCombinedHeader = (text: string): boolean => text.startsWith("@@@ ") || (text.startsWith("@@@@") && header.test(text));

/** The columns of a line, one for each parent; null for a line that has none. An empty context line may be trimmed. */
const columnsOf = (text: string, parents: number): string | null => {
  const columns = text.slice(0, parents);
  if (columns.trim() === "" && text.length < parents) return " ".repeat(parents);
  return columns.length === parents && /^[-+ ]+$/.test(columns) ? columns : null;
};

const kindOf = (columns: string): LineKind => (columns.includes("-") ? "deleted" : columns.includes("+") ? "added" : "context");

/** True where the line is in the file of that parent. */
const isInParent = (columns: string, parent: number): boolean =>
  columns.includes("-") ? columns[parent] === "-" : columns[parent] === " ";

/** What is still to come of the parents' sides and of the new side. */
interface Left {
  readonly parents: number[];
  added: number;
}

const isDone = (left: Left): boolean => left.added <= 0 && left.parents.every((count) => count <= 0);

const countProblem = (left: Left, line: number, isEnd: boolean): Problem | null => {
  if (left.added === 0 && left.parents.every((count) => count === 0)) return null;
  const message = "the lines of a merge do not match the numbers of its hunk header";
  return isEnd ? { code: "hunk-truncated", message: `the text ends inside a hunk: ${message}`, line } : { code: "hunk-count-mismatch", message, line };
};

/** The old side of a merge is that of its first parent, as far as numbers go. */
const rangeOf = ({ parents, start, count }: CombinedRange): Range =>
  ({ oldStart: parents[0]?.start ?? 0, oldCount: parents[0]?.count ?? 0, newStart: start, newCount: count });

/** Reads the hunk of a merge whose header is `rows[at]`; null where that is no such header. */
export const readCombinedHunk = (rows: readonly Row[], at: number): CombinedHunk | null => {
  const headerRow = rows[at];
  const range = parseCombinedRange(headerRow?.text ?? "");
  if (headerRow === undefined || range === null) return null;
  const width = range.parents.length;
  const left: Left = { parents: range.parents.map((parent) => parent.count), added: range.count };
  const lines: PatchLine[] = [];
  let [newLine, oldLine, next] = [range.start, range.parents[0]?.start ?? 0, at + 1];
  for (; next < rows.length && !isDone(left); next += 1) {
    const row = rows[next]!;
    if (row.text.startsWith("\\")) continue;
    if (row.text.startsWith("@@") || isFileStart(rows, next)) break;
    const columns = columnsOf(row.text, width);
    if (columns === null) break;
    const kind = kindOf(columns);
    const isOld = isInParent(columns, 0);
    const each = { row, kind, marker: Math.min(width, row.text.length), isTail: false, isUncertain: false };
    lines.push({ ...lineOf(each, newLine, oldLine, "exact"), oldLine: isOld ? oldLine : null });
    for (let parent = 0; parent < width; parent += 1) if (isInParent(columns, parent)) left.parents[parent]! -= 1;
    if (isOld) oldLine += 1;
    if (kind === "deleted") continue;
    left.added -= 1;
    newLine += 1;
  }
  while (rows[next]?.text.startsWith("\\")) next += 1;
  const problem = countProblem(left, headerRow.line, next >= rows.length && !isDone(left));
  const hunk: Hunk = { header: rangeOf(range), section: range.section, line: headerRow.line, lines, lostContext: 0, afterGap: headerRow.afterGap === true, ofMerge: true };
  return { hunk, next, problem };
};
