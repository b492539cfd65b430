// SPDX-License-Identifier: GPL-2.0-only
import type { Value } from "./code.ts";
import { render } from "./render.ts";

/**
 * How one bit of a flag word is computed, over any domain of truth: three-valued in the analysis, expressions over
 * state bytes in the simulator.
 */
export interface BitAlgebra<T> {
  constant(bit: boolean): T;
  and(left: T, right: T): T;
  or(left: T, right: T): T;
  not(of: T): T;
  /** The bit of a variable, a parameter or a place. */
  variable(key: string): T;
  /** Truth of a condition inside the flag word (`c ? FOLL_WRITE : 0`). */
  condition(value: Value): T;
  /** A bit that nothing is known about. */
  unknown(): T;
}

/** Values of flag bits that code also writes as numbers: FOLL_WRITE has been bit 0 in every release. */
const NUMERIC_BITS: Readonly<Record<string, number>> = { FOLL_WRITE: 1 };

const MACRO = /^[A-Z][A-Z0-9_]*$/;

/** The bit named `bit` of a flag word. */
export function flagBit<T>(value: Value, bit: string, algebra: BitAlgebra<T>): T {
  switch (value.kind) {
    case "number":
      return algebra.constant((value.value & (NUMERIC_BITS[bit] ?? 0)) !== 0);
    case "name":
      return MACRO.test(value.name) ? algebra.constant(value.name === bit) : algebra.variable(value.name);
    case "member":
      // A field is a variable like any other to those who follow what is assigned to it.
      return algebra.variable(render(value));
    case "binary": {
      const left = (): T => flagBit(value.left, bit, algebra);
      const right = (): T => flagBit(value.right, bit, algebra);
      if (value.operator === "|" || value.operator === "+") return algebra.or(left(), right());
      if (value.operator === "&") return algebra.and(left(), right());
      if (value.operator === "^") return differs(left(), right(), algebra);
      // A comparison as a flag word is 0 or 1.
      if (/^(?:==|!=|<|>|<=|>=|&&|\|\|)$/.test(value.operator))
        return NUMERIC_BITS[bit] === 1 ? algebra.condition(value) : algebra.constant(false);
      return algebra.unknown();
    }
    case "unary":
      // `*flags` is the caller's word.
      if (value.operator === "*" && value.of.kind === "name") return algebra.variable(render(value));
      if (value.operator === "~") return algebra.not(flagBit(value.of, bit, algebra));
      if (value.operator === "!") return NUMERIC_BITS[bit] === 1 ? algebra.not(algebra.condition(value.of)) : algebra.constant(false);
      return algebra.unknown();
    case "conditional": {
      const condition = algebra.condition(value.condition);
      const then = value.then ? flagBit(value.then, bit, algebra) : algebra.unknown();
      return algebra.or(
        algebra.and(condition, then),
        algebra.and(algebra.not(condition), flagBit(value.otherwise, bit, algebra)),
      );
    }
    default:
      return algebra.unknown();
  }
}

/** What `target operator value` leaves in a bit that held `before`. */
export function assignBit<T>(operator: string, before: T, value: Value | null, bit: string, algebra: BitAlgebra<T>): T {
  if (value === null) return algebra.unknown();
  const right = flagBit(value, bit, algebra);
  switch (operator) {
    case "=":
      return right;
    case "|=":
      return algebra.or(before, right);
    case "&=":
      return algebra.and(before, right);
    case "^=":
      return differs(before, right, algebra);
    default:
      return algebra.unknown();
  }
}

const differs = <T>(left: T, right: T, algebra: BitAlgebra<T>): T =>
  algebra.or(algebra.and(left, algebra.not(right)), algebra.and(algebra.not(left), right));

/** Names of the flag macros with a prefix that occur in a value. */
export function flagsIn(value: Value, prefix: string, found = new Set<string>()): Set<string> {
  if (value.kind === "name" && value.name.startsWith(prefix)) found.add(value.name);
  for (const part of Object.values(value) as unknown[])
    if (typeof part === "object" && part !== null && "kind" in part && "at" in part) flagsIn(part as Value, prefix, found);
  return found;
}
