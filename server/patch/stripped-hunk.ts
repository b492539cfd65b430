// SPDX-License-Identifier: GPL-2.0-only
import type { HunkBody, HunkEnd } from "./marked-hunk.ts";
import type { HunkRow, Range, Row } from "./row.ts";
import { isFileStart, isSignature } from "./row.ts";
import { looksLikeCode } from "./code-like.ts";

/** The rows that can belong to a hunk whose context lines have no marker. */
interface Region {
  readonly to: number;
  readonly end: HunkEnd;
}

/** What git prints below a diff. */
const trailer = /^(?:base-commit|prerequisite-patch-id|change-id): \S+$/;

const regionFrom = (rows: readonly Row[], at: number, most: number): Region => {
  let to = at;
  for (; to < rows.length && to - at < most; to += 1) {
    const row = rows[to];
    if (row === undefined) break;
    if (row.afterGap && to > at) return { to, end: "gap" };
    if (row.text.startsWith("@@") || isFileStart(rows, to)) return { to, end: "header" };
    if (isSignature(rows, to, true) || trailer.test(row.text)) return { to, end: "signature" };
    // A text that was cut inside its signature ends in `-`.
    if (row.text === "-" && to + 1 === rows.length) return { to, end: "end" };
  }
  return { to, end: to < rows.length ? "full" : "end" };
};

const asHunkRow = (row: Row): HunkRow => {
  const first = row.text[0];
  const kind = first === "+" ? "added" : first === "-" ? "deleted" : "context";
  return { row, kind, marker: kind === "context" ? 0 : 1, isTail: false, isUncertain: false };
};

/** The rows from `at` that fit into the counts, without notes (`\ No newline`) and without trailing empty lines. */
const fitting = (rows: readonly Row[], at: number, to: number, range: Range): { taken: HunkRow[]; next: number } => {
  const taken: HunkRow[] = [];
  let [oldLeft, newLeft] = [range.oldCount, range.newCount];
  let next = at;
  for (; next < to; next += 1) {
    const row = rows[next];
    if (row === undefined || row.text[0] === "\\") continue;
    const each = asHunkRow(row);
    // One side may be full while a context line follows: then some line above has the wrong kind, see `reclassed`.
    if (oldLeft <= 0 && newLeft <= 0 && each.kind === "context") break;
    if (oldLeft <= 0 && newLeft <= 0 && !canBeCode(row.text)) break;
    taken.push(each);
    if (each.kind !== "added") oldLeft -= 1;
    if (each.kind !== "deleted") newLeft -= 1;
  }
  while (taken.at(-1)?.row.text === "") taken.pop();
  return { taken, next };
};

const canBeCode = (text: string): boolean => /^(?:\+(?!\+\+ )|-(?!-))/.test(text);

const seen = (taken: readonly HunkRow[], other: HunkRow["kind"]): number => {
  let count = 0;
  for (const each of taken) if (each.kind !== other) count += 1;
  return count;
};

