// SPDX-License-Identifier: GPL-2.0-only
import { lineIndex } from "../../text/line-index.ts";
import { withEdits } from "../../text/text-edit.ts";
import type { DocumentEdit } from "../finding.ts";

/** A document with the edits of a fix. Null where they are those of another text. */
export function withFix(document: string, edits: readonly DocumentEdit[]): string | null {
  const index = lineIndex(document);
  // Not `offsetOf`: that keeps to the characters of a line, and an edit may end behind its terminator.
  const offset = ({ line, column }: DocumentEdit["start"]): number => index.spanOf(line).start + column - 1;
  const made = edits.map(({ start, end, insert }) => ({ at: offset(start), end: offset(end), text: insert }));
  const isOfThis = made.every(({ at, end }, number) => document.slice(at, end) === edits[number]?.remove);
  return isOfThis ? withEdits(document, made) : null;
}
