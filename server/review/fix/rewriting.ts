// SPDX-License-Identifier: GPL-2.0-only
import type { Patch } from "../../patch/model.ts";
import type { Subject } from "../../rules/rule.ts";
import type { Image } from "../../source/image.ts";
import { lineIndex } from "../../text/line-index.ts";
import { inOrder, type TextEdit } from "../../text/text-edit.ts";
import type { DocumentEdit } from "../finding.ts";
import { patchEdits } from "./patch-edits.ts";
import { rowEdits } from "./row-edits.ts";

/** How the document under review can be changed, and read again. */
export interface Rewriting {
  readonly document: string;
  /** Edits of the document that change an image so; null where it cannot be changed. */
  editsOf(image: Image, edits: readonly TextEdit[]): readonly TextEdit[] | null;
  /** The document with other text, read as it was read before; null where it no longer reads as well. */
  reread(text: string): Subject | null;
}

/** A C file: what is edited is the document itself. */
export const rewritingOfFile = (document: string, subject: Subject, reread: Rewriting["reread"]): Rewriting => ({
  document,
  editsOf: (image, edits) => (subject.unit.images.includes(image) && image.text === document ? edits : null),
  reread,
});

/** A patch: its new side is edited. */
export const rewritingOfPatch = (document: string, patch: Patch, subject: Subject, reread: Rewriting["reread"]): Rewriting => ({
  document,
  editsOf(image, edits) {
    const lines = new Set(image.lines.flatMap((place) => place.line ?? []));
    const file = patch.files.find((one) => one.newPath === image.path && one.hunks.some((hunk) => hunk.lines.some((line) => line.kind !== "deleted" && lines.has(line.line))));
    const rows = file && subject.unit.images.includes(image) ? rowEdits(image, edits) : null;
    return file && rows ? patchEdits(document, patch, file, image, rows) : null;
  },
  reread,
});

/** Edits by position, in order; those that touch become one, since editors apply each by itself. */
export function documentEdits(document: string, edits: readonly TextEdit[]): readonly DocumentEdit[] {
  const merged: TextEdit[] = [];
  for (const edit of inOrder(edits) ?? []) {
    const last = merged.at(-1);
    if (last && last.end === edit.at) merged[merged.length - 1] = { at: last.at, end: edit.end, text: last.text + edit.text };
    else merged.push(edit);
  }
  const index = lineIndex(document);
  const position = (offset: number): DocumentEdit["start"] => {
    const { line, column } = index.positionOf(offset);
    return { line, column: column + 1 };
  };
  return merged.map(({ at, end, text }) => ({ start: position(at), end: position(end), remove: document.slice(at, end), insert: text }));
}
