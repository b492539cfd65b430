// SPDX-License-Identifier: GPL-2.0-only
import { blankComments } from "../source/blank.ts";
import type { Image } from "../source/image.ts";
import type { EffectProgram } from "./program.ts";
import { rowAt } from "./place.ts";

/*
 * Questions about the words of a patch: what it writes, as code or as comment, and where. Offsets are those of the image's text.
 */

const blanked = new WeakMap<Image, string>();

/** The text of an image with comments, strings and directives blanked: offsets stay. */
export function codeText(image: Image): string {
  const known = blanked.get(image) ?? blankComments(image.text).code;
  blanked.set(image, known);
  return known;
}

/** The body of a function without comments and strings, and where it begins. */
export function bodyOf({ image, start, end }: EffectProgram): { readonly at: number; readonly code: string } {
  const code = codeText(image).slice(start, end);
  const open = code.indexOf("{");
  return open < 0 ? { at: end, code: "" } : { at: start + open, code: code.slice(open) };
}

/** Offsets of a word in a text. */
export function wordsIn(text: string, word: string): number[] {
  const found: number[] = [];
  for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + word.length))
    if (!/\w/.test(text[at - 1] ?? " ") && !/\w/.test(text[at + word.length] ?? " ")) found.push(at);
  return found;
}

/** A line that the patch writes (or, on the old side, deletes). */
export interface ChangedRow {
  readonly row: number;
  readonly at: number;
  readonly end: number;
}

/** The changed rows of a part of an image, in order. */
export function changedRows(image: Image, start = 0, end = image.text.length): ChangedRow[] {
  const found: ChangedRow[] = [];
  for (let at = lineStart(image.text, start), row = rowAt(image, at); at < end; row++) {
    const newline = image.text.indexOf("\n", at);
    const next = newline < 0 ? image.text.length : newline;
    if (image.lines[row]?.changed === true) found.push({ row, at, end: next });
    if (newline < 0) break;
    at = next + 1;
  }
  return found;
}

const lineStart = (text: string, at: number): number => (at === 0 ? 0 : text.lastIndexOf("\n", at - 1) + 1);

/** True for a changed row that has code on it, not only a comment. */
export const hasCode = (image: Image, { at, end }: ChangedRow): boolean => codeText(image).slice(at, end).trim() !== "";
