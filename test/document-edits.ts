// SPDX-License-Identifier: GPL-2.0-only
import type { DocumentEdit } from "../server/review/finding.ts";

/** A document with edits, as an editor applies them. */
export function applied(document: string, edits: readonly DocumentEdit[]): string {
  const starts = [0];
  for (let at = document.indexOf("\n"); at >= 0; at = document.indexOf("\n", at + 1)) starts.push(at + 1);
  const offset = ({ line, column }: DocumentEdit["start"]): number => (starts[line - 1] ?? document.length) + column - 1;
  return edits.toReversed().reduce((text, { start, end, remove, insert }) => {
    const [from, to] = [offset(start), offset(end)];
    if (text.slice(from, to) !== remove) throw new Error("an edit removes other text than it says");
    return text.slice(0, from) + insert + text.slice(to);
  }, document);
}
