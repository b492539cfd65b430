// SPDX-License-Identifier: GPL-2.0-only
import type { HunkRow, Range, Row } from "./row.ts";
import { isFilePair, isFileStart, isSignature } from "./row.ts";
import { findTails, isLikelyTail } from "./wrapped.ts";

/** Why the reading of a hunk stopped. */
export type HunkEnd = "full" | "header" | "signature" | "gap" | "text" | "end";

/** The lines of one hunk and where it ended. */
export interface HunkBody {
  readonly rows: readonly HunkRow[];
  /** Index of the first row that is not of the hunk. */
  readonly next: number;
  readonly end: HunkEnd;
  readonly oldSeen: number;
  readonly newSeen: number;
  readonly lostContext: number;
  /** Document lines whose `+` or `-` was taken for code, because only so the counts hold. */
  readonly guessed: readonly number[];
  /** Document lines of remarks that someone wrote into the hunk without quoting it. */
  readonly remarks: readonly number[];
  /** The rest of the hunk header, where a mailer wrapped that; else "". */
  readonly sectionTail: string;
}

interface Reading {
  readonly rows: readonly Row[];
  readonly range: Range;
  readonly taken: HunkRow[];
  readonly tails: ReadonlySet<number>;
  readonly remarks: number[];
  readonly sectionTails: string[];
  at: number;
  oldLeft: number;
  newLeft: number;
}

const isFull = (reading: Reading): boolean => reading.oldLeft <= 0 && reading.newLeft <= 0;

const take = (reading: Reading, row: Row, kind: HunkRow["kind"], marker: 0 | 1, isTail = false): void => {
  reading.taken.push({ row, kind, marker, isTail, isUncertain: false });
  reading.at += 1;
  if (isTail) return;
  if (kind !== "added") reading.oldLeft -= 1;
  if (kind !== "deleted") reading.newLeft -= 1;
};

/** The tail of a wrapped line has the kind of the line before it; above the first line it is the tail of the `@@` line. */
const takeTail = (reading: Reading, row: Row): void => {
  const kind = reading.taken.at(-1)?.kind;
  if (kind === undefined) {
    reading.sectionTails.push(row.text);
    reading.at += 1;
  } else take(reading, row, kind, 0, true);
};

/** `--- x`, `+++ y`, `@@` inside an open hunk is code only if the hunk is complete exactly at that `@@`. */
const opensNextFile = (reading: Reading): boolean =>
  isFilePair(reading.rows, reading.at) && !(reading.oldLeft === 1 && reading.newLeft === 1);

/** `-- ` is the deletion of `- ` unless the hunk cannot go on after it and is not complete with it either. */
const isSignatureHere = (reading: Reading): boolean => {
  const text = reading.rows[reading.at]?.text;
  if (text !== "-- " && text !== "--") return false;
  if (reading.oldLeft === 1 && reading.newLeft === 0) return false;
  const next = reading.rows[reading.at + 1];
  return next === undefined || !/^[-+ \\\t]/.test(next.text);
};

/**
 * True where the hunk becomes complete if the lines without any marker are tails of wrapped lines.
 * One pass to the next header, so a document costs no more than twice its length.
 */
const completesWithTails = (reading: Reading): boolean => {
  let { oldLeft, newLeft } = reading;
  for (let at = reading.at; at < reading.rows.length && (oldLeft > 0 || newLeft > 0); at += 1) {
    const text = reading.rows[at]?.text ?? "";
    const first = text[0] ?? " ";
    if (text.startsWith("@@") || isFileStart(reading.rows, at)) return false;
    if (first === " " || first === "\t" || first === "-") oldLeft -= 1;
    if (first === " " || first === "\t" || first === "+") newLeft -= 1;
  }
  return oldLeft === 0 && newLeft === 0;
};

/** Takes one row of an open hunk, or says why it is none. */
const takeOne = (reading: Reading, row: Row, allowsTail: () => boolean): HunkEnd | null => {
  if (reading.tails.has(reading.at)) {
    takeTail(reading, row);
    return null;
  }
  switch (row.text[0]) {
    case "+":
      take(reading, row, "added", 1);
      return null;
    case "-":
      if (opensNextFile(reading)) return "header";
      if (isSignatureHere(reading)) return "signature";
      take(reading, row, "deleted", 1);
      return null;
    case " ":
      take(reading, row, "context", 1);
      return null;
    case "\t":
      take(reading, row, "context", 0);
      return null;
    case undefined:
      take(reading, row, "context", 0);
      return null;
    case "\\":
      // The text of the note is translated, the blank is not; a line of code that a mailer wrapped can have the mark alone.
      if (row.text !== "\\") {
        reading.at += 1;
        return null;
      }
  }
  return takeUnmarked(reading, row, allowsTail);
};

