// SPDX-License-Identifier: GPL-2.0-only
import type { FunctionText } from "../../program/statements.ts";
import type { BoundEffect, CallNode, EffectProgram } from "../../program/program.ts";
import { render } from "../../program/render.ts";
import type { TextEdit } from "../../text/text-edit.ts";
import { argumentsAt, calleeAt, joined, removeStatement, replaceArgument, replaced, statementAt, statementsIn, type Edits } from "./statement-edits.ts";

/*
 * The word of flags that a call of GUP gets, with other bits: at the call, or where the variable has its only value.
 */

type Gup = BoundEffect & { readonly kind: "gup" };

/** The argument of a call that says what is asked for. */
export interface FlagWord {
  readonly fn: FunctionText;
  readonly program: EffectProgram;
  /** Where the call's name stands. */
  readonly at: number;
  readonly index: number;
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

export function flagWord(fn: FunctionText, program: EffectProgram, call: CallNode, gup: Gup): FlagWord | null {
  const at = calleeAt(fn, call);
  const args = argumentsAt(fn, at)?.args;
  if (!args || args.length !== call.args.length || !fn.code.startsWith(call.name, at)) return null;
  const word = gup.flags ?? gup.write;
  const index = word ? call.args.findIndex((arg) => arg === word || render(arg) === render(word)) : -1;
  const argument = args[index];
  return argument ? { fn, program, at, index, start: argument.at, end: argument.end, text: fn.text.slice(argument.at, argument.end) } : null;
}

/** More bits: in the variable's only value, else at the call. */
export const withBits = (word: FlagWord, bits: string, at: "front" | "back" = "front"): Edits => inOnlyValue(word, bits, at) ?? replaceArgument(word.fn, word.at, word.index, added(word.text, bits, at));

/** A flag word with more bits. */
function added(flags: string, bits: string, at: "front" | "back"): string {
  if (flags === "0") return bits;
  const outside = flags.replaceAll("->", ".").replace(/\([^()]*\)/g, "");
  const word = /[?&^=<>]|\|\|/.test(outside) ? `(${flags})` : flags;
  return at === "front" && /^FOLL_\w+$/.test(flags.split("|")[0]?.trim() ?? "") ? `${bits} | ${word}` : `${word} | ${bits}`;
}

/** Where the word is a local variable that has one value only, the bits belong there. */
function inOnlyValue({ fn, program, text: flags }: FlagWord, bits: string, end: "front" | "back"): Edits {
  const writes = program.nodes.filter((node) => (node.kind === "assign" && render(node.target) === flags) || (node.kind === "call" && node.result === flags));
  const [only, ...others] = writes;
  if (!/^\w+$/.test(flags) || only?.kind !== "assign" || only.operator !== "=" || others.length > 0) return null;
  const declared = statementsIn(fn.block).some((one) => one.kind === "declaration" && one.at <= only.at && only.at < one.end);
  const match = /^(\w+\s*=\s*)((?:FOLL_\w+|0)(?:\s*\|\s*FOLL_\w+)*)\s*(?=[,;])/.exec(fn.code.slice(only.at, only.at + 200));
  if (!declared || !match) return null;
  const at = only.at + (match[1] ?? "").length;
  return [replaced(at, at + (match[2] ?? "").length, added(match[2] ?? "", bits, end))];
}

/** The word without a bit, wherever it is set on the way to the call; null where it is set in words that are not of that form. */
export function withoutBit({ fn, program, start, end, text }: FlagWord, bit: string): Edits {
  const given = /^\w+$/.test(text) ? program.nodes.filter((node) => node.kind === "assign" && render(node.target) === text && node.at >= fn.start) : [];
  const places = [{ at: start, end }, ...given.flatMap((node) => (node.kind === "assign" ? [{ at: node.at, end: valueEnd(fn, node.at) }] : []))];
  const found = places.map((place) => dropped(fn, place, bit));
  const all = joined(...found);
  return all && all.length > 0 ? all : null;
}

/** Where the value of an assignment ends. */
function valueEnd({ code }: FunctionText, at: number): number {
  const rest = /^[^,;]*/.exec(code.slice(at, at + 400))?.[0] ?? "";
  return at + rest.length;
}

function dropped(fn: FunctionText, { at, end }: { readonly at: number; readonly end: number }, bit: string): Edits {
  const code = fn.code.slice(at, end);
  const one = new RegExp(`\\b${bit}\\b`).exec(code);
  if (!one) return [];
  if (/[&~^?]/.test(code)) return null;
  const alone = new RegExp(`^\\w+\\s*\\|=\\s*${bit}$`).test(code.trim());
  if (alone) return withoutStatement(fn, at);
  const first = new RegExp(`\\b${bit}\\s*\\|\\s*`).exec(code);
  const later = new RegExp(`\\s*\\|\\s*${bit}\\b`).exec(code);
  const span = later ?? first;
  if (span) return [replaced(at + span.index, at + span.index + span[0].length, "")];
  return [replaced(at + one.index, at + one.index + bit.length, "0")];
}

function withoutStatement(fn: FunctionText, at: number): readonly TextEdit[] | null {
  const statement = statementAt(fn, at);
  return statement?.kind === "simple" && statement.at === at ? removeStatement(fn, statement) : null;
}
