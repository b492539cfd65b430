// SPDX-License-Identifier: GPL-2.0-only
import { spins } from "../kernel/lock-order.ts";
import type { Value } from "../program/code.ts";
import { render } from "../program/render.ts";
import { loseProtection } from "./protection.ts";
import { isGeneric, isSameLock, type Atomic, type Held, type State } from "./state.ts";
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
export const MOST_NESTED = 2;

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

/** The state without the lock. An object "" is any of its class; a lock under the very name goes before one that has lost its own. */
export function release(state: State, lock: Held["lock"], object: string): State {
  const gone =
    state.held.findLast((one) => one.lock === lock && one.object === object) ??
    state.held.findLast((one) => one.lock !== "lock" && one.object === object && isSameLock(one, lock, object)) ??
    state.held.findLast((one) => isSameLock(one, lock, object)) ??
    // A folio has many names, those of its pages among them.
    (lock === "folio_lock" ? state.held.findLast((one) => one.lock === lock) : undefined);
  const asserted = isGeneric(lock) ? withoutAsserted(state.held, gone, object) : state.held;
  const held = withoutLast(asserted, (one) => one === gone);
  const atomic = withoutLast(state.atomic, (one) => one.reason === "spinlock" && (one.of === (gone?.object ?? object) || object === ""));
  return loseProtection({ ...state, held, atomic: spins(lock) ? atomic : state.atomic });
}

/** A class of its own is taken on a VMA here and on what the VMA leads to there, or the other way round: `vma = vma_lock->vma`. */
const mayBeNamed = ({ lock, object }: Held, names: ReadonlySet<string>): boolean =>
  names.has(object) || (!isGeneric(lock) && object !== "" && [...names].some((name) => name.startsWith(`${object}->`)));

/**
 * The locks without those that an assertion told of in words of its own (`lock_of(t)`) and that may be the one given up:
 * not one that was asserted before that one was taken.
 */
function withoutAsserted(held: readonly Held[], gone: Held | undefined, object: string): readonly Held[] {
  const since = gone?.taken === true ? held.lastIndexOf(gone) : Infinity;
  const field = lockField(object);
  const mayBe = (one: Held): boolean => one.object === object || field === null || lockField(one.object) === null || lockField(one.object) === field;
  const isGone = (one: Held, at: number): boolean => one.lock === "lock" && (one.object === object || (at > since || since === Infinity)) && mayBe(one);
  return held.some(isGone) ? held.filter((one, at) => !isGone(one, at)) : held;
}

/** Field in which a lock lives, through what asks for the one of a CPU (`this_cpu_ptr(&c->lock)`); null: none is named. */
export const lockField = (object: string): string | null => /(?:->|\.)(\w+)\)*$/.exec(object)?.[1] ?? null;

/**
 * States after a lock is given up under a name that none is held under. Where the function made that name equal to the
 * name of one that is held, either may be meant: that one, or one of the caller.
 */
export function releaseAny(state: State, lock: Held["lock"], object: string, names: ReadonlySet<string> | undefined): State[] {
  const released = release(state, lock, object);
  const other = names && released.held.length === state.held.length ? state.held.findLast((one) => one.lock === lock && mayBeNamed(one, names)) : undefined;
  return other ? [release(state, lock, other.object), released] : [released];
}

export function withoutLast<T>(list: readonly T[], matches: (item: T) => boolean): readonly T[] {
  const index = list.findLastIndex(matches);
  return index < 0 ? list : [...list.slice(0, index), ...list.slice(index + 1)];
}
