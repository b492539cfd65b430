// SPDX-License-Identifier: GPL-2.0-only
import type { Field } from "../expression.ts";
import type { Alternative, Assignment } from "../model.ts";
import { allowedValues, ANY, readsOnly, valueAt } from "./byte-condition.ts";

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

type Change = (before: number) => number;

/** Value of the field after the effect, by its value before; null where it depends on other fields too. */
const changeOf = (own: readonly Assignment[], field: Field): Change | null =>
  own.every(({ index, value }) => index === null && readsOnly(value, field))
    ? (before) => own.reduce((byte, { value }) => valueAt(value, byte) & 0xff, before)
    : null;

const leaveIt: Change = (value) => value;
const enterOnce: Change = (value) => (value + 1) & 0xff;
const leaveOnce: Change = (value) => (value - 1) & 0xff;
const dropIt: Change = () => 0;
const oneInside: Change = () => 1;

const isAlways = (allowed: Uint8Array, change: Change, wanted: Change): boolean => {
  for (let value = 0; value < 256; value++) if (allowed[value] === 1 && change(value) !== wanted(value)) return false;
  return true;
};

const kindOf = (allowed: Uint8Array, change: Change): LockUse["kind"] => {
  if (isAlways(allowed, change, leaveIt)) return "none";
  if (allowed.indexOf(1, 1) < 0) return "take";
  // First, because a guard for one value may make 0 one less, or one more than 255.
  if (isAlways(allowed, change, dropIt)) return "drop";
  if (isAlways(allowed, change, enterOnce)) return "enter";
  if (isAlways(allowed, change, leaveOnce)) return "leave";
  return isAlways(allowed, change, oneInside) ? "downgrade" : "other";
};

/** Most alternatives have nothing to do with most fields. */
const NO_USE: LockUse = { kind: "none", value: 0, allowed: ANY };

/** How an alternative uses a scalar field as a lock. */
export const lockUse = (alternative: Alternative, field: Field): LockUse => {
  const allowed = allowedValues(alternative, field);
  const own = (alternative.effect ?? []).filter(({ target }) => target === field);
  if (own.length === 0) return allowed === ANY ? NO_USE : { kind: "none", value: 0, allowed };
  const change = changeOf(own, field);
  if (change === null) return { kind: "other", value: 0, allowed };
  const kind = kindOf(allowed, change);
  return { kind, value: kind === "take" ? change(0) : 0, allowed };
};

/** Whether all that an alternative writes to the field is what locks are written: 0, another number, or one more or less. */
export const mayBeLockUse = ({ effect = [] }: Alternative, field: Field): boolean =>
  effect.every(({ target, value }) => target !== field || readsOnly(value, field));
