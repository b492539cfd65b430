// SPDX-License-Identifier: GPL-2.0-only

/**
 * Characters that change what a person sees without being seen: C0 and C1 controls (escape sequences among them),
 * bidirectional controls, zero-width characters, line separators, tag characters and lone surrogates.
 */
const INVISIBLE =
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}\p{Cs}]/gu;

const codePoint = (character: string): string =>
  `<U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}>`;

/** Text from a patch as one line that is safe to print: white space runs become one blank, the rest becomes visible. */
export const visibleLine = (text: string): string =>
  text.replace(/[\t\n\v\f\r ]+/g, " ").trim().replace(INVISIBLE, codePoint);

/** The start of a longer text, for places where a whole line of a hostile patch would bury the rest. */
export const clipped = (text: string, length: number): string =>
  text.length <= length ? text : `${text.slice(0, length - 3).replace(/[\ud800-\udbff]$/, "")}...`;

/** A file name as it may be printed: blanks are kept, controls become visible. */
export const visiblePath = (path: string): string => path.replace(INVISIBLE, codePoint);

/** A line of code as it may be printed: tabs and blanks are kept. */
export const visibleCode = (line: string): string => line.split("\t").map(visiblePath).join("\t");

/** Number of characters as a terminal with a Latin font shows them; wide glyphs count once. */
export const displayWidth = (text: string): number => [...text].length;
