// SPDX-License-Identifier: GPL-2.0-only
import { endsWithOnlyBlock } from "../syntax/code.ts";
import { directiveToken, scanTokens } from "../syntax/tokens.ts";
import { editBetween, type Edit } from "../text/edit.ts";
import { outlineOf, type Outline, type OutlineFunction } from "./outline.ts";

/**
 * The outline of a text that was edited. Where the edit lies in the body of one function and nothing of it can reach out of
 * there (no directive, brackets that match, no comment that stays open), only that function is read again.
 */
export function editedOutline(before: { readonly text: string; readonly outline: Outline }, text: string): Outline {
  const edit = editBetween(before.text, text);
  return withinFunction(before.text, before.outline, text, edit) ?? outlineOf(text);
}

function withinFunction(old: string, outline: Outline, text: string, edit: Edit): Outline | null {
  const shift = edit.newEnd - edit.oldEnd;
  const number = outline.functions.findIndex((one) => one.start < edit.start && edit.oldEnd < one.end);
  const fn = outline.functions[number];
  if (!fn || !isClosed(old.slice(fn.start, fn.end))) return null;
  const own = text.slice(fn.start, fn.end + shift);
  if (!isClosed(own)) return null;
  const [now, ...others] = outlineOf(own).functions;
  if (!now || others.length > 0 || now.start !== 0 || now.end !== own.length || now.name !== fn.name) return null;
  const moved = (one: OutlineFunction, by: number): OutlineFunction => (by === 0 ? one : { ...one, start: one.start + by, end: one.end + by });
  const functions = outline.functions.map((one, at) => (at === number ? moved(now, fn.start) : one.start > fn.start ? moved(one, shift) : one));
  return { functions, uses: outline.uses };
}

/** True where what stands around a piece of text has nothing to do with how it is read, and the other way round. */
function isClosed(piece: string): boolean {
  const tokens = scanTokens(piece);
  if (tokens.count === 0 || tokens.end[tokens.count - 1] !== piece.length) return false;
  for (let at = 0; at < tokens.count; at++) if (tokens.type[at] === directiveToken) return false;
  return endsWithOnlyBlock(tokens);
}
