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

/**
 * Reads `> > x`, `>> x`, `>>>x` and `XY> x`. A line that starts with `>From ` is the escape of mboxrd for a body line
 * that starts with `From `, which no one quotes without a blank in practice, so it counts as unquoted.
 */
export const quotePrefix = (text: string): QuotePrefix => {
  if (text.startsWith(">From ")) return unquoted;
  let depth = 0;
  let at = afterInitials(text, 0);
  while (text.charCodeAt(at) === 62) {
    depth += 1;
    at += 1;
    if (text.charCodeAt(at) === 32) at += 1;
  }
  return depth === 0 ? unquoted : { depth, length: at };
};

const dots = String.raw`\.{3,}|\u2026`;
const words = String.raw`snip(?:ped|s)?|cut|trim(?:med)?|skip(?:ped)?`;
const gap = new RegExp(
  String.raw`^\s*(?:(?:${dots})|[[(<{]+\s*(?:${dots}|${words})[^\])>}]*[\])>}]+|-*\s*(?:snip|8<|>8)\s*-*|(?:-+\s*)?(?:8<|>8)[-\s8<>]*)\s*$`,
  "i",
);

/** True for `[...]`, `<snip>`, `...` and the like: the writer says that quoted lines were left out here. */
export const isGapMark = (text: string): boolean => text.length <= 60 && gap.test(text);

const introduces = /\b(?:wrote|writes|said|schrieb)\s*:\s*$/;
const firstHalf = /^On (?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? .*\b\d{4}\b/;

/** True for the line that introduces a quote (`On Thu, Dev wrote:`), or for the first half of a folded one. */
export const isAttribution = (text: string): boolean => text.length <= 400 && (introduces.test(text) || firstHalf.test(text));