/** A context line whose statement goes on in the next line. */
const isUnfinished = (each: HunkRow | undefined): boolean =>
  each?.kind === "context" && !/(?:[;{}:>]|\*\/)$|^(?:#|if\b|else\b|for\b|while\b|\*)/.test(each.row.text);

/**
 * How likely it is that the `+` or `-` of a line is code: `++p;`, a ruler, `-1,`, or an operand between context lines.
 * A line that replaces another, or is replaced, stands next to it and is not suspected for its place.
 */
const suspicion = (taken: readonly HunkRow[], at: number): number => {
  const text = taken[at]?.row.text ?? "";
  const doubled = /^(?:\+\+|--)\w|^(?:-{3,}|\+{3,})$/.test(text) ? 8 : 0;
  const number = /^-(?:\d|E[A-Z]+\b)/.test(text) ? 2 : 0;
  const isAlone = (at === 0 || taken[at - 1]?.kind === "context") && (taken[at + 1]?.kind ?? "context") === "context";
  return doubled + number + (isAlone ? (isUnfinished(taken[at - 1]) ? 6 : 2) : 0);
};

/**
 * Where the two sides miss a different number of lines, some context line begins with `+` or `-` in the code itself.
 * Makes the most suspicious ones context until both sides miss the same number; null where none can be told.
 */
const reclassed = (taken: readonly HunkRow[], oldMissing: number, newMissing: number): HunkRow[] | null => {
  const kind = oldMissing > newMissing ? "added" : "deleted";
  const wanted = Math.abs(oldMissing - newMissing);
  const candidates = taken
    .map((each, at) => ({ at, kind: each.kind, score: suspicion(taken, at) }))
    .filter((each) => each.kind === kind)
    .toSorted((a, b) => b.score - a.score || a.at - b.at);
  const chosen = candidates.slice(0, wanted);
  // Where nothing looks suspicious, the counts are more likely wrong than a marker.
  if (chosen.length < wanted || chosen.some((each) => each.score === 0)) return null;
  const places = new Set(chosen.map((each) => each.at));
  return taken.map((each, at) => (places.has(at) ? { ...each, kind: "context", marker: 0 } : each));
};

/** `++p;`, `-1,`, or an operator that the operand at the end of the context line above lacks. */
const mustBeCode = (rows: readonly HunkRow[], at: number): boolean => {
  const text = rows[at]?.row.text ?? "";
  const above = rows[at - 1];
  return /^(?:\+\+|--)\w|^-(?:\d|E[A-Z]+\b)/.test(text) || (isUnfinished(above) && /[\w\]]$/.test(above?.row.text ?? "") && /^[+-] \w/.test(text));
};

/**
 * Lines of both kinds that may be context: turning one of each changes nothing in the counts, so only their looks speak
 * against the markers.
 */
const undecided = (rows: readonly HunkRow[]): readonly number[] => {
  const suspects = rows.filter((each, at) => each.kind !== "context" && mustBeCode(rows, at));
  const hasBoth = suspects.some((each) => each.kind === "added") && suspects.some((each) => each.kind === "deleted");
  return hasBoth ? suspects.map((each) => each.row.line) : [];
};

/** With a wrong line turned into context, one line too many may have been taken at the end. */
const withoutSurplus = (taken: readonly HunkRow[], range: Range): readonly HunkRow[] => {
  const surplus = Math.min(seen(taken, "added") - range.oldCount, seen(taken, "deleted") - range.newCount);
  let end = taken.length;
  while (taken.length - end < surplus && taken[end - 1]?.kind === "context") end -= 1;
  return taken.slice(0, end);
};

/** Marks the rows after the last one that surely is of the hunk: prose can follow, and the counts leave room for it. */
const withUncertainTail = (taken: readonly HunkRow[]): readonly HunkRow[] => {
  let last = taken.length - 1;
  while (last >= 0 && taken[last]?.kind === "context" && !looksLikeCode(taken[last]?.row.text ?? "")) last -= 1;
  return taken.map((each, at) => (at > last ? { ...each, isUncertain: true } : each));
};

/**
 * Reads a hunk of archive text, whose context lines lost their marker and whose blank context lines are gone. The counts
 * are only an upper bound: what both sides miss equally is the number of lost lines.
 */
export const readStrippedHunk = (rows: readonly Row[], at: number, range: Range): HunkBody => {
  const region = regionFrom(rows, at, range.oldCount + range.newCount + 64);
  const { taken, next } = fitting(rows, at, region.to, range);
  const end = next < region.to ? "full" : region.end;
  const oldMissing = range.oldCount - seen(taken, "added");
  const newMissing = range.newCount - seen(taken, "deleted");
  const balanced = oldMissing === newMissing ? taken : (reclassed(taken, oldMissing, newMissing) ?? taken);
  const kept = withoutSurplus(balanced, range);
  const marked = end === "header" || end === "gap" ? kept : withUncertainTail(kept);
  const oldSeen = seen(marked, "added");
  const newSeen = seen(marked, "deleted");
  const uncertain = marked.filter((each) => each.isUncertain).length;
  const lost = Math.max(0, Math.min(range.oldCount - oldSeen, range.newCount - newSeen));
  const guessed = marked.filter((each) => each.kind === "context" && /^[+-]/.test(each.row.text)).map((each) => each.row.line);
  return {
    guessed: [...guessed, ...undecided(marked)].toSorted((a, b) => a - b), rows: marked, next: next - (taken.length - kept.length), end, oldSeen, newSeen,
    lostContext: lost + uncertain, remarks: [], sectionTail: "",
  };
};
