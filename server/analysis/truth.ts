// SPDX-License-Identifier: GPL-2.0-only
import type { Value } from "../program/code.ts";
import { flagBit, type BitAlgebra } from "../program/flag-word.ts";
import { namesIn, render } from "../program/render.ts";
import type { Bit, State } from "./state.ts";
import { withEntry } from "./state.ts";

/** A condition in normal form: one text and whether the condition is its opposite. */
export interface Normal {
  readonly key: string;
  readonly inverted: boolean;
  readonly value: Value;
}

const isZero = (value: Value): boolean => (value.kind === "number" && value.value === 0) || (value.kind === "name" && value.name === "NULL");

/** Brings `x == NULL`, `0 != x`, `x > 0` and variables with a known definition to one form. */
export function normalize(state: State, value: Value, depth = 0): Normal {
  if (depth > 20) return { key: render(value), inverted: false, value };
  const again = (inner: Value, invert: boolean): Normal => {
    const normal = normalize(state, inner, depth + 1);
    return invert ? { ...normal, inverted: !normal.inverted } : normal;
  };
  if (value.kind === "unary" && value.operator === "!") return again(value.of, true);
  if (value.kind === "binary") {
    const { operator, left, right } = value;
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
  return null;
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
  return next;
}

/** Forgets everything that was known through a variable or place that changes. */
export function forget(state: State, key: string): State {
  const base = /^[A-Za-z_$]\w*/.exec(key)?.[0] ?? key;
  const names = (text: string): boolean => new RegExp(`(?<![\\w$>.])${escape(key)}(?![\\w])`).test(text);
  const truths = new Map([...state.truths].filter(([text]) => !names(text)));
  const definitions = new Map([...state.definitions].filter(([name, value]) => name !== key && !namesIn(value).includes(base)));
  const bits = new Map([...state.bits].filter(([text]) => !text.startsWith(`${key}/`)));
  return { ...state, truths, definitions, bits, walks: withEntry(state.walks, key, undefined) };
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
