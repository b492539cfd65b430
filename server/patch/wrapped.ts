// SPDX-License-Identifier: GPL-2.0-only
import type { Range, Row } from "./row.ts";
import { isFileStart, isSignature } from "./row.ts";

/** Rows of a hunk that are the rest of the line above, which a mailer wrapped. */
export interface Tails {
  readonly at: ReadonlySet<number>;
  /** Document lines of those that begin as a line of a diff does. */
  readonly guessed: readonly number[];
}

/** No mailer wraps shorter lines. */
const shortest = 56;

type Sign = "+" | "-" | " ";

interface Suspect {
  readonly at: number;
  readonly sign: Sign;
  /** Length that the line would have had with the first word of the next one. */
  readonly length: number;
}

/** `tail`: no line of a diff begins so. */
const signOf = (text: string): Sign | "note" | "tail" => {
  const first = text[0] ?? " ";
  if (first === "+" || first === "-" || first === " ") return first;
  if (first === "\t") return " ";
  return text.startsWith("\\ ") ? "note" : "tail";
};

const regionEnd = (rows: readonly Row[], at: number, most: number): number => {
  let to = at;
  for (; to < rows.length && to - at < most; to += 1) {
    const row = rows[to];
    if (row === undefined || (to > at && (row.afterGap || row.afterBreak)) || row.text.startsWith("@@")) break;
    if (isFileStart(rows, to) || isSignature(rows, to, false)) break;
  }
  while (to > at && rows[to - 1]?.text === "") to -= 1;
  return to;
};

const lengthWithNext = (above: string, text: string): number => {
  const word = /^\S?\s*\S*/.exec(text)?.[0].trimEnd() ?? "";
  return above === "" ? 0 : above.trimEnd().length + 1 + word.length;
};

/**
 * True for a row below a complete hunk that begins as no line of a diff does and would have made the line above too long:
 * nothing but the length tells it from prose.
 */
export const isLikelyTail = (rows: readonly Row[], at: number): boolean => {
  const [above, row] = [rows[at - 1], rows[at]];
  if (above === undefined || row === undefined || row.afterBreak || row.afterGap || row.text === "") return false;
  if (signOf(row.text) !== "tail" || row.text.startsWith("@@") || isFileStart(rows, at)) return false;
  return above.text.length >= shortest - 16 && lengthWithNext(above.text, row.text) >= shortest && !/^[_*=-]{8}/.test(row.text);
};

/** How many suspects of each sign must be tails for the counts to hold; null where no number will do. */
const needed = (oldSurplus: number, newSurplus: number, have: Readonly<Record<Sign, number>>): Record<Sign, number> | null => {
  const both = Math.max(0, oldSurplus - have["-"], newSurplus - have["+"]);
  const wanted = { "+": newSurplus - both, "-": oldSurplus - both, " ": both };
  return wanted["+"] < 0 || wanted["-"] < 0 || both > have[" "] ? null : wanted;
};

/**
 * Finds the tails in a hunk whose rows do not match its counts: rows that no diff has, and as many of those that follow a
 * long line as it takes, the longest first. Null where that does not lead to the counts.
 */
export const findTails = (rows: readonly Row[], at: number, range: Range): Tails | null => {
  const to = regionEnd(rows, at, (range.oldCount + range.newCount) * 3 + 64);
  const tails = new Set<number>();
  const suspects: Suspect[] = [];
  let [oldSurplus, newSurplus] = [-range.oldCount, -range.newCount];
  for (let index = at; index < to; index += 1) {
    const text = rows[index]?.text ?? "";
    const sign = signOf(text);
    // What stands below an empty line was wrapped off nothing.
    if (sign === "tail" && index > at && rows[index - 1]?.text === "") return null;
    if (sign === "tail") tails.add(index);
    if (sign === "tail" || sign === "note") continue;
    if (sign !== "+") oldSurplus += 1;
    if (sign !== "-") newSurplus += 1;
    const length = index === at ? 0 : lengthWithNext(rows[index - 1]?.text ?? "", text);
    if (length >= shortest && text.trim() !== "") suspects.push({ at: index, sign, length });
  }
  if (oldSurplus < 0 || newSurplus < 0) return null;
  const count = (sign: Sign): number => suspects.filter((each) => each.sign === sign).length;
  const wanted = needed(oldSurplus, newSurplus, { "+": count("+"), "-": count("-"), " ": count(" ") });
  if (wanted === null) return null;
  const guessed: number[] = [];
  for (const each of suspects.toSorted((a, b) => b.length - a.length || a.at - b.at)) {
    if (wanted[each.sign] <= 0) continue;
    wanted[each.sign] -= 1;
    tails.add(each.at);
    guessed.push(rows[each.at]?.line ?? 0);
  }
  return tails.size === 0 ? null : { at: tails, guessed: guessed.toSorted((a, b) => a - b) };
};
