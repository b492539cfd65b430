// SPDX-License-Identifier: GPL-2.0-only
import type { Value } from "../program/code.ts";
import { render } from "../program/render.ts";
import type { Decide } from "./result-ways.ts";

/** A result on the left of a comparison. */
export interface Compared {
  readonly name: string;
  readonly operator: string;
  readonly other: Value;
}

const MIRRORED: Readonly<Record<string, string>> = { "<": ">", ">": "<", "<=": ">=", ">=": "<=", "==": "==", "!=": "!=" };

/** What a condition compares one of the variables with; null: it is about something else. */
export function comparedIn(condition: Value, names: ReadonlySet<string>): Compared | null {
  if (names.has(render(condition))) return { name: render(condition), operator: "!=", other: { kind: "number", value: 0, at: condition.at } };
  if (condition.kind !== "binary") return null;
  const [left, right, mirrored] = [render(condition.left), render(condition.right), MIRRORED[condition.operator]];
  if (mirrored === undefined) return null;
  if (names.has(left)) return { name: left, operator: condition.operator, other: condition.right };
  return names.has(right) ? { name: right, operator: mirrored, other: condition.left } : null;
}

const holds = (value: number, operator: string, other: number): boolean => {
  if (operator === "<") return value < other;
  if (operator === ">") return value > other;
  if (operator === "<=") return value <= other;
  if (operator === ">=") return value >= other;
  return operator === "==" ? value === other : value !== other;
};

/** Where a comparison with a number, or with a count of pages that is above 0, sends a value. */
const decides = (value: number): Decide => ({ condition, then, otherwise }, names) => {
  const compared = comparedIn(condition, names);
  if (!compared || compared.other.kind === "unary") return null;
  return holds(value, compared.operator, compared.other.kind === "number" ? compared.other.value : 1) ? then : otherwise;
};

export const whereZero = decides(0);
/** Any error code is as good as another. */
export const whereNegative = decides(-14);
