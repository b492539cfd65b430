// SPDX-License-Identifier: GPL-2.0-only
import type { FunctionText, StatementPlace } from "../../program/statements.ts";
import { inOrder, movedOffset, withEdits, type TextEdit } from "../../text/text-edit.ts";
import { lineEnd, lineStart, replaced, statementsIn, type Edits } from "./statement-edits.ts";

/** The edits, and what they leave without use taken away too: labels that nobody goes to, variables that nobody names. */
export function withoutLeftovers(fn: FunctionText, edits: Edits): Edits {
  if (edits === null) return null;
  const code = withEdits(fn.code, edits);
  if (code === null) return null;
  const edited = code.slice(fn.start, movedOffset(edits, fn.end));
  const all = statementsIn(fn.block);
  const labels = all.filter((one) => one.kind === "label" && count(fn, gotoOf(one)) > 0 && !gotoOf(one).test(edited)).map((one) => labelAlone(fn, one));
  const declared = all.filter((one) => one.kind === "declaration").flatMap((one) => unused(fn, one, edited));
  return tidied(fn, [...edits, ...labels.flat(), ...declared]);
}

/** Where lines go between two blank ones, or behind a brace, one blank line goes with them. */
function tidied({ text, code }: FunctionText, edits: readonly TextEdit[]): Edits {
  const joined: TextEdit[] = [];
  for (const edit of inOrder(edits) ?? []) {
    const last = joined.at(-1);
    if (last && last.end === edit.at && last.text === "" && edit.text === "" && last.end > last.at) joined[joined.length - 1] = { ...last, end: edit.end };
    else joined.push(edit);
  }
  return joined.map((edit) => {
    const isLines = edit.text === "" && text[edit.end - 1] === "\n" && lineStart(text, edit.at) === edit.at;
    const isTouched = joined.some((one) => one !== edit && (one.at === edit.end || one.end === edit.at));
    const isBlankAbove = /\n[ \t]*\n$/.test(text.slice(0, edit.at)) || /\{[ \t]*\n$/.test(code.slice(0, edit.at));
    const below = /^[ \t]*\n/.exec(text.slice(edit.end));
    return isLines && !isTouched && isBlankAbove && below ? { ...edit, end: edit.end + below[0].length } : edit;
  });
}

const gotoOf = ({ name }: StatementPlace): RegExp => new RegExp(`\\bgoto\\s+${name ?? ""}\\b`);

const count = ({ code, start, end }: FunctionText, pattern: RegExp): number => [...code.slice(start, end).matchAll(new RegExp(pattern, "g"))].length;

/** The line of a label that stands alone on it; of another label, its words. */
function labelAlone({ text, code }: FunctionText, { at, name }: StatementPlace): readonly TextEdit[] {
  const colon = code.indexOf(":", at + (name ?? "").length);
  const start = lineStart(text, at);
  const end = lineEnd(text, at);
  if (colon < 0 || code.slice(start, at).trim() !== "" || code.slice(colon + 1, end).trim() !== "") return [];
  // A blank line that set the label apart goes with it.
  const above = /\n[ \t]*\n$/.test(text.slice(0, start)) ? lineStart(text, start - 1) : start;
  return [replaced(above, end + 1, above < start && /^[ \t]*\n/.test(text.slice(end + 1)) ? "" : above < start ? "\n" : "")];
}

/** Names of a declaration of which the edited function has no other mention. */
function unused(fn: FunctionText, { at, end }: StatementPlace, edited: string): readonly TextEdit[] {
  const words = fn.code.slice(at, end);
  if (words !== fn.text.slice(at, end)) return [];
  const head = /^(?:(?:const|unsigned|signed|struct|enum|union|long|short)\s+)*\w+\s+(?=[\w*])/.exec(words);
  if (!head) return [];
  const parts = splitAtCommas(words.slice(head[0].length, words.lastIndexOf(";")));
  const names = parts.map((part) => /^[\s*]*(\w+)/.exec(part)?.[1] ?? "");
  const gone = names.map((name) => name !== "" && mentions(edited, name) === 1 && mentions(fn.code.slice(fn.start, fn.end), name) > 1);
  if (!gone.includes(true) || parts.some((part, index) => gone[index] === true && /=.*\(/.test(part))) return [];
  if (gone.every(Boolean)) return [replaced(lineStart(fn.text, at), lineEnd(fn.text, end) + 1, "")];
  const left = parts.flatMap((part, index) => (gone[index] ? [] : [part.trim()])).join(", ");
  return [replaced(at, end, `${head[0]}${left};`)];
}

const mentions = (code: string, name: string): number => [...code.matchAll(new RegExp(`\\b${name}\\b`, "g"))].length;

function splitAtCommas(text: string): readonly string[] {
  const parts: string[] = [""];
  let depth = 0;
  for (const one of text) {
    if ("([{".includes(one)) depth++;
    if (")]}".includes(one)) depth--;
    if (one === "," && depth === 0) parts.push("");
    else parts[parts.length - 1] += one;
  }
  return parts;
}
