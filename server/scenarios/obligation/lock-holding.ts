// SPDX-License-Identifier: GPL-2.0-only
import type { Value } from "../../program/code.ts";
import type { BoundEffect, CallNode, EffectProgram } from "../../program/program.ts";
import { namesIn, render } from "../../program/render.ts";
import { mayBeOne, namedLock, type NamedLock } from "./lock-identity.ts";
import { mayChangeLock, type LockEvent } from "./lock-handed.ts";
import { placeOf, pointee, type ObligationKind, type Outcome, type Role } from "./obligation.ts";

/*
 * A lock is taken and given up under the name of its object. Functions that succeed with a lock held are many, so that one
 * left held is a defect only where the function fails, or has nothing to tell its caller with.
 */

interface Taken extends NamedLock {
  readonly failure: "zero" | "nonzero" | null;
}

/** The lock that an effect takes, or null. */
function takenBy(effect: BoundEffect, call: CallNode): Taken | null {
  if (effect.kind === "acquire") {
    if (effect.objectIsValue || effect.object === null) return null;
    return { ...namedLock(effect.lock, effect.object, effect.field), failure: effect.held === "always" ? null : effect.held === "zero" ? "nonzero" : "zero" };
  }
  if (effect.kind === "lockEntryTable" && call.result !== null) {
    const object: Value = { kind: "name", name: call.result, at: call.at };
    return { ...namedLock("ptl", object), failure: effect.held === "nonzero" ? "zero" : null };
  }
  if (effect.kind === "mapPte" && effect.locks && effect.ptlOut !== null) {
    return { ...namedLock("ptl", pointee(effect.ptlOut)), failure: !effect.mayFail ? null : effect.pteOut ? "nonzero" : "zero" };
  }
  return null;
}

/** Lock that an effect gives up, or null. What a callee consumes it may also be said to release: that is once. */
function givenUpBy(effect: BoundEffect, call: CallNode): NamedLock | null {
  if (effect.kind === "release") return namedLock(effect.lock, effect.object, effect.field);
  if (effect.kind === "consumes" && call.effects.some(({ kind }) => kind === "release" || kind === "unmapPte")) return null;
  return (effect.kind === "unmapPte" || effect.kind === "consumes") && effect.ptl !== null ? namedLock("ptl", effect.ptl) : null;
}

/** What conditions and values ask about. A lock of which nobody asks whether it was taken, as in `BUG_ON(!trylock_page(page))`, was, or was held before. */
const askedNames = (program: EffectProgram): ReadonlySet<string> =>
  new Set(program.nodes.flatMap((node) => (node.kind === "branch" ? namesIn(node.condition) : node.kind === "assign" && node.value !== null ? namesIn(node.value) : [])));

/** What the roles of a function's calls hang on besides the call. */
interface Around {
  readonly mmapLock: string | null;
  readonly asked: ReadonlySet<string>;
}

function roleOf(effect: BoundEffect, call: CallNode, { mmapLock, asked }: Around): Role | null {
  const taken = takenBy(effect, call);
  if (taken && taken.failure !== null && (call.result === null || !asked.has(call.result))) return { does: "forget" };
  if (taken) return { does: "begin", failure: taken.failure, received: null, place: taken.name, words: { begun: "acquired", failed: "not acquired" } };
  const place = givenUpBy(effect, call)?.name;
  if (place !== undefined) return { does: "end", handle: { by: "place", place } };
  return effect.kind === "dropsLock" ? droppedBy(effect, call, mmapLock) : null;
}

/** A callee that drops the lock of its caller on some of its outcomes; where nothing tells which, it is looked at no more. */
function droppedBy(effect: BoundEffect & { kind: "dropsLock" }, call: CallNode, mmapLock: string | null): Role {
  const place = (effect.lock === "mmap_lock" ? mmapLock : null) ?? namedLock(effect.lock, effect.object).name;
  const outcomes = outcomesOf(effect, call);
  return effect.onReturn === "held" || outcomes === null ? { does: "forget" } : { does: "may-end", handle: { by: "place", place }, outcomes };
}

const callsOf = (program: EffectProgram): readonly CallNode[] => program.nodes.flatMap((node) => (node.kind === "call" ? [node] : []));

/** Every lock that the function takes or gives up, by its name. */
const locksOf = (program: EffectProgram): ReadonlyMap<string, NamedLock> =>
  new Map(callsOf(program).flatMap((call) => call.effects.flatMap((effect) => {
    const named = takenBy(effect, call) ?? givenUpBy(effect, call);
    return named ? [[named.name, named] as const] : [];
  })));

