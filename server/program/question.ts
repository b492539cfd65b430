// SPDX-License-Identifier: GPL-2.0-only
import type { Value } from "./code.ts";
import { render } from "./render.ts";
import { isZero } from "./truth-table.ts";

/** A condition in normal form: one text and whether the condition is its opposite. */
export interface Question {
  readonly key: string;
  readonly inverted: boolean;
  readonly value: Value;
}

/** Deeper conditions than this are their own normal form. */
const MAX_DEPTH = 20;

/**
 * One form for `x`, `x != 0`, `!!x` and `NULL != x`; for `a != b` and `b == a`; for `a < b`, `b > a`, `a >= b` and `b <= a`;
 * and for `n > 2` and `n >= 3`: what is left is a value, a `==`, or a `<` (behind which a literal stands on the right).
 * Numbers are whole numbers.
 */
export function questionOf(value: Value): Question {
  const known = questions.get(value);
  if (known) return known;
  const made = questionAt(value, 0);
  questions.set(value, made);
  return made;
}

/** Conditions are asked in every state in which control comes to them. */
const questions = new WeakMap<Value, Question>();

function questionAt(value: Value, depth: number): Question {
  const again = (inner: Value, inverts: boolean): Question => {
    const question = questionAt(inner, depth + 1);
    return inverts ? { ...question, inverted: !question.inverted } : question;
  };
  if (depth <= MAX_DEPTH) {
    if (value.kind === "unary" && value.operator === "!") return again(value.of, true);
    if (value.kind === "binary") {
      const { operator, left, right } = value;
      if (operator === "==" || operator === "!=") {
        if (isZero(right) || isZero(left)) return again(isZero(right) ? left : right, operator === "==");
        // A condition is 0 or 1.
        if (isOne(right) && isTruth(left)) return again(left, operator === "!=");
        if (isOne(left) && isTruth(right)) return again(right, operator === "!=");
        return asked(equality(value, left, right), operator === "!=");
      }
      if (ORDER.has(operator)) return order(value, operator, left, right);
    }
  }
  return asked(value, false);
}

const asked = (value: Value, inverted: boolean): Question => ({ key: render(value), inverted, value });

const ORDER: ReadonlySet<string> = new Set(["<", ">", "<=", ">="]);
const CONDITION: ReadonlySet<string> = new Set(["==", "!=", "<", ">", "<=", ">=", "&&", "||"]);

const isOne = (value: Value): boolean => value.kind === "number" && value.value === 1;

/** True for a value that is 0 or 1 by its operator. */
export const isTruth = (value: Value): boolean =>
  (value.kind === "unary" && value.operator === "!") || (value.kind === "binary" && CONDITION.has(value.operator));

/** The number that a value is written as; null: it is none. */
export function literalOf(value: Value): number | null {
  if (value.kind === "number") return value.value;
  return value.kind === "unary" && value.operator === "-" && value.of.kind === "number" ? -value.of.value : null;
}

/** Literals and names of constants stand on the right. */
export const isConstant = (value: Value): boolean =>
  value.kind === "name" ? /^[A-Z][A-Z0-9_]*$/.test(value.name) : value.kind === "unary" ? value.operator !== "*" && isConstant(value.of) : value.kind === "number";

type Binary = Value & { readonly kind: "binary" };

function equality(of: Binary, left: Value, right: Value): Value {
  const swap = isConstant(left) === isConstant(right) ? render(left) > render(right) : isConstant(left);
  return swap ? { ...of, operator: "==", left: right, right: left } : of.operator === "==" ? of : { ...of, operator: "==" };
}

function order(of: Binary, operator: string, left: Value, right: Value): Question {
  const [small, large] = [literalOf(left), literalOf(right)];
  const below = (one: Value, other: Value, inverted: boolean): Question => asked({ ...of, operator: "<", left: one, right: other }, inverted);
  if (large === null && small === null) {
    if (operator === "<" || operator === ">=") return below(left, right, operator === ">=");
    return below(right, left, operator === "<=");
  }
  const [term, point, turned] = large !== null ? [left, large, operator] : [right, small ?? 0, TURNED[operator] ?? operator];
  // `term <= point` is `term < point + 1`.
  const limit = point + (turned === "<=" || turned === ">" ? 1 : 0);
  return below(term, number(limit, of.at), turned === ">" || turned === ">=");
}

/** The operator with its sides changed. */
const TURNED: Readonly<Record<string, string>> = { "<": ">", ">": "<", "<=": ">=", ">=": "<=" };

const number = (value: number, at: number): Value =>
  value < 0 ? { kind: "unary", operator: "-", of: { kind: "number", value: -value, at }, at } : { kind: "number", value, at };
