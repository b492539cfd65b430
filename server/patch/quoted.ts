// SPDX-License-Identifier: GPL-2.0-only
import { append } from "../text/append.ts";
import { isAttribution, isGapMark, isTightlyQuoted, quoteMarks, quotePrefix } from "../mail/quote.ts";
import type { TextLine } from "../text/lines.ts";
import { lastLineOf, withoutFirst } from "../text/lines.ts";
import { blockEnd, hasMarker, isCodeBlock } from "./fragment.ts";
import type { Remark } from "./model.ts";
import type { Row } from "./row.ts";
import { parseRange } from "./row.ts";

/** A line of a review without its quote marks. */
interface QuotedLine extends TextLine {
  readonly depth: number;
}

/** Consecutive lines of one depth that stand between the quoted lines of the patch. */
interface Run {
  readonly depth: number;
  readonly lines: readonly QuotedLine[];
}

/** The quoted patch of a review, taken apart. */
export interface QuotedPatch {
  /** The lines of the patch's own mail: commit message and diff. */
  readonly rows: readonly Row[];
  /** Everything else, in order. */
  readonly runs: readonly Run[];
}

const withoutMarks = (line: TextLine, marks: string, isTight: boolean): QuotedLine => {
  const { depth, length } = quotePrefix(line.text, marks);
  const hasBlank = isTight && line.text[length - 1] === " ";
  return { ...withoutFirst(line, hasBlank ? length - 1 : length), depth };
};

/** True where nothing stands between two lines. Two decoded lines can share a line of the document. */
const isNext = (upper: QuotedLine | undefined, lower: QuotedLine | undefined): boolean =>
  upper !== undefined && lower !== undefined && lower.line - lastLineOf(upper) <= 1;

const runsOf = (lines: readonly QuotedLine[]): Run[] => {
  const runs: Run[] = [];
  for (let from = 0; from < lines.length; ) {
    const depth = lines[from]?.depth ?? 0;
    let to = from + 1;
    while (to < lines.length && lines[to]?.depth === depth && isNext(lines[to - 1], lines[to])) to += 1;
    runs.push({ depth, lines: lines.slice(from, to) });
    from = to;
  }
  return runs;
};

const asRows = (run: Run, afterBreak: boolean, isAfterGap: boolean): Row[] => {
  const rows: Row[] = [];
  let afterGap = isAfterGap;
  for (const line of run.lines) {
    if (isGapMark(line.text)) afterGap = true;
    else {
      rows.push({ line: line.line, start: line.start, text: line.text, map: line.map, afterBreak: afterBreak && rows.length === 0, afterGap });
      afterGap = false;
    }
  }
  return rows;
};

const hasHeader = (rows: readonly Row[]): boolean =>
  rows.some((row) => parseRange(row.text) !== null || row.text.startsWith("diff --git "));

/** True where some block of the run is code of a patch, by a header or by its looks. */
const isDiffRun = (run: Run): boolean => {
  if (!run.lines.some((line) => hasMarker(line.text) || line.text.startsWith("@@ ") || line.text.startsWith("diff "))) return false;
  const rows = asRows(run, false, false);
  if (hasHeader(rows)) return true;
  for (let at = 0; at < rows.length; at = blockEnd(rows, at)) if (isCodeBlock(rows, at, blockEnd(rows, at))) return true;
  return false;
};

/** The last row of a run is often an empty quote line that sets the remark off; it is no context line. */
const withoutEmptyEnd = (rows: Row[]): Row[] => {
  while (rows.at(-1)?.text === "") rows.pop();
  return rows;
};

/** Finds the quoted patch in the lines of a reply: the deepest level that has lines of a diff. Null where there is none. */
export const findQuotedPatch = (lines: readonly TextLine[], isStripped: boolean): QuotedPatch | null => {
  const texts = lines.map((line) => line.text);
  const marks = quoteMarks(texts);
  const isTight = !isStripped && isTightlyQuoted(texts, marks);
  const runs = runsOf(lines.map((line) => withoutMarks(line, marks, isTight)));
  let depth = 0;
  for (const run of runs) if (run.depth > depth && isDiffRun(run)) depth = run.depth;
  if (depth === 0) return null;
  const rows: Row[] = [];
  const others: Run[] = [];
  let isGap = false;
  for (const run of runs) {
    if (run.depth === depth) {
      append(rows, withoutEmptyEnd(asRows(run, rows.length > 0, isGap)));
      isGap = isGapMark(run.lines.at(-1)?.text ?? "");
    } else {
      others.push(run);
      isGap ||= run.lines.some((line) => isGapMark(line.text));
    }
  }
  return { rows, runs: others };
};

/** Greatest element not above `value`, or null. */
const lastBelow = (ascending: readonly number[], value: number): number | null => {
  let low = 0;
  let high = ascending.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((ascending[middle] ?? 0) < value) low = middle + 1;
    else high = middle;
  }
  return ascending[low - 1] ?? null;
};

const remarkFrom = (lines: readonly QuotedLine[], diffLines: readonly number[]): Remark | null => {
  const isFilled = (line: QuotedLine): boolean => line.text.trim() !== "";
  const first = lines.findIndex(isFilled);
  if (first < 0) return null;
  const last = lines.findLastIndex(isFilled);
  const body = lines.slice(first, last + 1);
  const line = body[0]?.line ?? 1;
  return {
    line, endLine: body.at(-1)?.line ?? line, text: body.map((each) => each.text).join("\n"), anchor: lastBelow(diffLines, line),
  };
};

/**
 * Sorts the lines around a quoted patch into remarks (each anchored to the diff line above it) and prose: attributions, the
 * signature, and what stands above the first quoted line. `firstLine`: the first line of the quoted mail; `diffLines`:
 * the document lines of the hunks' lines, ascending.
 */
export const sortRuns = (
  runs: readonly Run[], firstLine: number, diffLines: readonly number[],
): { readonly remarks: readonly Remark[]; readonly prose: readonly TextLine[] } => {
  const remarks: Remark[] = [];
  const prose: TextLine[] = [];
  for (const run of runs) {
    const signature = run.lines.findIndex((each) => each.text === "-- " || each.text === "--");
    const end = signature < 0 ? run.lines.length : signature;
    const isAbove = (run.lines[0]?.line ?? 0) < firstLine;
    const body = run.lines.slice(0, end).filter((each) => !isAttribution(each.text) && !isGapMark(each.text));
    const remark = isAbove ? null : remarkFrom(body, diffLines);
    if (remark === null) append(prose, run.lines);
    else {
      remarks.push(remark);
      append(prose, run.lines.slice(0, end).filter((each) => isAttribution(each.text)));
      append(prose, run.lines.slice(end));
    }
  }
  return { remarks, prose };
};