/** Name of the only mmap_lock that a function takes: a callee that drops one says a VMA of it, or nothing. */
function onlyMmapLock(program: EffectProgram): string | null {
  const names = new Set(callsOf(program).flatMap((call) => call.effects.flatMap((effect) => {
    const taken = takenBy(effect, call);
    return taken?.lock === "mmap_lock" ? [taken.name] : [];
  })));
  const [only] = names;
  return names.size === 1 && only ? only : null;
}

/** Nothing is dropped where nobody can be told. */
const KEPT: readonly Outcome[] = [{ ends: false, tells: [], note: "lock kept" }];

function outcomesOf({ when, tells }: BoundEffect & { kind: "dropsLock" }, call: CallNode): readonly Outcome[] | null {
  if (when === "locked-cleared" && tells) {
    if (tells.kind === "name" && tells.name === "NULL") return KEPT;
    if (tells.kind !== "unary") return null;
    const key = render(pointee(tells));
    return [{ ends: false, tells: [{ key, value: 1 }], note: "lock kept" }, { ends: true, tells: [{ key, value: 0 }], note: `lock dropped: ${key} is 0` }];
  }
  if ((when !== "retry" && when !== "retry-or-completed") || call.result === null) return null;
  const bit = (name: string, value: 0 | 1): Outcome["tells"][number] => ({ key: `${call.result}/${name}`, value });
  const said = (name: string): Outcome => ({ ends: true, tells: [bit("VM_FAULT_RETRY", name === "VM_FAULT_RETRY" ? 1 : 0), bit("VM_FAULT_COMPLETED", name === "VM_FAULT_COMPLETED" ? 1 : 0)], note: `${name}: lock dropped` });
  const kept: Outcome = { ends: false, tells: [bit("VM_FAULT_RETRY", 0), bit("VM_FAULT_COMPLETED", 0)], note: "lock kept" };
  return when === "retry" ? [kept, said("VM_FAULT_RETRY")] : [kept, said("VM_FAULT_RETRY"), said("VM_FAULT_COMPLETED")];
}

/** True where the name of a lock means one object wherever the function says it. */
export function isOneLock(program: EffectProgram, effect: BoundEffect, call: CallNode): boolean {
  const object = takenBy(effect, call)?.object;
  return object !== undefined && object !== null && namesIn(pointee(object)).every((name) => isGivenOnce(program, name));
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
  return program.nodes.some((node) => node.kind === "call" && node.effects.some((one) => givenUpBy(one, node)?.name === name));
}

export function lockHolding(program: EffectProgram): ObligationKind {
  const around: Around = { mmapLock: onlyMmapLock(program), asked: askedNames(program) };
  const locks = locksOf(program);
  const eventsOf = (place: string) => (call: CallNode): readonly LockEvent[] =>
    call.effects.flatMap((effect): LockEvent[] => {
      const role = roleOf(effect, call, around);
      if (role === null || placeOf(role) !== place) return [];
      return role.does === "begin" ? [role.failure === null ? "takes" : "tries"] : [role.does === "may-end" ? "may-release" : "releases"];
    });
  const asked = new WeakMap<EffectProgram, Map<string, (call: CallNode) => boolean>>();
  /** Whether a callee may lock or unlock what has the name; asked again and again of the same calls. */
  const mayChange = (lifted: EffectProgram, place: string, object: Value): ((call: CallNode) => boolean) => {
    const known = asked.get(lifted) ?? new Map<string, (call: CallNode) => boolean>();
    const ask = known.get(place) ?? mayChangeLock(lifted, [object], eventsOf(place));
    asked.set(lifted, known.set(place, ask));
    return ask;
  };
  return {
    scenario: "lock-imbalance",
    shown: (name) => name,
    states: { open: "held", ended: "released" },
    role: (effect, call) => roleOf(effect, call, around),
    mayBeOne: (place, other) => {
      const [one, second] = [locks.get(place), locks.get(other)];
      return one !== undefined && second !== undefined && mayBeOne(program, one, second);
    },
    handed: (lifted, call, place) => {
      const lock = locks.get(place)?.object;
      return lock && mayChange(lifted, place, lock)(call) ? place : null;
    },
    leftOpen: { property: "lock-held-at-return", message: (name) => `the function fails with ${name} held: whoever takes it next waits for ever` },
    leftAt: "errors",
    endedTwice: { property: "unlock-not-held", message: (name) => `${name} is released a second time` },
    endedRefused: { property: "unlock-not-held", message: (name) => `${name} is released where it was not acquired` },
    begunAgain: null,
    usedAfter: null,
    ending: (name, { effect, call }) => {
      const taken = takenBy(effect, call);
      if (!taken) return null;
      return { shown: `unlocks ${name}`, effect: { kind: "release", lock: taken.lock, object: taken.object, mode: effect.kind === "acquire" ? effect.mode : "exclusive" } };
    },
    fixTitle: (name) => `${name} is given up on every way out that fails`,
  };
}