/** A row that begins as no line of a diff does. */
const takeUnmarked = (reading: Reading, row: Row, allowsTail: () => boolean): HunkEnd | null => {
  if (row.text.startsWith("@@") || isFileStart(reading.rows, reading.at)) return "header";
  if (!allowsTail()) return "text";
  if (reading.taken.at(-1)?.row.text === "") skipRemark(reading);
  else takeTail(reading, row);
  return null;
};

/** A line that no diff has, below an empty one, is the rest of nothing: it and the lines below it, to the next empty one, are a remark. */
const skipRemark = (reading: Reading): void => {
  for (let row = reading.rows[reading.at]; row !== undefined && row.text !== "" && !/^[-+@ \t]/.test(row.text); row = reading.rows[reading.at]) {
    reading.remarks.push(row.line);
    reading.at += 1;
  }
};

/** After a complete hunk: a line that can only be more of it, so that the counts must be wrong. */
const continues = (reading: Reading): boolean => {
  const row = reading.rows[reading.at];
  if (row === undefined || row.afterBreak || row.afterGap) return false;
  // A text that was cut inside its signature ends in `-`.
  if (row.text === "-" && reading.at + 1 === reading.rows.length) return false;
  return /^(?:\+(?!\+\+ )|-(?!-))/.test(row.text);
};

const readByLook = (reading: Reading): HunkEnd => {
  for (;;) {
    const row = reading.rows[reading.at];
    if (row === undefined) return "end";
    if (row.afterBreak || row.afterGap) return "gap";
    if (row.text === "" || row.text.startsWith("--")) return "text";
    const end = takeOne(reading, row, () => false);
    if (end !== null) return end;
  }
};

/** Empty lines at the end of a hunk that came out short separate it from what follows. */
const dropEmptyTail = (reading: Reading): void => {
  while (reading.taken.at(-1)?.row.text === "") {
    reading.taken.pop();
    reading.oldLeft += 1;
    reading.newLeft += 1;
  }
};

/** The rest of the last line of a complete hunk. */
const takeLastTails = (reading: Reading): void => {
  for (let row = reading.rows[reading.at]; row !== undefined && isFull(reading); row = reading.rows[reading.at]) {
    if (!reading.tails.has(reading.at) && !(reading.taken.length > 0 && isLikelyTail(reading.rows, reading.at))) return;
    takeTail(reading, row);
  }
};

const noTails: ReadonlySet<number> = new Set();

const readWith = (rows: readonly Row[], at: number, range: Range, tailsAt: ReadonlySet<number>): HunkBody => {
  const reading: Reading = { rows, range, taken: [], tails: tailsAt, remarks: [], sectionTails: [], at, oldLeft: range.oldCount, newLeft: range.newCount };
  let tails: boolean | null = null;
  const allowsTail = (): boolean => (tails ??= completesWithTails(reading));
  let end: HunkEnd | null = null;
  while (end === null && !isFull(reading)) {
    const row = rows[reading.at];
    if (row === undefined) end = "end";
    else if (row.afterGap && reading.at > at) end = "gap";
    else end = takeOne(reading, row, allowsTail);
  }
  takeLastTails(reading);
  if (end === null) end = continues(reading) ? readByLook(reading) : "full";
  while (rows[reading.at]?.text[0] === "\\" && rows[reading.at]?.afterBreak !== true) reading.at += 1;
  if (reading.oldLeft !== 0 || reading.newLeft !== 0) dropEmptyTail(reading);
  return {
    rows: reading.taken, next: reading.at, end, lostContext: 0, guessed: [], remarks: reading.remarks, sectionTail: reading.sectionTails.join(" "),
    oldSeen: range.oldCount - reading.oldLeft, newSeen: range.newCount - reading.newLeft,
  };
};

/** True where what was read is as long as the header says and nothing below it looks like more of it. */
const isWhole = (body: HunkBody, rows: readonly Row[], range: Range): boolean => {
  if (body.oldSeen !== range.oldCount || body.newSeen !== range.newCount) return false;
  const below = rows[body.next];
  return below === undefined || below.afterBreak === true || below.afterGap === true || isSignature(rows, body.next, false) || isFileStart(rows, body.next) ||
    !/^[-+ \t]/.test(below.text);
};

/** Reads the hunk whose first line is `rows[at]`, where every line has its marker. The counts decide; if they fail, the look. */
export const readMarkedHunk = (rows: readonly Row[], at: number, range: Range): HunkBody => {
  const body = readWith(rows, at, range, noTails);
  if (isWhole(body, rows, range)) return body;
  const tails = findTails(rows, at, range);
  if (tails === null) return body;
  const other = readWith(rows, at, range, tails.at);
  return other.oldSeen === range.oldCount && other.newSeen === range.newCount ? { ...other, guessed: tails.guessed } : body;
};
