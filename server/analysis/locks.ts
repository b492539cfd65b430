// SPDX-License-Identifier: GPL-2.0-only
import { spins } from "../kernel/lock-order.ts";
import type { Value } from "../program/code.ts";
import { render } from "../program/render.ts";
import { loseProtection } from "./protection.ts";
import { isSameLock, type Atomic, type Held, type State } from "./state.ts";
import { assume, truthOf } from "./truth.ts";

/** `&x` and `x` name the same object when a lock or a range is meant. */
export const objectText = (value: Value | null): string =>
  value === null ? "" : value.kind === "unary" && value.operator === "&" ? render(value.of) : render(value);

export const nameValue = (text: string): Value => ({ kind: "name", name: text, at: 0 });

/** Splits the state by whether the call's value is zero. */
export function byResult(state: State, result: string | null, heldWhen: "always" | "nonzero" | "zero", held: (state: State) => State): State[] {
  if (heldWhen === "always") return [held(state)];
  if (result === null) return [state];
  const known = truthOf(state, nameValue(result));
  if (known !== null) return [known === (heldWhen === "nonzero") ? held(state) : state];
  const nonzero = assume(state, nameValue(result), true);
  const zero = assume(state, nameValue(result), false);
  if (heldWhen === "nonzero") return [held(nonzero), zero];
  const failed: Value = { kind: "binary", operator: "<", left: nameValue(result), right: { kind: "number", value: 0, at: 0 }, at: 0 };
  return [held(zero), assume(nonzero, failed, true)];
}

/** Nothing nests deeper than this; a list that grows with each turn of a loop must end. */
const MOST_NESTED = 2;

export const nested = (state: State, atomic: Atomic): State =>
  state.atomic.filter((one) => one.reason === atomic.reason && one.of === atomic.of).length >= MOST_NESTED
    ? state
    : { ...state, atomic: [...state.atomic, atomic] };

/** The state with one lock more. Whoever holds a lock that spins is in atomic context. */
export function acquire(state: State, lock: Held): State {
  const known = state.held.filter((one) => one.lock === lock.lock && one.object === lock.object && one.mode === lock.mode);
  // Once more in every turn of a loop: that is the same lock of another object.
  if (known.length >= MOST_NESTED) return state;
  const atomic: readonly Atomic[] = spins(lock.lock) ? [...state.atomic, { reason: "spinlock", of: lock.object, at: lock.at }] : state.atomic;
  return { ...state, held: [...state.held, lock], atomic };
}

/** The state without the lock. An object "" is any of its class. */
export function release(state: State, lock: Held["lock"], object: string): State {
  const named = withoutLast(state.held, (one) => isSameLock(one, lock, object));
  // A folio has many names, those of its pages among them.
  const held = named === state.held && lock === "folio_lock" ? withoutLast(state.held, (one) => one.lock === lock) : named;
  const atomic = withoutLast(state.atomic, (one) => one.reason === "spinlock" && (one.of === object || object === ""));
  return loseProtection({ ...state, held, atomic: spins(lock) ? atomic : state.atomic });
}

export function withoutLast<T>(list: readonly T[], matches: (item: T) => boolean): readonly T[] {
  const index = list.findLastIndex(matches);
  return index < 0 ? list : [...list.slice(0, index), ...list.slice(index + 1)];
}
