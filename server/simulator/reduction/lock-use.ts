// SPDX-License-Identifier: GPL-2.0-only
import type { Field } from "../expression.ts";
import type { Alternative } from "../model.ts";
import { allowedValues, readsOnly, valueAt } from "./byte-condition.ts";

/**
 * What one alternative does to a field, if the field is a lock: `take` it for itself alone, `enter` and `leave` it as one of
 * many, `drop` what was taken, `downgrade` from alone to one of many. `none` leaves it as it is; `other` no lock allows.
 * Read off guard and effect; what a step says about itself is not asked.
 */
export interface LockUse {
  readonly kind: "none" | "take" | "enter" | "leave" | "drop" | "downgrade" | "other";
  /** For `take`: the value of the field while it is taken. */
  readonly value: number;
  /** Values with which the guard lets the alternative pass, as far as it reads this field alone. */
  readonly allowed: Uint8Array;
}

/** Value of the field after the effect, by its value before; null where it depends on other fields too. */
const effectOn = ({ effect = [] }: Alternative, field: Field): ((before: number) => number) | null => {
  const own = effect.filter(({ target }) => target === field);
  if (!own.every(({ index, value }) => index === null && readsOnly(value, field))) return null;
  return (before) => own.reduce((byte, { value }) => valueAt(value, byte) & 0xff, before);
};

const kindOf = (allowed: Uint8Array, after: (before: number) => number): LockUse["kind"] => {
  const values = Array.from(allowed.keys()).filter((value) => allowed[value] === 1);
  const always = (wanted: (before: number) => number): boolean => values.every((value) => after(value) === wanted(value));
  if (always((value) => value)) return "none";
  if (values.every((value) => value === 0)) return "take";
  if (always((value) => (value + 1) & 0xff)) return "enter";
  if (always((value) => (value - 1) & 0xff)) return "leave";
  if (always(() => 0)) return "drop";
  return always(() => 1) ? "downgrade" : "other";
};

/** How an alternative uses a scalar field as a lock. */
export const lockUse = (alternative: Alternative, field: Field): LockUse => {
  const allowed = allowedValues(alternative, field);
  const after = effectOn(alternative, field);
  if (after === null) return { kind: "other", value: 0, allowed };
  const kind = kindOf(allowed, after);
  return { kind, value: kind === "take" ? after(0) : 0, allowed };
};
