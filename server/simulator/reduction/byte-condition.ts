// SPDX-License-Identifier: GPL-2.0-only
import type { BinaryOperator, Expression, Field } from "../expression.ts";
import type { Alternative } from "../model.ts";

/** The parts of a condition that must all hold. */
export const conjunctsOf = (of: Expression): readonly Expression[] =>
  of.kind === "binary" && of.operator === "and" ? [...conjunctsOf(of.left), ...conjunctsOf(of.right)] : [of];

/** Whether an expression reads this scalar field and nothing else. */
export const readsOnly = (of: Expression, field: Field): boolean => {
  switch (of.kind) {
    case "constant":
      return true;
    case "field":
      return of.field === field;
    case "element":
      return false;
    case "not":
      return readsOnly(of.of, field);
    case "binary":
      return readsOnly(of.left, field) && readsOnly(of.right, field);
  }
};

const OPERATORS: Readonly<Record<BinaryOperator, (left: number, right: number) => number>> = {
  "==": (left, right) => Number(left === right),
  "!=": (left, right) => Number(left !== right),
  "<": (left, right) => Number(left < right),
  ">": (left, right) => Number(left > right),
  "<=": (left, right) => Number(left <= right),
  ">=": (left, right) => Number(left >= right),
  "+": (left, right) => left + right,
  "-": (left, right) => left - right,
  and: (left, right) => Number(left !== 0 && right !== 0),
  or: (left, right) => Number(left !== 0 || right !== 0),
};

/** The value of an expression that reads one field only, where that field has the given value. */
export const valueAt = (of: Expression, byte: number): number => {
  switch (of.kind) {
    case "constant":
      return of.value;
    case "field":
      return byte;
    case "element":
      throw new Error("an array has no single value");
    case "not":
      return Number(valueAt(of.of, byte) === 0);
    case "binary":
      return OPERATORS[of.operator](valueAt(of.left, byte), valueAt(of.right, byte));
  }
};

/** All 256 values of a byte. Not to be written. */
export const ANY: Uint8Array = new Uint8Array(256).fill(1);

/**
 * For which values of the field an alternative may be enabled, as far as the parts of its guard show that read this field
 * alone: 256 bytes, 1 where none of them is false.
 */
export const allowedValues = ({ guard }: Alternative, field: Field): Uint8Array => {
  const parts = guard === undefined ? [] : conjunctsOf(guard).filter((part) => part.kind !== "constant" && readsOnly(part, field));
  if (parts.length === 0) return ANY;
  const allowed = ANY.slice();
  for (const part of parts) {
    for (let value = 0; value < 256; value++) if (valueAt(part, value) === 0) allowed[value] = 0;
  }
  return allowed;
};
