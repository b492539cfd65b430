// SPDX-License-Identifier: GPL-2.0-only
import { expression } from "./expression.ts";
import type { Expression, Field, Operand } from "./expression.ts";
import type { Assignment } from "./model.ts";

/** `target := value`. */
export const assign = (target: Field, value: Operand): Assignment => ({
  target,
  index: null,
  value: expression(value),
});

/** `target[index] := value`. */
export const assignAt = (target: Field, index: Operand, value: Operand): Assignment => ({
  target,
  index: expression(index),
  value: expression(value),
});

const step = (operator: "+" | "-") => (target: Field, by = 1): Assignment => {
  const left: Expression = { kind: "field", field: target };
  return { target, index: null, value: { kind: "binary", operator, left, right: expression(by) } };
};

const stepAt = (operator: "+" | "-") => (target: Field, index: Operand, by = 1): Assignment => {
  const at = expression(index);
  const left: Expression = { kind: "element", field: target, index: at };
  return { target, index: at, value: { kind: "binary", operator, left, right: expression(by) } };
};

/** `target := target + by`. */
export const increment = step("+");
/** `target := target - by`. */
export const decrement = step("-");
/** `target[index] := target[index] + by`. */
export const incrementAt = stepAt("+");
/** `target[index] := target[index] - by`. */
export const decrementAt = stepAt("-");
