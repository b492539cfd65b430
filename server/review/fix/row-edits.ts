// SPDX-License-Identifier: GPL-2.0-only
import type { Image } from "../../source/image.ts";
import { rowAt } from "../../program/place.ts";
import { inOrder, withEdits, type TextEdit } from "../../text/text-edit.ts";

/** Lines that take the place of rows of an image, from `from` to `to`, exclusive; none where both are the same: an insertion. */
export interface RowEdit {
  readonly from: number;
  readonly to: number;
  readonly lines: readonly string[];
}

/** Edits of an image's text as edits of its lines, none longer than it must be. Null where edits overlap. */
export function rowEdits(image: Image, edits: readonly TextEdit[]): readonly RowEdit[] | null {
  const sorted = inOrder(edits);
  if (!sorted) return null;
  const groups: { first: number; last: number; edits: TextEdit[] }[] = [];
  for (const edit of sorted) {
    const [first, last] = [rowAt(image, edit.at), rowAt(image, edit.end)];
    const open = groups.at(-1);
    if (open && first <= open.last) {
      open.edits.push(edit);
      open.last = Math.max(open.last, last);
    } else groups.push({ first, last, edits: [edit] });
  }
  const rows = image.text.split("\n");
  const starts: number[] = [];
  for (let row = 0, at = 0; row < rows.length; at += (rows[row] ?? "").length + 1, row++) starts.push(at);
  return groups.flatMap((group) => {
    const start = starts[group.first] ?? 0;
    const before = rows.slice(group.first, group.last + 1);
    const after = withEdits(before.join("\n"), group.edits.map((edit) => ({ ...edit, at: edit.at - start, end: edit.end - start })))?.split("\n");
    return after ? changesBetween(before, after, group.first) : [];
  });
}

/** Rows that differ, in the runs between rows that are the same. */
function changesBetween(before: readonly string[], after: readonly string[], first: number): RowEdit[] {
  let head = 0;
  while (head < Math.min(before.length, after.length) && before[head] === after[head]) head++;
  let tail = 0;
  while (tail < Math.min(before.length, after.length) - head && before.at(-1 - tail) === after.at(-1 - tail)) tail++;
  const [old, now] = [before.slice(head, before.length - tail), after.slice(head, after.length - tail)];
  if (old.length === 0 && now.length === 0) return [];
  // A run in the middle that stayed splits the change: what need not change in a patch stays context.
  const kept = longestKept(old, now);
  if (!kept) return [{ from: first + head, to: first + head + old.length, lines: now }];
  const [from, to, length] = kept;
  return [...changesBetween(old.slice(0, from), now.slice(0, to), first + head), ...changesBetween(old.slice(from + length), now.slice(to + length), first + head + from + length)];
}

/** More pairs of rows are not compared: the change is then one. */
const MOST_PAIRS = 40_000;

/** The longest run that both have: where it begins in either, and its length; null: none. */
function longestKept(old: readonly string[], now: readonly string[]): readonly [number, number, number] | null {
  if (old.length * now.length > MOST_PAIRS) return null;
  let best: readonly [number, number, number] | null = null;
  for (let i = 0; i < old.length; i++)
    for (let j = 0; j < now.length; j++) {
      let length = 0;
      while (i + length < old.length && j + length < now.length && old[i + length] === now[j + length]) length++;
      // Blank lines alone tell nothing.
      if (length > (best?.[2] ?? 0) && old.slice(i, i + length).some((line) => line.trim() !== "")) best = [i, j, length];
    }
  return best;
}
