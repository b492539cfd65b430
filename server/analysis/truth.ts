// SPDX-License-Identifier: GPL-2.0-only
import type { Value } from "../program/code.ts";
import { flagBit, type BitAlgebra } from "../program/flag-word.ts";
import { asksForCow, flagsOfVma, maskedWord, maskOf } from "../program/vma-flags.ts";
import { namesIn, render, substitute } from "../program/render.ts";
import type { Bit, State } from "./state.ts";
import { withEntry } from "./state.ts";
import { isZero } from "../program/truth-table.ts";

/** A condition in normal form: one text and whether the condition is its opposite. */
export interface Normal {
  readonly key: string;
  readonly inverted: boolean;
  readonly value: Value;
}

/** Brings `x == NULL`, `0 != x`, `x > 0` and variables with a known definition to one form. */
export function normalize(state: State, value: Value, depth = 0): Normal {
  if (depth > 20) return { key: render(value), inverted: false, value };
  if (depth === 0) value = ofVma(state, value);
  const again = (inner: Value, invert: boolean): Normal => {
    const normal = normalize(state, inner, depth + 1);
    return invert ? { ...normal, inverted: !normal.inverted } : normal;
  };
  if (value.kind === "unary" && value.operator === "!") return again(value.of, true);
  if (value.kind === "binary") {
    const { operator, left, right } = value;
    const cow = asksForCow(value);
    const word = maskedWord(left)?.word;
    if (cow !== null && word) return again({ kind: "call", name: "is_cow_mapping", args: [word], at: value.at, end: value.at }, !cow);
    if ((operator === "==" || operator === "!=") && isZero(right)) return again(left, operator === "==");
    if ((operator === "==" || operator === "!=") && isZero(left)) return again(right, operator === "==");
    if (operator === "!=") return { key: render({ ...value, operator: "==" }), inverted: true, value };
  }
  if (value.kind === "name") {
    const definition = state.definitions.get(value.name);
    if (definition) return again(definition, false);
  }
  return { key: render(value), inverted: false, value };
}

/** `flags & VM_MAYSHARE` is a test of the VMA that the flags were read from. */
function ofVma(state: State, value: Value): Value {
  if (state.definitions.size === 0) return value;
  const words = new Map([...state.definitions].filter(([name, word]) => flagsOfVma(word) !== null && namesIn(value).includes(name)));
  return words.size === 0 ? value : substitute(value, words);
}

/** What the state says about a condition: true, false, or null where it says nothing. */
export function truthOf(state: State, value: Value): boolean | null {
  if (value.kind === "number") return value.value !== 0;
  if (value.kind === "unary" && value.operator === "-") return truthOf(state, value.of);
  if (value.kind === "unary" && value.operator === "&") return true;
  if (value.kind === "name" && value.name === "NULL") return false;
  // An errno constant is not zero.
  if (value.kind === "name" && /^E[A-Z0-9]+$/.test(value.name)) return true;
  const { key, inverted, value: inner } = normalize(state, value);
  const known = state.truths.get(key);
  if (known !== undefined) return known !== inverted;
  if (inner.kind === "binary" && (inner.operator === "<" || inner.operator === ">") && isZero(inner.right)) {
    // 0 is neither below nor above 0.
    if (truthOf(state, inner.left) === false) return inverted;
  }
  if (inner.kind === "binary" && inner.operator === "&") {
    const bit = flagTest(state, inner.left, inner.right);
    if (bit !== "maybe") return (bit === "yes") !== inverted;
  }
  const truth = truthOfMask(state, inner);
  return truth === null ? null : truth !== inverted;
}

/** A test of a mask of several bits, or a comparison with one, from what is known of its bits. */
function truthOfMask(state: State, value: Value): boolean | null {
  const parts = bitsAsked(value);
  if (!parts) return null;
  const truths = parts.bits.map((one) => {
    const truth = truthOf(state, one.test);
    return truth === null ? null : truth === one.wanted;
  });
  if (truths.includes(!parts.every)) return !parts.every;
  return truths.includes(null) ? null : parts.every;
}

interface BitsAsked {
  /** True where all bits must be as wanted; false where one is enough. */
  readonly every: boolean;
  readonly bits: readonly { readonly test: Value; readonly wanted: boolean }[];
}

