// SPDX-License-Identifier: GPL-2.0-only
import { joinLines, lastLineOf, placesOf, withoutFirst } from "../text/lines.ts";
import type { Problem } from "../text/problem.ts";
import type { HunkBody } from "./marked-hunk.ts";
import type { Hunk, PatchLine } from "./model.ts";
import type { HunkRow, Range, Row } from "./row.ts";

/** How a diff stands in the document. */
export interface DiffForm {
  /** White space was stripped, so context lines have no marker. */
  readonly isStripped: boolean;
  /** The lines come from the quotes of a review, so a reviewer may have cut any of them. */
  readonly isQuoted: boolean;
}

/** A fragment of a quoted patch under construction: it grows while the quote resumes. */
export interface FragmentDraft {
  readonly rows: HunkRow[];
  readonly afterGap: boolean;
}

/** A row of a hunk, together with the tails that a mailer wrapped off it. */
interface WholeRow extends HunkRow {
  readonly tails?: readonly Row[];
}

/** The line that a row of a hunk is. */
export const lineOf = (each: WholeRow, newLine: number | null, oldLine: number | null, certainty: PatchLine["certainty"]): PatchLine => {
  const { row, marker, tails } = each;
  // Most lines stand as they are: nothing is built for them but the result.
  const code = row.map === null && tails === undefined ? null : joinLines(withoutFirst(row, marker), tails ?? []);
  return {
    kind: each.kind,
    text: code === null ? row.text.slice(marker) : code.text,
    line: code === null ? row.line : code.line,
    start: code === null ? row.start + marker : code.start,
    places: code === null ? null : placesOf(code),
    newLine: each.kind === "deleted" ? null : newLine,
    oldLine: each.kind === "added" ? null : oldLine,
    certainty: each.isUncertain ? "uncertain" : certainty,
  };
};

/** Puts rows and their tails together. A tail with something between it and its line stays a line of its own. */
const wholeRows = (rows: readonly HunkRow[]): readonly WholeRow[] => {
  if (!rows.some((each) => each.isTail)) return rows;
  const whole: (HunkRow & { tails?: Row[] })[] = [];
  for (const each of rows) {
    const last = whole.at(-1);
    const above = last?.tails?.at(-1) ?? last?.row;
    if (!each.isTail || last === undefined || above === undefined || each.row.line - lastLineOf(above) > 1) whole.push({ ...each });
    else if (last.tails === undefined) last.tails = [each.row];
    else last.tails.push(each.row);
  }
  return whole;
};

/** Numbers the lines of a hunk; from `unknownFrom` on the numbers are null. */
const numbered = (rows: readonly WholeRow[], range: Range, certainty: PatchLine["certainty"], unknownFrom: number): PatchLine[] => {
  let newLine = range.newStart;
  let oldLine = range.oldStart;
  return rows.map((each, at) => {
    const isKnown = at < unknownFrom;
    if (each.isTail) {
      return lineOf(each, isKnown ? Math.max(newLine - 1, 0) : null, isKnown ? Math.max(oldLine - 1, 0) : null, certainty);
    }
    const line = lineOf(each, isKnown ? newLine : null, isKnown ? oldLine : null, certainty);
    if (each.kind !== "deleted") newLine += 1;
    if (each.kind !== "added") oldLine += 1;
    return line;
  });
};

/** After a remark, a quoted hunk that lacks lines may have lost them right there: its numbers end. */
const firstUnknown = (rows: readonly WholeRow[], isShort: boolean, form: DiffForm): number => {
  if (!form.isQuoted || !isShort) return rows.length;
  const at = rows.findIndex((each, index) => index > 0 && each.row.afterBreak);
  return at < 0 ? rows.length : at;
};

/** Makes a hunk with a `@@` header from its rows. */
export const hunkFrom = (body: HunkBody, range: Range, section: string, line: number, afterGap: boolean, form: DiffForm): Hunk => {
  const isUneven = range.oldCount - body.oldSeen !== range.newCount - body.newSeen;
  const isShort = form.isStripped ? isUneven : isUneven || range.oldCount !== body.oldSeen;
  const certainty = body.lostContext > 0 ? "shifted" : "exact";
  const rows = wholeRows(body.rows);
  return {
    header: range, section: `${section} ${body.sectionTail}`.trim(), line, afterGap,
    lines: numbered(rows, range, certainty, firstUnknown(rows, isShort, form)),
    lostContext: body.lostContext,
  };
};

/** Makes a hunk without header from a quoted fragment; no line has a number. */
export const hunkFromFragment = (draft: FragmentDraft): Hunk => ({
  header: null, section: "", line: draft.rows[0]?.row.line ?? 1, afterGap: draft.afterGap, lostContext: 0,
  lines: wholeRows(draft.rows).map((each) => lineOf(each, null, null, "exact")),
});

/** What a hunk's counts say about damage, or null where they hold. */
export const countProblem = (body: HunkBody, range: Range, line: number, form: DiffForm): Problem | null => {
  const oldMissing = range.oldCount - body.oldSeen;
  const newMissing = range.newCount - body.newSeen;
  if (oldMissing === 0 && newMissing === 0) return null;
  if (form.isStripped && oldMissing === newMissing && oldMissing > 0) return null;
  const numbers =
    `the hunk header says ${range.oldCount} old and ${range.newCount} new lines, but ${body.oldSeen} and ${body.newSeen} follow`;
  const isShort = oldMissing >= 0 && newMissing >= 0;
  if (form.isQuoted && isShort) return { code: "hunk-incomplete", message: `quoted in part: ${numbers}`, line };
  if (body.end === "end" && isShort) return { code: "hunk-truncated", message: `the text ends inside a hunk: ${numbers}`, line };
  return { code: "hunk-count-mismatch", message: `${numbers}; the lines were counted anew`, line };
};
