// SPDX-License-Identifier: GPL-2.0-only
import type { LockClass } from "../../kernel/effect.ts";
import type { Value } from "../../program/code.ts";
import { resolveLock } from "../../program/effects.ts";
import type { EffectProgram } from "../../program/program.ts";
import { render } from "../../program/render.ts";
import { pointee } from "./obligation.ts";

/*
 * Two texts may mean one lock: `held = ptl`, `&mm->mmap_lock` and what mmap_read_unlock() is handed, a folio and its page.
 * What is not provably another lock may be the same.
 */

/** A lock as a call names it. */
export interface NamedLock {
  readonly lock: LockClass;
  readonly object: Value | null;
  /** What a reader calls it: also its identity. */
  readonly name: string;
}

/** Classes that are told apart by their object only. */
const GENERIC: ReadonlySet<LockClass> = new Set<LockClass>(["ptl", "spinlock", "mutex", "rwsem"]);

/** The primitive that a lock of a class is; a call for another primitive never means it. */
const PRIMITIVE: Readonly<Record<LockClass, string>> = {
  mmap_lock: "rwsem", vma_lock: "rwsem", hugetlb_vma_lock: "rwsem", i_mmap_rwsem: "rwsem", anon_vma: "rwsem", rwsem: "rwsem",
  hugetlb_fault_mutex: "mutex", mutex: "mutex", ptl: "spinlock", spinlock: "spinlock", folio_lock: "folio_lock", lock: "lock",
};

/**
 * The lock that a call of a class is given. The class that a field stands for is known only once a helper's parameter has
 * become the caller's argument. `field`: the field of an object that the call locks by itself.
 */
export function namedLock(called: LockClass, given: Value | null, field?: string): NamedLock {
  const place: Value | null = given !== null && field !== undefined ? { kind: "unary", operator: "&", of: given, at: given.at } : given;
  const { lock, object } = place === null ? { lock: called, object: null } : resolveLock(called, place, () => false);
  const of = object === null ? "" : render(pointee(object));
  return { lock, object, name: GENERIC.has(lock) || of === "" ? of || lock : `${lock} of ${of}` };
}

/** False where two locks of different names are provably two. */
export function mayBeOne(program: EffectProgram, one: NamedLock, other: NamedLock): boolean {
  if (PRIMITIVE[one.lock] !== PRIMITIVE[other.lock]) return false;
  if (one.lock === other.lock && (one.object === null || other.object === null || !GENERIC.has(one.lock))) return true;
  if (!GENERIC.has(one.lock) && !GENERIC.has(other.lock)) return false;
  const [place, second] = [placeOfLock(one), placeOfLock(other)];
  // A pointer may point to any. A place would have told that it is of the class, or it is in no page table.
  if (place === null || second === null) return one.lock === other.lock || (place ?? second) === null;
  return one.lock === other.lock && (around(place).some((whole) => arePlacesAlike(program, whole, second)) || around(second).some((whole) => arePlacesAlike(program, place, whole)));
}

/** A place, and what it is a part of: `d->lock.rlock` is in `d->lock`. */
const around = (place: Value): readonly Value[] => (place.kind === "member" && !place.arrow ? [place, ...around(place.of)] : [place]);

/** Where the lock itself lives; null: a pointer to it is named, or what holds it. */
function placeOfLock({ lock, object }: NamedLock): Value | null {
  return object?.kind === "unary" && object.operator === "&" && lock !== "ptl" && GENERIC.has(lock) ? object.of : null;
}

/** Whether two places may be one: different fields, variables and arrays never are, nor fields of structures of different types. */
function arePlacesAlike(program: EffectProgram, one: Value, other: Value): boolean {
  if (isOpen(one) || isOpen(other)) return true;
  if (one.kind === "index" && other.kind === "index") return arePlacesAlike(program, one.of, other.of);
  if (one.kind === "member" && other.kind === "member") return one.field === other.field && areHoldersAlike(program, one, other);
  return one.kind === "name" && other.kind === "name" && one.name === other.name;
}

/** Anything but a variable, a field or an element: `*lock`. */
const isOpen = ({ kind }: Value): boolean => kind !== "name" && kind !== "member" && kind !== "index";

type Member = Value & { kind: "member" };

function areHoldersAlike(program: EffectProgram, one: Member, other: Member): boolean {
  const [type, second] = [typeOf(program, one), typeOf(program, other)];
  if (type !== null && second !== null && type !== second) return false;
  return one.arrow || other.arrow || arePlacesAlike(program, one.of, other.of);
}

/** The type of the structure that has the field, where a variable tells; null: not known. */
function typeOf(program: EffectProgram, { of, arrow }: Member): string | null {
  const variable = of.kind === "name" ? program.variables.get(of.name) : undefined;
  return variable && variable.pointers === (arrow ? 1 : 0) ? variable.type : null;
}
