// SPDX-License-Identifier: GPL-2.0-only
import { PRIVATE_TESTS, SHARE_TESTS } from "../kernel/private-mapping.ts";
import type { Value } from "../program/code.ts";
import { flagBit, type BitAlgebra } from "../program/flag-word.ts";
import { asksForCow, flagsOfVma, maskedWord, maskOf } from "../program/vma-flags.ts";
import { literally } from "../program/literally.ts";
import { namesIn, substitute } from "../program/render.ts";
import type { Bit, State } from "./state.ts";
import { withEntry } from "./state.ts";
import { literalOf, questionOf, type Question } from "../program/question.ts";

/** The form of `questionOf()`, with variables of a known definition and spelled-out questions seen through. */
export function normalize(state: State, value: Value, depth = 0): Question {
  const question = questionOf(depth === 0 ? ofVma(state, value) : value);
  const other = depth > 20 ? null : sameQuestion(state, question.value);
  if (!other) return question;
  const normal = normalize(state, other.value, depth + 1);
  return { ...normal, inverted: (normal.inverted !== other.inverted) !== question.inverted };
}

/** Another way to ask the same; null: there is none. */
function sameQuestion(state: State, value: Value): { readonly value: Value; readonly inverted: boolean } | null {
  if (value.kind === "name") {
    const definition = state.definitions.get(value.name);
    return definition ? { value: definition, inverted: false } : null;
  }
  if (value.kind !== "binary") return null;
  const known = spelledOut.get(value);
  if (known !== undefined) return known;
  const [cow, word] = [asksForCow(value), maskedWord(value.left)?.word];
  const made: ReturnType<typeof sameQuestion> = cow === null || !word ? null : { value: { kind: "call", name: "is_cow_mapping", args: [word], at: value.at, end: value.at }, inverted: !cow };
  spelledOut.set(value, made);
  return made;
}

/** Questions that are asked by the bits: what they are called. */
const spelledOut = new WeakMap<Value, ReturnType<typeof sameQuestion>>();

/** `flags & VM_MAYSHARE` is a test of the VMA that the flags were read from. */
function ofVma(state: State, value: Value): Value {
  if (state.definitions.size === 0) return value;
  const words = new Map<string, Value>();
  for (const name of namesIn(value)) {
    const word = state.definitions.get(name);
    if (word && flagsOfVma(word) !== null) words.set(name, word);
  }
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
  const limit = inner.kind === "binary" && inner.operator === "<" ? literalOf(inner.right) : null;
  // 0 is neither below nor above 0.
  if (limit !== null && inner.kind === "binary" && truthOf(state, inner.left) === false) return 0 < limit !== inverted;
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
  const known = masks.get(value);
  if (known !== undefined) return known;
  const made = maskAsked(value);
  masks.set(value, made);
  return made;
}

/** Masks are asked in every state in which control comes to them. */
const masks = new WeakMap<Value, BitsAsked | null>();

function maskAsked(value: Value & { readonly kind: "binary" }): BitsAsked | null {
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
  const known = mentions.get(key) ?? new RegExp(`(?<![\\w$>.])${literally(key)}(?![\\w])`);
  if (mentions.size > 5000) mentions.clear();
  mentions.set(key, known);
  return known;
}

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
  (value.kind === "call" && (/^(?:is_|pte_|folio_test_|Page|vma_is_|__?vma_)/.test(value.name) || SHARE_TESTS.includes(value.name) || PRIVATE_TESTS.includes(value.name)));
