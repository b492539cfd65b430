// SPDX-License-Identifier: GPL-2.0-only
import { displayWidth } from "./visible.ts";
import { wrapText } from "./wrap.ts";

/** Advance of a monospaced glyph in parts of the font size: the widest of the fonts in the style, rounded up. */
const ADVANCE = 0.605;

/** Glyphs that take the room of two: East Asian wide forms and pictographs. */
const WIDE = /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f000}-\u{1faff}\u{20000}-\u{3fffd}]/gu;

/** Width of a text in glyphs of a monospaced font. */
export const glyphs = (text: string): number => displayWidth(text) + (text.match(WIDE)?.length ?? 0);

/** Width of a text in user units, a little more than it takes. */
export const textWidth = (text: string, size: number): number => glyphs(text) * size * ADVANCE;

/** A text in lines that fit into a width in user units; further lines are set in. */
export const fittingLines = (text: string, size: number, width: number, rest = ""): string[] =>
  wrapText(text, { width: Math.floor(width / (size * ADVANCE) + 1e-6), rest, measure: glyphs });

/** A text cut to a width; "" where not even a few letters fit. */
export function cutToWidth(text: string, size: number, width: number): string {
  if (textWidth(text, size) <= width) return text;
  const characters = [...text];
  while (characters.length > 0 && textWidth(`${characters.join("")}…`, size) > width) characters.pop();
  return characters.length < 3 ? "" : `${characters.join("")}…`;
}

/** Text as character data and as the value of an attribute. What XML does not allow at all is replaced. */
export const escapeXml = (text: string): string =>
  text
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff\p{Cs}]/gu, "\ufffd")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&#39;");

/** A number as SVG writes it: at most one decimal, so that output does not depend on the last bit. */
export const units = (value: number): string => String(Math.round(value * 10) / 10);
