// SPDX-License-Identifier: GPL-2.0-only

/** The quote marks at the start of a line. */
export interface QuotePrefix {
  /** Number of `>`. */
  readonly depth: number;
  /** Characters that belong to the marks, with one blank after each where there is one. */
  readonly length: number;
}

const unquoted: QuotePrefix = { depth: 0, length: 0 };
const isCapital = (code: number): boolean => code >= 65 && code <= 90;

/** Position after up to three initials, as in `XY> text`; `at` where none lead to a mark. */
const afterInitials = (text: string, at: number): number => {
  let end = at;
  while (end - at < 3 && isCapital(text.charCodeAt(end))) end += 1;
  return text.charCodeAt(end) === 62 ? end : at;
};

const barredDiff = /^(?:[A-Z]{0,3}> ?){0,20}\| ?(?:> ?){0,20}(?:[-+](?![-+|])|@@ -|diff -)/;
const colonDiff = /^(?:[A-Z]{0,3}> ?){0,20}: (?:> ?){0,20}(?:[-+](?![-+])|@@ -|diff -)/;

/** True for a line that some style of quoting begins so; whether it does is up to the other lines. */
export const mayBeQuoted = (text: string): boolean => /^(?:[A-Z]{0,3}>|\| ?[-+@d>]|: [-+@d>])/.test(text);

/**
 * The marks that quotes of a text have: `>`, and `|` or `: ` where at least two lines of a diff stand behind them. Tables,
 * pictures of trees and operators at the start of a line look the same otherwise.
 */
export const quoteMarks = (texts: readonly string[]): string => {
  let bars = 0;
  let colons = 0;
  for (const text of texts) {
    if (!mayBeQuoted(text)) continue;
    if (barredDiff.test(text)) bars += 1;
    if (colonDiff.test(text)) colons += 1;
  }
  return `>${bars >= 2 ? "|" : ""}${colons >= 2 ? ":" : ""}`;
};

const diffSign = /^(?:[-+](?!-)|@@ -|diff -)/;

/**
 * True where no blank stands between the marks and the text, so that a blank there is the marker of a context line. The
 * lines that begin with another sign of a diff tell.
 */
export const isTightlyQuoted = (texts: readonly string[], marks: string): boolean => {
  let tight = 0;
  let loose = 0;
  for (const text of texts) {
    const { depth, length } = quotePrefix(text, marks);
    if (depth === 0 || !diffSign.test(text.slice(length, length + 7))) continue;
    if (text[length - 1] === " ") loose += 1;
    else tight += 1;
  }
  return tight > loose;
};

/** True for a mark at `at`. A colon without a blank behind it is one of the text. */
const isMarkAt = (text: string, at: number, marks: string): boolean => {
  const character = text[at];
  if (character === undefined || !marks.includes(character)) return false;
  return character !== ":" || text[at + 1] === " " || at + 1 === text.length;
};

/**
 * Reads `> > x`, `>> x`, `>>>x`, `XY> x`, `> XY> x` and, where `marks` has them, `| x` and `: x`. A line that starts with
 * `>From ` is the escape of mboxrd for a body line that starts with `From `, which no one quotes without a blank in
 * practice, so it counts as unquoted.
 */
export const quotePrefix = (text: string, marks = ">"): QuotePrefix => {
  if (text.startsWith(">From ")) return unquoted;
  let depth = 0;
  let end = 0;
  for (let at = afterInitials(text, 0); isMarkAt(text, at, marks); at = afterInitials(text, end)) {
    depth += 1;
    end = at + 1;
    if (text.charCodeAt(end) === 32) end += 1;
  }
  return depth === 0 ? unquoted : { depth, length: end };
};

const dots = String.raw`\.{3,}|\u2026`;
const words = String.raw`snip(?:ped|s)?|cut|trim(?:med)?|skip(?:ped)?`;
const gap = new RegExp(
  String.raw`^\s*(?:(?:${dots})|[[(<{]+\s*(?:${dots}|${words})[^\])>}]*[\])>}]+|-*\s*(?:snip|8<|>8)\s*-*|(?:-+\s*)?(?:8<|>8)[-\s8<>]*)\s*$`,
  "i",
);

/** True for `[...]`, `<snip>`, `...` and the like: the writer says that quoted lines were left out here. */
export const isGapMark = (text: string): boolean => text.length <= 60 && gap.test(text);

const introduces = /\b(?:wrote|writes|said|schrieb|(?:a )?\u00e9crit|skrev|escribi\u00f3)\b[^:]{0,100}:\s*$/;
/** `2026-11-20 3:53 GMT+01:00 Dev <dev@example.org>:`, `* Dev <dev@example.org> [2026-11-20]:` */
const namesWriter = /^(?:\* |\d{4}-\d\d-\d\d )[^<>]{0,100}<[^<> ]{1,100}>(?: \[[^[\]]{1,60}\])?:\s*$/;
const firstHalf = /^On (?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? .*\b\d{4}\b/;

/** True for the line that introduces a quote (`On Thu, Dev wrote:`), or for the first half of a folded one. */
export const isAttribution = (text: string): boolean => text.length <= 400 && (introduces.test(text) || namesWriter.test(text) || firstHalf.test(text));
