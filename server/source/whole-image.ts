// SPDX-License-Identifier: GPL-2.0-only
import type { FileDiff, PatchLine } from "../patch/model.ts";
import { placeOf, type Image, type ImageLine, type MissingLine } from "./image.ts";
import type { Placement } from "./place-hunks.ts";

/** Both sides of a file as a whole, tied to the document where the patch shows them. */
export interface WholeImages {
  readonly old: Image;
  readonly new: Image;
  readonly oldLines: readonly string[];
  readonly newLines: readonly string[];
}

/** The lines of a text; a terminator at the very end opens no further line, and a return before it is part of it. */
export function linesOfText(text: string): string[] {
  const lines = text.split("\n").map((line) => (line.endsWith("\r") ? line.slice(0, -1) : line));
  if (lines.at(-1) === "") lines.pop();
  return lines;
}

/** One side that grows line by line. */
interface Draft {
  readonly texts: string[];
  readonly places: ImageLine[];
  readonly missing: MissingLine[];
}

const draft = (): Draft => ({ texts: [], places: [], missing: [] });

/** Makes both sides from the one that `lines` are: forwards from the old one, backwards from the new one. */
export function wholeImages(document: string, file: FileDiff, lines: readonly string[], placement: Placement, side: "old" | "new"): WholeImages {
  const old = draft();
  const later = draft();
  const keep = (text: string, place: ImageLine | null): void => {
    const numbers = { oldLine: old.texts.length + 1, newLine: later.texts.length + 1 };
    const both: ImageLine = place === null ? { line: null, column: 0, decoded: null, changed: false, ...numbers } : { ...place, ...numbers };
    for (const one of [old, later]) {
      one.texts.push(text);
      one.places.push(both);
    }
  };
  const change = (line: PatchLine): void => {
    const isAdded = line.kind === "added";
    const [own, other] = isAdded ? [later, old] : [old, later];
    const number = own.texts.length + 1;
    const place: ImageLine = { ...placeOf(document, line), oldLine: isAdded ? null : number, newLine: isAdded ? number : null };
    other.missing.push({ row: other.texts.length, place, text: line.text });
    own.texts.push(line.text);
    own.places.push(place);
  };
  let row = 0;
  for (const { hunk, at, before, behind } of placement.hunks) {
    for (; row < at; row++) keep(lines[row] ?? "", null);
    for (const line of hunk.hunk.lines.slice(before, hunk.hunk.lines.length - behind)) {
      if (line.kind === "context") keep(line.text, placeOf(document, line));
      else change(line);
    }
    row = at + hunk[side].length - before - behind;
  }
  for (; row < lines.length; row++) keep(lines[row] ?? "", null);
  return {
    old: imageOf("old", file.oldPath, old), new: imageOf("new", file.newPath, later),
    oldLines: old.texts, newLines: later.texts,
  };
}

const imageOf = (side: Image["side"], path: string | null, { texts, places, missing }: Draft): Image => ({ side, path, text: texts.join("\n"), lines: places, missing });
