// SPDX-License-Identifier: GPL-2.0-only
import { withoutFirst } from "../text/lines.ts";
import type { Row } from "./row.ts";

/** What the lines of a diff say about a blank too many at their start (`format=flowed` puts it before blanks). */
interface Signs {
  /** Context lines. */
  context: number;
  /** Context lines with two blanks where C begins at its margin or with a tab. */
  stuffed: number;
  /** Context lines with one blank, or in the middle of a comment. */
  unstuffed: number;
  /** Added and deleted lines, and those of them whose code begins with a blank. */
  changed: number;
  blankLed: number;
}

const signsOf = (rows: readonly Row[], from: number): Signs => {
  const signs: Signs = { context: 0, stuffed: 0, unstuffed: 0, changed: 0, blankLed: 0 };
  for (let at = from; at < rows.length; at += 1) {
    const text = rows[at]?.text ?? "";
    const first = text[0];
    if ((first === "+" || first === "-") && text[1] !== first) {
      signs.changed += 1;
      if (/^. +[^ *]/.test(text)) signs.blankLed += 1;
    }
    if (first !== " ") continue;
    signs.context += 1;
    if (/^ {2}(?:\t|[A-Za-z{}#_/]|$)/.test(text)) signs.stuffed += 1;
    if (/^ (?:[^ ]| \*)/.test(text)) signs.unstuffed += 1;
  }
  return signs;
};

/** Rows with the blank taken off again; `isUndeclared` where only the look of the lines told that it is there. */
export interface Unstuffed {
  readonly rows: readonly Row[];
  readonly isUndeclared: boolean;
}

/** What to expect of the lines: `yes` and `maybe` where flowed text is declared, `maybe` if they were quoted since. */
export type Expected = "yes" | "maybe" | "no";

const isStuffed = ({ context, stuffed, unstuffed, changed, blankLed }: Signs, expected: Expected): boolean =>
  expected !== "no"
    ? stuffed > unstuffed || (expected === "yes" && stuffed === unstuffed && context > 0)
    : stuffed >= 3 && unstuffed === 0 && stuffed * 2 >= context && blankLed * 5 <= changed;

/**
 * Takes the extra blank off the context lines of a diff. Mailers that declare flowed text do not always put it there, and
 * archives drop the declaration, so the lines themselves decide.
 */
export const withoutStuffing = (rows: readonly Row[], expected: Expected): Unstuffed => {
  const from = rows.findIndex((row) => row.text.startsWith("@@ -") || /^[+-]\t/.test(row.text));
  if (from < 0 || !isStuffed(signsOf(rows, from), expected)) return { rows, isUndeclared: false };
  const cut = (row: Row): Row => ({ ...withoutFirst(row, 1), afterBreak: row.afterBreak === true, afterGap: row.afterGap === true });
  return { rows: rows.map((row, at) => (at > from && row.text.startsWith(" ") ? cut(row) : row)), isUndeclared: expected === "no" };
};
