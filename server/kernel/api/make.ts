// SPDX-License-Identifier: GPL-2.0-only
import type { ApiFact, Argument, Effect, HeldWhen, LockClass, LockMode, PureMeaning } from "../effect.ts";

/** What a fact may say besides its name, effects and source. */
export type Bounds = Omit<ApiFact, "name" | "effects" | "pure" | "source">;

/** One fact per name, all with the same effects. */
export const facts = (names: string, source: string, effects: readonly Effect[], bounds: Bounds = {}): ApiFact[] =>
  names.split(" ").map((name) => ({ name, ...bounds, effects, source }));

/** One fact per name for calls that only compute a value. */
export const values = (
  names: string,
  meaning: PureMeaning["meaning"],
  of: readonly Argument[],
  source: string,
  bounds: Bounds = {},
): ApiFact[] => names.split(" ").map((name) => ({ name, ...bounds, effects: [], pure: { meaning, of }, source }));

/** Blocking forms sleep and always end up with the lock, killable forms return 0, trylocks never sleep. */
export const acquire = (lock: LockClass, mode: LockMode, held: HeldWhen = "always", object: Argument | null = 0): Effect => ({
  kind: "acquire",
  lock,
  object,
  mode,
  sleeps: held !== "nonzero" && lock !== "spinlock" && lock !== "ptl",
  held,
});

/** For calls that return the locked object, or NULL (`sleeps` is said apart because some only try). */
export const acquireValue = (lock: LockClass, mode: LockMode, sleeps: boolean): Effect => ({
  kind: "acquire",
  lock,
  object: null,
  mode,
  sleeps,
  held: "nonzero",
  objectIsValue: true,
});

export const release = (lock: LockClass, mode: LockMode, object: Argument | null = 0): Effect => ({
  kind: "release",
  lock,
  object,
  mode,
});

/** Generic locks that live in a field of the object which the call is given. */
export const inField = (field: string, effect: Effect): Effect =>
  effect.kind === "acquire" || effect.kind === "release" ? { ...effect, field } : effect;

export const maySleep: Effect = { kind: "maySleep" };

export const access = (pte: Argument, write: boolean): Effect => ({ kind: "accessEntry", pte, write });

export const clear = (pte: Argument, flush: boolean): Effect => ({ kind: "clearEntry", pte, flush });

export const set = (pte: Argument, value: Argument): Effect => ({ kind: "setEntry", pte, value });

export const requires = (lock: LockClass, mode: LockMode | "any", object: Argument | null = 0): Effect => ({ kind: "requiresHeld", lock, object, mode });

export const excludes = (lock: LockClass, object: Argument | null): Effect => ({ kind: "requiresNotHeld", lock, object });

type Drop = Extract<Effect, { kind: "dropsLock" }>;

/** mmap_lock of what the argument is or leads to, held for reading. */
export const dropsMmapLock = (object: Argument | null, when: Drop["when"], onReturn: Drop["onReturn"], rest: Partial<Drop> = {}): Effect => ({
  kind: "dropsLock",
  lock: "mmap_lock",
  object,
  mode: "read",
  when,
  onReturn,
  ...rest,
});

type ReturnedReference = Extract<Effect, { kind: "returnsReference" }>;

export const returnsReference = (
  to: ReturnedReference["to"],
  failure: ReturnedReference["failure"],
  rest: Partial<ReturnedReference> = {},
): Effect => ({ kind: "returnsReference", to, reference: "get", failure, ...rest });
