// SPDX-License-Identifier: GPL-2.0-only
import type { TextLine } from "../text/lines.ts";
import type { LineKind } from "./model.ts";

/**
 * A line that may belong to a diff: quote marks are taken off, so `start` is the place of `text[0]`. A line of a text
 * without quotes is one as it is, so that a large patch need not be copied.
 */
export interface Row extends TextLine {
  /** True where lines of another quote depth (a remark) stand between this row and the one before. */
  readonly afterBreak?: boolean;
  /** True where the writer says that quoted lines were left out before this row. */
  readonly afterGap?: boolean;
}

/** A row that was taken for a line of a hunk. */
export interface HunkRow {
  readonly row: Row;
  readonly kind: LineKind;
  /** Characters before the code: 1, or 0 where the blank of a context line is gone; one for each parent of a merge. */
  readonly marker: number;
  /** The tail of a line that a mailer wrapped: it has the kind and the number of the line before it. */
  readonly isTail: boolean;
  /** It may be prose that follows the diff. */
  readonly isUncertain: boolean;
}

/** The numbers of a `@@` line. */
export interface Range {
  readonly oldStart: number;
  readonly oldCount: number;
  readonly newStart: number;
  readonly newCount: number;
}

const hunkHeader = /^@@ -(\d{1,9})(?:,(\d{1,9}))? \+(\d{1,9})(?:,(\d{1,9}))? @@ ?(.*)$/;

/** Reads `@@ -a,b +c,d @@ section`; null for anything else. An omitted count is 1. */
export const parseRange = (text: string): { range: Range; section: string } | null => {
  if (!text.startsWith("@@ -")) return null;
  const match = hunkHeader.exec(text);
  if (match === null) return null;
  const [, oldStart, oldCount, newStart, newCount, section] = match;
  const range: Range = {
    oldStart: Number(oldStart), oldCount: Number(oldCount ?? 1), newStart: Number(newStart), newCount: Number(newCount ?? 1),
  };
  return { range, section: (section ?? "").trim() };
};

const textAt = (rows: readonly Row[], at: number): string => rows[at]?.text ?? "";

/** True for the `--- x`, `+++ y` pair that opens a file (in a mail, a lone `---` ends the message). */
export const isFilePair = (rows: readonly Row[], at: number): boolean =>
  textAt(rows, at).startsWith("--- ") && textAt(rows, at + 1).startsWith("+++ ") &&
  (at + 2 >= rows.length || /^(?:@@|\s*$)/.test(textAt(rows, at + 2)));

/** True for the `Index: path` and ruler that quilt and others put above a file. */
export const isIndexHead = (rows: readonly Row[], at: number): boolean =>
  /^Index: \S/.test(textAt(rows, at)) && /^={20,}$/.test(textAt(rows, at + 1));

/** True for a line that opens the part of a file: `diff --git`, `diff --cc`, `diff -u`, `Index:`, or the pair. */
export const isFileStart = (rows: readonly Row[], at: number): boolean => {
  const text = textAt(rows, at);
  const first = text.charCodeAt(0);
  if (first === 100) return /^diff -\S/.test(text);
  if (first === 73) return isIndexHead(rows, at);
  return first === 45 && isFilePair(rows, at);
};

/**
 * True for the `-- ` of a mail signature, given that no hunk wants the line: what follows must not look like more of a
 * hunk. `stripped`: the text lost its trailing blanks, so the mark is `--` and context has no marker.
 */
export const isSignature = (rows: readonly Row[], at: number, stripped: boolean): boolean => {
  const text = textAt(rows, at);
  if (text !== "-- " && text !== "--") return false;
  const next = rows[at + 1];
  if (next === undefined || next.text.trim() === "") return true;
  return stripped ? !/^(?:[+-]|@@)/.test(next.text) && !/[;{}]$/.test(next.text) : !/^[-+ \\@]/.test(next.text);
};
