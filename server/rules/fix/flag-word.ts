// SPDX-License-Identifier: GPL-2.0-only
import type { FunctionText } from "../../program/statements.ts";
import type { AssignNode, BoundEffect, CallNode, EffectProgram, ProgramNode } from "../../program/program.ts";
import { render } from "../../program/render.ts";
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

/** Where the word is a local variable that has one value, and at most gets these bits later, they belong there. */
function inOnlyValue({ fn, program, text: flags }: FlagWord, bits: string, end: "front" | "back"): Edits {
  const isWrite = (node: ProgramNode): node is AssignNode | CallNode => (node.kind === "assign" && render(node.target) === flags) || (node.kind === "call" && node.result === flags);
  const [only, ...others] = program.nodes.filter(isWrite).toSorted((a, b) => a.at - b.at);
  if (!/^\w+$/.test(flags) || only?.kind !== "assign" || only.operator !== "=") return null;
  const declared = statementsIn(fn.block).some((one) => one.kind === "declaration" && one.at <= only.at && only.at < one.end);
  const match = /^(\w+\s*=\s*)((?:FOLL_\w+|0)(?:\s*\|\s*FOLL_\w+)*)\s*(?=[,;])/.exec(fn.code.slice(only.at, only.at + 200));
  if (!declared || !match) return null;
  const later = others.map((node) => (node.kind === "assign" && node.operator === "|=" && node.value !== null && render(node.value) === bits ? withoutStatement(fn, node.at) : null));
  const at = only.at + (match[1] ?? "").length;
  return joined([replaced(at, at + (match[2] ?? "").length, added(match[2] ?? "", bits, end))], ...later);
}

/** The word without bits, wherever they are set on the way to the call; null where that is said in words of another form, or nowhere. */
export function withoutBits({ fn, program, start, end, text }: FlagWord, bits: readonly string[]): Edits {
  const given = /^\w+$/.test(text) ? program.nodes.flatMap((node) => (node.kind === "assign" && node.at >= fn.start && render(node.target) === text ? [node.at] : [])) : [];
  const places = [{ at: start, end }, ...given.map((at) => ({ at, end: valueEnd(fn, at) }))];
  const all = joined(...places.map((place) => dropped(fn, place, bits)));
  return all && all.length > 0 ? all : null;
}

/** Where the value of an assignment ends. */
const valueEnd = ({ code }: FunctionText, at: number): number => at + (/^[^,;]*/.exec(code.slice(at, at + 400))?.[0].length ?? 0);

function dropped(fn: FunctionText, { at, end }: { readonly at: number; readonly end: number }, bits: readonly string[]): Edits {
  const code = fn.code.slice(at, end);
  const left = bits.reduce(withoutWord, code);
  if (left === code) return [];
  // A mask, a choice, or a comment in between.
  if (/[&~^?]/.test(code) || code !== fn.text.slice(at, end)) return null;
  return /^\w+\s*\|=\s*0$/.test(left) ? withoutStatement(fn, at) : [replaced(at, end, left)];
}

/** A sum of bits without one. */
function withoutWord(sum: string, bit: string): string {
  const [first, later] = [new RegExp(`\\b${bit}\\b\\s*\\|\\s*`), new RegExp(`\\s*\\|\\s*${bit}\\b`)];
  if (first.test(sum)) return sum.replace(first, "");
  return later.test(sum) ? sum.replace(later, "") : sum.replace(new RegExp(`\\b${bit}\\b`), "0");
}

function withoutStatement(fn: FunctionText, at: number): Edits {
  const statement = statementAt(fn, at);
  return statement?.kind === "simple" && statement.at === at ? removeStatement(fn, statement) : null;
}
