// SPDX-License-Identifier: GPL-2.0-only
import type { LockClass, LockMode } from "../kernel/effect.ts";
import type { Value } from "../program/code.ts";
import type { NodeId } from "../program/program.ts";

/** A lock held on this path. */
export interface Held {
  readonly lock: LockClass;
  /** Canonical text of the object, "" where the lock is global. */
  readonly object: string;
  readonly mode: LockMode | "any";
  /** Node that took it; -1 where the caller holds it. */
  readonly at: NodeId;
  /** False where only an assertion says that it is held. */
  readonly taken: boolean;
}

/** Why the context is atomic. */
export interface Atomic {
  readonly reason: "rcu" | "irq" | "preempt" | "lazy_mmu" | "spinlock" | "pte-map";
  readonly of: string;
  readonly at: NodeId;
}

/** Result of a hugetlb walk that a variable holds. */
export interface WalkOrigin {
  readonly walk: NodeId;
  /** Canonical text of the VMA, or null where the walk names none. */
  readonly vma: string | null;
  /** Other names of the VMA; null: any name may be meant. */
  readonly alsoNamed: ReadonlySet<string> | null;
  /** True where something protected the table during the walk. */
  readonly protectedAtWalk: boolean;
  /** False once nothing has protected the table since the walk. */
  readonly protectedSince: boolean;
  /** True where code between the walk and here is not visible. */
  readonly hasGap: boolean;
  /** The lock that someone who is not visible took, and that was given up after the walk. */
  readonly givenUp: { readonly lock: LockClass; readonly mode: "read" | "write" } | null;
}

export type Bit = "yes" | "no" | "maybe";

/** Abstract state on one path. Immutable: every change makes a new one. */
export interface State {
  readonly held: readonly Held[];
  /** True where a caller that is not visible may hold locks. */
  readonly callerUnknown: boolean;
  readonly atomic: readonly Atomic[];
  /** Variables that hold a mapped page table entry, in order of mapping. */
  readonly mapped: readonly { readonly pte: string; readonly at: NodeId; readonly rcu: boolean }[];
  /** What is known of conditions and of variables as conditions, by canonical text. */
  readonly truths: ReadonlyMap<string, boolean>;
  /** What boolean variables stand for, so that a test of the variable is a test of its definition. */
  readonly definitions: ReadonlyMap<string, Value>;
  readonly walks: ReadonlyMap<string, WalkOrigin>;
  /** Flag words: `variable/BIT` -> value. */
  readonly bits: ReadonlyMap<string, Bit>;
  /** Variables whose last value came from a call that nothing is known about. */
  readonly doubtful: ReadonlySet<string>;
  /** True where assertions about locks are not believed, because the callers can be asked. */
  readonly distrusts?: boolean;
}

export const EMPTY_STATE: State = {
  held: [],
  callerUnknown: true,
  atomic: [],
  mapped: [],
  truths: new Map(),
  definitions: new Map(),
  walks: new Map(),
  bits: new Map(),
  doubtful: new Set(),
};

/** Classes of locks that are told apart by their object only; an assertion does not say which of them it means. */
const GENERIC: ReadonlySet<LockClass> = new Set<LockClass>(["ptl", "spinlock", "mutex", "rwsem", "lock"]);

export const isGeneric = (lock: LockClass): boolean => GENERIC.has(lock);

export const isSameLock = (held: Held, lock: LockClass, object: string): boolean =>
  held.lock === lock ? held.object === object || held.object === "" || object === "" : GENERIC.has(held.lock) && GENERIC.has(lock) && held.object === object && object !== "";

/** True where some lock of the class is held on the object; null: on any. An unknown object may be any. */
export const isHeld = (state: State, lock: LockClass, object: string | null): boolean =>
  state.held.some((one) => (object === null ? one.lock === lock : isSameLock(one, lock, object)));

/** Copy of a map with one entry set, or removed where the value is undefined. */
export function withEntry<V>(map: ReadonlyMap<string, V>, key: string, value: V | undefined): ReadonlyMap<string, V> {
  if (map.get(key) === value && (value !== undefined || !map.has(key))) return map;
  const copy = new Map(map);
  if (value === undefined) copy.delete(key);
  else copy.set(key, value);
  return copy;
}

function sorted(entries: Iterable<readonly [string, unknown]>): string {
  const texts: string[] = [];
  for (const [key, value] of entries) texts.push(`${key}=${String(value)}`);
  return texts.length > 1 ? texts.toSorted().join(",") : (texts[0] ?? "");
}

/** Parts of states are shared by most states of a function, and never change: their texts are made once. */
function remembered<T extends object>(textOf: (part: T) => string): (part: T) => string {
  const known = new WeakMap<T, string>();
  return (part) => {
    const text = known.get(part) ?? textOf(part);
    known.set(part, text);
    return text;
  };
}

const walksKey = remembered<State["walks"]>((walks) =>
  sorted([...walks].map(([key, walk]) => [key, `${walk.walk}${walk.protectedAtWalk ? "" : "?"}${walk.protectedSince ? "" : "!"}${walk.hasGap ? "~" : ""}${walk.givenUp?.lock ?? ""}`] as const)),
);
const mappedKey = remembered<State["mapped"]>((mapped) => mapped.map((pte) => pte.pte).join(","));
const heldKey = remembered<State["held"]>((held) => held.map((lock) => `${lock.lock}(${lock.object})${lock.mode}`).toSorted().join(","));
const atomicKey = remembered<State["atomic"]>((atomic) => atomic.map((one) => `${one.reason}(${one.of})`).toSorted().join(","));
const entriesKey = remembered<ReadonlyMap<string, unknown>>(sorted);
const definitionsKey = remembered<State["definitions"]>((definitions) => sorted([...definitions].map(([key, value]) => [key, value.at] as const)));
const doubtfulKey = remembered<State["doubtful"]>((doubtful) => [...doubtful].toSorted().join(","));

/** Texts of the parts of a state: equal texts, equal parts. */
export const partKeys = {
  held: heldKey, atomic: atomicKey, mapped: mappedKey, entries: entriesKey, definitions: definitionsKey, walks: walksKey, doubtful: doubtfulKey,
} as const;

/** Equal keys: the states cannot be told apart by anything that happens later. */
export function stateKey(state: State): string {
  return [
    heldKey(state.held),
    state.callerUnknown ? "?" : "!",
    atomicKey(state.atomic),
    mappedKey(state.mapped),
    entriesKey(state.truths),
    definitionsKey(state.definitions),
    walksKey(state.walks),
    entriesKey(state.bits),
    doubtfulKey(state.doubtful),
  ].join(";");
}
