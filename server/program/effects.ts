// SPDX-License-Identifier: GPL-2.0-only
import type { Effect, LockClass } from "../kernel/effect.ts";
import { LOCK_FIELDS } from "../kernel/lock-order.ts";
import type { Value } from "./code.ts";
import type { BoundEffect } from "./program.ts";

const MISSING: Value = { kind: "opaque", text: "", at: 0 };

/**
 * Ties an effect to the arguments of one call. A generic lock (`down_read(&mm->mmap_sem)`) becomes the class that its
 * field stands for, on the object that holds the field; a spinlock on a pointer known to be a page-table lock becomes `ptl`.
 */
export function bindEffect(effect: Effect, args: readonly Value[], isPageTableLock: (lock: Value) => boolean): BoundEffect {
  const bound = Object.fromEntries(
    Object.entries(effect).map(([key, value]) => [key, typeof value === "number" ? (args[value] ?? MISSING) : value]),
  ) as BoundEffect;
  if (bound.kind !== "acquire" && bound.kind !== "release" && bound.kind !== "assertHeld") return bound;
  if (bound.object === null) return bound;
  const field = "field" in bound ? bound.field : undefined;
  if (field !== undefined) return { ...bound, object: fieldOf(bound.object, field) };
  const resolved = resolveLock(bound.lock, bound.object, isPageTableLock);
  return { ...bound, lock: resolved.lock, object: resolved.object };
}

/** Flags of a fault that may give up the lock of its caller. */
const ALLOWS_RETRY = /^FAULT_FLAG_(?:ALLOW_RETRY|DEFAULT)$/;

/** True where the flags of a fault, as they stand in the call, forbid what the effect says. */
export const isForbidden = (effect: BoundEffect): boolean => effect.kind === "dropsLock" && effect.allowedBy !== undefined && isOfOtherFlags(effect.allowedBy);

function isOfOtherFlags(value: Value): boolean {
  if (value.kind === "name") return value.name.startsWith("FAULT_FLAG_") && !ALLOWS_RETRY.test(value.name);
  if (value.kind === "number") return value.value === 0;
  if (value.kind === "conditional") return value.then !== null && isOfOtherFlags(value.then) && isOfOtherFlags(value.otherwise);
  return value.kind === "binary" && value.operator === "|" && isOfOtherFlags(value.left) && isOfOtherFlags(value.right);
}

const fieldOf = (object: Value, field: string): Value =>
  object.kind === "unary" && object.operator === "&"
    ? { kind: "member", of: object.of, field, arrow: false, at: object.at }
    : { kind: "member", of: object, field, arrow: true, at: object.at };

/** The class that a generic lock is of, by the field that the argument names, and the object that holds it. */
export function resolveLock(lock: LockClass, object: Value, isPageTableLock: (lock: Value) => boolean): { lock: LockClass; object: Value } {
  if (lock !== "rwsem" && lock !== "spinlock" && lock !== "mutex" && lock !== "lock") return { lock, object };
  const pointee = object.kind === "unary" && object.operator === "&" ? object.of : object;
  if (pointee.kind === "member") {
    const known = LOCK_FIELDS[pointee.field];
    // `vmf->ptl` is a pointer to the lock, and the same text as what maps and unmaps are given.
    if (known) return { lock: known, object: known === "ptl" && pointee === object ? object : pointee.of };
  }
  // `&table[hash]`: the class is the table's.
  const table = pointee.kind === "index" && pointee.of.kind === "name" ? LOCK_FIELDS[pointee.of.name] : undefined;
  if (table) return { lock: table, object: pointee };
  if (lock === "spinlock" && isPageTableLock(object)) return { lock: "ptl", object };
  return { lock, object };
}
