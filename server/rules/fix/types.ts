// SPDX-License-Identifier: GPL-2.0-only
import { documentPlace } from "../../program/place.ts";
import type { EffectProgram } from "../../program/program.ts";
import type { FunctionText } from "../../program/statements.ts";
import { indentAt, replaced, statementsIn, type Edits } from "./statement-edits.ts";

/*
 * Other types for functions and variables. A function whose type changes must be one that nothing else sees: `static`, without
 * a call in its file that would have to change as well.
 */

/** The type of a function, as its text has it. */
export interface HeadType {
  readonly words: string;
  readonly at: number;
  readonly end: number;
}

/** Type words in front of a function's name, without storage classes; null where they are of another form. */
export function headType(fn: FunctionText, name: string): HeadType | null {
  const head = fn.code.slice(fn.start, fn.block.at);
  const found = new RegExp(`^((?:(?:static|inline|extern|noinline|__\\w+)\\s+)*)((?:\\w+\\s+)*?\\w+)\\s+${name}\\s*\\(`).exec(head);
  if (!found) return null;
  const at = fn.start + (found[1] ?? "").length;
  return { words: (found[2] ?? "").replace(/\s+/g, " "), at, end: at + (found[2] ?? "").length };
}

/** Where only hunks of a file are shown, uses of a function that was there before may stand between them. */
const isShown = ({ image, start }: EffectProgram): boolean => image.missing !== undefined || documentPlace(image, start)?.row.changed === true;

const isAlone = (fn: FunctionText, program: EffectProgram): boolean =>
  isShown(program) && /^static\b/.test(fn.code.slice(fn.start, fn.block.at)) && [...fn.code.matchAll(new RegExp(`\\b${program.name}\\b`, "g"))].every(({ index }) => index >= fn.start && index < fn.block.at);

/** A function without a value gets one. */
export const returnsInt = (fn: FunctionText, type: HeadType, program: EffectProgram): Edits => (isAlone(fn, program) ? [replaced(type.at, type.end, "int")] : null);

/** A function whose value has no sign gets one that has. */
export function returnsSigned(fn: FunctionText, type: HeadType, program: EffectProgram): Edits {
  const words = signed(type.words);
  return isAlone(fn, program) && words !== null ? [replaced(type.at, type.end, words)] : null;
}

const signed = (words: string): string | null => (/^unsigned (?:long|int|long long)$/.test(words) ? words.slice("unsigned ".length) : words === "unsigned" ? "int" : null);

/** A variable of a declaration that has no sign gets one, the others of its line keep their type. */
export function signedVariable(fn: FunctionText, name: string): Edits {
  const own = /^(unsigned(?: long| int| long long)?)\s+([^;]*);$/;
  for (const one of statementsIn(fn.block)) {
    const found = one.kind === "declaration" ? own.exec(fn.text.slice(one.at, one.end)) : null;
    const type = found && signed(found[1] ?? "");
    const parts = (found?.[2] ?? "").split(",").map((part) => part.trim());
    const [mine, others] = [parts.filter((part) => isOf(part, name)), parts.filter((part) => !isOf(part, name))];
    // A comma of another kind, or a pointer.
    if (!found || type === null || mine.length === 0 || /[()*{[]/.test(found[2] ?? "")) continue;
    const indent = indentAt(fn.text, one.at);
    return [replaced(one.at, one.end, [...(others.length > 0 ? [`${found[1]} ${others.join(", ")};\n${indent}`] : []), `${type} ${mine.join(", ")};`].join(""))];
  }
  return null;
}

const isOf = (part: string, name: string): boolean => new RegExp(`^${name}\\b`).test(part);
