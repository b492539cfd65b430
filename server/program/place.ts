// SPDX-License-Identifier: GPL-2.0-only
import type { DecodedLine, Image, ImageLine } from "../source/image.ts";

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

/** Index of the document line, among those that a decoded line reaches, that holds an offset of the document. */
function lineHolding({ lines }: DecodedLine, offset: number): number {
  let low = 0;
  let high = lines.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((lines[middle]?.start ?? 0) <= offset) low = middle;
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
  const index = at - (lineStarts(image)[row] ?? 0);
  const { decoded } = line;
  if (decoded === null) return { line: line.line, column: line.column + index + 1, row: line };
  const offset = decoded.places[index] ?? decoded.places.at(-1) ?? 0;
  const passed = lineHolding(decoded, offset);
  return { line: line.line + passed, column: offset - (decoded.lines[passed]?.start ?? 0) + 1, row: line };
}

/** A line of a file of the tree that the document does not show. */
export interface TreePlace {
  readonly file: string | null;
  readonly newLine: number | null;
  readonly oldLine: number | null;
}

/** Place in the file of an offset of the image's text; null for text that is in the document, or in no file. */
export function treePlace(image: Image, at: number): TreePlace | null {
  const row = at < 0 ? undefined : image.lines[rowAt(image, at)];
  if (!row || row.line !== null || (row.newLine === null && row.oldLine === null)) return null;
  return { file: row.file ?? image.path, newLine: row.newLine, oldLine: row.oldLine };
}

/** Where a step of a schedule stands: its line of the document, or of the file where only the tree shows it. */
export function stepPlace(image: Image, at: number): { line: number | null; file?: string | null; fileLine?: number | null; side: Image["side"] } | null {
  const place = documentPlace(image, at);
  if (place) return { line: place.line, side: image.side };
  const inTree = treePlace(image, at);
  return inTree && { line: null, file: inTree.file, fileLine: image.side === "new" ? inTree.newLine : inTree.oldLine, side: image.side };
}

/** A range within one line of the document. */
export interface DocumentRange extends DocumentPlace {
  /** Column after the last character, 1-based; at least one more than `column`. */
  readonly endColumn: number;
}

/** The part of a range of the image's text that stands on the document line of its first character; null as above. */
export function documentRange(image: Image, at: number, end: number): DocumentRange | null {
  const place = documentPlace(image, at);
  if (!place) return null;
  const newline = image.text.indexOf("\n", at);
  const last = Math.max(at + 1, newline < 0 ? end : Math.min(end, newline));
  const { decoded } = place.row;
  if (decoded === null) return { ...place, endColumn: place.column + last - at };
  const start = lineStarts(image)[rowAt(image, at)] ?? 0;
  const own = decoded.lines[lineHolding(decoded, decoded.places[at - start] ?? 0)];
  const offset = decoded.places[last - start] ?? 0;
  const endColumn = Math.min(offset, own?.end ?? offset) - (own?.start ?? 0) + 1;
  return { ...place, endColumn: Math.max(place.column + 1, endColumn) };
}

/** Source text on one line, comments dropped, for people. */
export const textAt = (image: Image, at: number, end: number): string =>
  image.text
    .slice(at, end)
    .replace(/\/\*[\s\S]*?\*\//g, " ")
    .replace(/\s+/g, " ")
    .trim();