/** `w & (A | B)` asks for one of two bits, `(w & (A | B)) == A` for both; null for other values and for a single bit. */
function bitsAsked(value: Value): BitsAsked | null {
  if (value.kind !== "binary") return null;
  const compared = value.operator === "==";
  const masked = maskedWord(compared ? value.left : value);
  const wanted = compared ? maskOf(value.right) : [];
  if (!masked || !wanted || (!compared && masked.names.length < 2) || wanted.some((one) => !masked.names.includes(one))) return null;
  const test = (bit: string): Value => ({ kind: "binary", operator: "&", left: masked.word, right: { kind: "name", name: bit, at: 0 }, at: 0 });
  return { every: compared, bits: masked.names.map((bit) => ({ test: test(bit), wanted: !compared || wanted.includes(bit) })) };
}

function flagTest(state: State, word: Value, mask: Value): Bit {
  if (mask.kind !== "name" || word.kind !== "name") return "maybe";
  return state.bits.get(`${word.name}/${mask.name}`) ?? "maybe";
}

/** The state on the branch where the condition has the given outcome. */
export function assume(state: State, value: Value, outcome: boolean): State {
  const { key, inverted, value: inner } = normalize(state, value);
  let next: State = { ...state, truths: withEntry(state.truths, key, outcome !== inverted) };
  if (inner.kind === "binary" && inner.operator === "&" && inner.left.kind === "name" && inner.right.kind === "name") {
    const bit: Bit = outcome !== inverted ? "yes" : "no";
    next = { ...next, bits: withEntry(next.bits, `${inner.left.name}/${inner.right.name}`, bit) };
  }
  const parts = bitsAsked(inner);
  // All bits are as asked for, or none is; of one bit both outcomes tell.
  if (parts && ((outcome !== inverted) === parts.every || parts.bits.length === 1))
    for (const one of parts.bits) next = assume(next, one.test, (outcome !== inverted) === one.wanted);
  return next;
}

/** Forgets everything that was known through a variable or place that changes. */
export function forget(state: State, key: string): State {
  const base = /^[A-Za-z_$]\w*/.exec(key)?.[0] ?? key;
  const truths = without(state.truths, (text) => text.includes(key) && mentioned(key).test(text));
  const definitions = without(state.definitions, (name, value) => name === key || namesIn(value).includes(base));
  const bits = without(state.bits, (text) => text.startsWith(key) && /^(?:\/|->|\.)/.test(text.slice(key.length)));
  return { ...state, truths, definitions, bits, walks: withEntry(state.walks, key, undefined) };
}

/** The map itself where nothing is to go, so that states share it. */
function without<V>(map: ReadonlyMap<string, V>, goes: (key: string, value: V) => boolean): ReadonlyMap<string, V> {
  for (const [key, value] of map) if (goes(key, value)) return new Map([...map].filter(([one, other]) => !goes(one, other)));
  return map;
}

const mentions = new Map<string, RegExp>();

/** Finds the place as a whole, not as a part of another name. */
export function mentioned(key: string): RegExp {
  const known = mentions.get(key) ?? new RegExp(`(?<![\\w$>.])${escape(key)}(?![\\w])`);
  if (mentions.size > 5000) mentions.clear();
  mentions.set(key, known);
  return known;
}

const escape = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

const flip: Readonly<Record<Bit, Bit>> = { yes: "no", no: "yes", maybe: "maybe" };

/** Three-valued flag words over a state. */
export const bitsOf = (state: State, bit: string): BitAlgebra<Bit> => ({
  constant: (value) => (value ? "yes" : "no"),
  and: (left, right) => (left === "no" || right === "no" ? "no" : left === "yes" && right === "yes" ? "yes" : "maybe"),
  or: (left, right) => (left === "yes" || right === "yes" ? "yes" : left === "no" && right === "no" ? "no" : "maybe"),
  not: (of) => flip[of],
  variable: (key) => state.bits.get(`${key}/${bit}`) ?? (truthOf(state, { kind: "name", name: key, at: 0 }) === false ? "no" : "maybe"),
  condition: (value) => {
    const truth = truthOf(state, value);
    return truth === null ? "maybe" : truth ? "yes" : "no";
  },
  unknown: () => "maybe",
});

/** A bit of a flag word in a state. */
export const bitOf = (state: State, word: Value, bit: string): Bit => flagBit(word, bit, bitsOf(state, bit));

/** Values that are conditions: a test of the variable is a test of them. */
export const isPredicate = (value: Value): boolean =>
  (value.kind === "binary" && /^(?:==|!=|<|>|<=|>=|&)$/.test(value.operator)) ||
  (value.kind === "unary" && value.operator === "!") ||
  (value.kind === "call" && /^(?:is_|pte_|folio_test_|Page|vma_is_|__?vma_)/.test(value.name));
