// SPDX-License-Identifier: GPL-2.0-only

/** One change of a text: what stands from `at` to `end` gives way to `text`. Offsets are those of the text before any edit. */
export interface TextEdit {
  readonly at: number;
  readonly end: number;
  readonly text: string;
}

/** Edits in order of place; those that insert at the same place keep their order. Null where two of them overlap. */
export function inOrder(edits: readonly TextEdit[]): readonly TextEdit[] | null {
  const sorted = edits.toSorted((a, b) => a.at - b.at || Number(a.end > a.at) - Number(b.end > b.at));
  const overlap = sorted.some((edit, index) => edit.end < edit.at || edit.at < (sorted[index - 1]?.end ?? 0));
  return overlap ? null : sorted;
}

/** The text with all edits; null where two of them overlap or one lies outside. */
export function withEdits(text: string, edits: readonly TextEdit[]): string | null {
  const sorted = inOrder(edits);
  if (!sorted || sorted.some((edit) => edit.at < 0 || edit.end > text.length)) return null;
  let result = "";
  let from = 0;
  for (const edit of sorted) {
    result += text.slice(from, edit.at) + edit.text;
    from = edit.end;
  }
  return result + text.slice(from);
}

/** Where the character at an offset stands after the edits; of a character that gives way, where the new text begins. */
export function movedOffset(edits: readonly TextEdit[], offset: number): number {
  let shift = 0;
  for (const edit of inOrder(edits) ?? []) {
    if (edit.at > offset) break;
    if (edit.end > offset) return edit.at + shift;
    shift += edit.text.length - (edit.end - edit.at);
  }
  return offset + shift;
}
