// SPDX-License-Identifier: GPL-2.0-only
import type { Image, ImageLine } from "../source/image.ts";

/** A place in the document the user sees. */
export interface DocumentPlace {
  /** 1-based. */
  readonly line: number;
  /** 1-based. */
  readonly column: number;
  readonly row: ImageLine;
}

const starts = new WeakMap<Image, Int32Array>();

/** Offsets at which the lines of the image's text begin. */
function lineStarts(image: Image): Int32Array {
  const known = starts.get(image);
  if (known) return known;
  const offsets = [0];
  for (let i = image.text.indexOf("\n"); i >= 0; i = image.text.indexOf("\n", i + 1)) offsets.push(i + 1);
  const made = Int32Array.from(offsets);
  starts.set(image, made);
  return made;
}

/** Row (from 0) of an offset in the image's text. */
export function rowAt(image: Image, at: number): number {
  const offsets = lineStarts(image);
  let low = 0;
  let high = offsets.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((offsets[middle] ?? 0) <= at) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** Document place of an offset of the image's text; null for text that is not in the document. */
export function documentPlace(image: Image, at: number): DocumentPlace | null {
  if (at < 0) return null;
  const row = rowAt(image, at);
  const line = image.lines[row];
  if (!line || line.line === null) return null;
  return { line: line.line, column: line.column + at - (lineStarts(image)[row] ?? 0) + 1, row: line };
}

/** Source text on one line, comments dropped, for people. */
export const textAt = (image: Image, at: number, end: number): string =>
  image.text
    .slice(at, end)
    .replace(/\/\*[\s\S]*?\*\//g, " ")
    .replace(/\s+/g, " ")
    .trim();
