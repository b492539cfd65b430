// SPDX-License-Identifier: GPL-2.0-only
import type { LockClass, LockMode } from "../../kernel/effect.ts";
import type { Value } from "../../program/code.ts";
import type { BoundEffect, CallNode, EffectProgram } from "../../program/program.ts";
import { render } from "../../program/render.ts";
import { namesOfPlace } from "./places.ts";
import { pointee, type ObligationKind, type Role } from "./obligation.ts";

/*
 * A lock is taken and given up under the name of its object. Functions that succeed with a lock held are many, so that one
 * left held is a defect only where the function fails, or has nothing to tell its caller with.
 */

/** Classes that are told apart by their object only. */
const GENERIC: ReadonlySet<LockClass> = new Set<LockClass>(["ptl", "spinlock", "mutex", "rwsem"]);

/** What a reader calls the lock: also its identity. */
const nameOfLock = (lock: LockClass, object: Value | null): string => {
  const of = object === null ? "" : render(pointee(object));
  return GENERIC.has(lock) || of === "" ? of || lock : `${lock} of ${of}`;
};

interface Taken {
  readonly name: string;
  readonly failure: "zero" | "nonzero" | null;
  readonly object: Value | null;
}

/** The lock that an effect takes, or null. */
function takenBy(effect: BoundEffect, call: CallNode): Taken | null {
  if (effect.kind === "acquire") {
    if (effect.objectIsValue || effect.mode === "read" || effect.object === null) return null;
    return { name: nameOfLock(effect.lock, effect.object), failure: effect.held === "always" ? null : effect.held === "zero" ? "nonzero" : "zero", object: effect.object };
  }
  if (effect.kind === "lockEntryTable" && call.result !== null) {
    const object: Value = { kind: "name", name: call.result, at: call.at };
    return { name: call.result, failure: effect.held === "nonzero" ? "zero" : null, object };
  }
  return null;
}

/** Lock that an effect gives up, or null. */
function givenUpBy(effect: BoundEffect): string | null {
  if (effect.kind === "release") return nameOfLock(effect.lock, effect.object);
  return (effect.kind === "unmapPte" || effect.kind === "consumes") && effect.ptl !== null ? nameOfLock("ptl", effect.ptl) : null;
}

function roleOf(effect: BoundEffect, call: CallNode): Role | null {
  const taken = takenBy(effect, call);
  if (taken) return { does: "begin", failure: taken.failure, received: null, place: taken.name, words: { begun: "acquired", failed: "not acquired" } };
  const place = givenUpBy(effect);
  if (place !== null) return { does: "end", handle: { by: "place", place } };
  // A callee that may drop the lock on some of its outcomes: what is held afterwards is not known.
  return effect.kind === "dropsLock" ? { does: "forget" } : null;
}

/** True where the name of a lock means one object wherever the function says it. */
export function isOneLock(program: EffectProgram, effect: BoundEffect, call: CallNode): boolean {
  const object = takenBy(effect, call)?.object;
  return object !== undefined && object !== null && namesOfPlace(pointee(object)).every((name) => isGivenOnce(program, name));
}

/** A parameter that keeps its value, or a variable with a single one. */
function isGivenOnce(program: EffectProgram, name: string): boolean {
  const times = program.nodes.filter((node) => (node.kind === "assign" && render(node.target) === name) || (node.kind === "call" && node.result === name)).length;
  const variable = program.variables.get(name);
  // What holds a lock itself is another one where it is given another value; a pointer to a page-table lock is set by each map.
  return variable === undefined || variable.type === "spinlock_t" || (variable.isParameter ? times === 0 : times <= 1);
}

/** True where the function gives the lock up as well: one that only takes it, takes it for its caller. */
export function givesUp(program: EffectProgram, effect: BoundEffect, call: CallNode): boolean {
  const name = takenBy(effect, call)?.name;
  return program.nodes.some((node) => node.kind === "call" && node.effects.some((one) => givenUpBy(one) === name));
}

export const lockHolding = (mode: LockMode = "exclusive"): ObligationKind => ({
  scenario: "lock-imbalance",
  shown: (name) => name,
  states: { open: "held", ended: "released" },
  role: roleOf,
  leftOpen: { property: "lock-held-at-return", message: (name) => `the function fails with ${name} held: whoever takes it next waits for ever` },
  leftAt: "errors",
  endedTwice: { property: "unlock-not-held", message: (name) => `${name} is released a second time` },
  endedRefused: { property: "unlock-not-held", message: (name) => `${name} is released where it was not acquired` },
  begunAgain: null,
  usedAfter: null,
  ending: (name, { effect, call }) => {
    const taken = takenBy(effect, call);
    if (!taken) return null;
    const lock = effect.kind === "acquire" ? effect.lock : "ptl";
    return { shown: `unlocks ${name}`, effect: { kind: "release", lock, object: taken.object, mode: effect.kind === "acquire" ? effect.mode : mode } };
  },
  fixTitle: (name) => `${name} is given up on every way out that fails`,
});
