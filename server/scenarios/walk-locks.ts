// SPDX-License-Identifier: GPL-2.0-only
import { isOtherMapping } from "../analysis/mapping.ts";
import type { LockClass } from "../kernel/effect.ts";
import { type PmdSharingLocks } from "../kernel/pmd-sharing.ts";
import type { BoundEffect, CallNode, EffectProgram, ProgramNode } from "../program/program.ts";
import { render } from "../program/render.ts";
import { type ThreadBuilder } from "../simulator/build.ts";
import { assign } from "../simulator/effect.ts";
import { and, eq, TRUE, type Field } from "../simulator/expression.ts";
import { downRead, downWrite, upRead, upWrite, type Rwsem } from "../simulator/objects/rwsem.ts";
import { type SharedTable } from "./hugetlb-sharing.ts";
import { isWalk, type HeldByCaller, type WalkFocus } from "./hugetlb-walk.ts";
import { insertAtEnd, insertAtStart, insertBefore, leaves, synthetic, without } from "./rewrite.ts";
import type { LiftedStep, Lifting } from "./world.ts";

/*
 * The locks of a shared table as the code under review takes them, as its callers hold them, and as the reference fix does.
 */

const LOCKS = new Set<LockClass>(["mmap_lock", "hugetlb_vma_lock", "i_mmap_rwsem"]);

export const isLockEffect = (effect: BoundEffect): effect is BoundEffect & { kind: "acquire" | "release" } =>
  (effect.kind === "acquire" || effect.kind === "release") && LOCKS.has(effect.lock);

/** The semaphore that a lock call means: that of the walked VMA (or its mm), or another one of the class. */
function lockOf(objects: SharedTable, effect: BoundEffect & { kind: "acquire" | "release" }, focus: WalkFocus): Rwsem {
  const text = effect.object === null ? "" : render(effect.object);
  if (effect.lock === "hugetlb_vma_lock" && focus.vma !== null && text !== "" && text !== focus.vma && focus.alsoNamed?.has(text) !== true)
    return objects.others.hugetlb_vma_lock;
  if (effect.lock === "i_mmap_rwsem" && isOtherMapping(text, focus.vma, focus.alsoNamed ?? null)) return objects.others.i_mmap_rwsem;
  return objects.locks[effect.lock as keyof SharedTable["locks"]];
}

export function lockSteps(
  effect: BoundEffect & { kind: "acquire" | "release" },
  call: CallNode,
  lifting: Lifting,
  objects: SharedTable,
  focus: WalkFocus,
): LiftedStep[] {
  const lock = lockOf(objects, effect, focus);
  const read = effect.mode === "read";
  // The reference fix takes the lock at each lookup and gives it up at each way out: at most once at a time.
  if (isAdded(call)) return heldOnce(effect, lock, lifting);
  if (effect.kind === "release") {
    const part = read ? upRead(lock) : upWrite(lock);
    return [{ ...part, alternatives: part.alternatives.map(({ guard, effect: does }) => ({ ...(guard === undefined ? {} : { guard }), ...(does === undefined ? {} : { effect: does }) })) }];
  }
  const part = read ? downRead(lock) : downWrite(lock);
  if (effect.held === "always") return [{ ...part, alternatives: part.alternatives.map((one) => ({ ...one, effect: [...(one.effect ?? []), ...lifting.set(call.result, 1)] })) }];
  const [ok, failed] = effect.held === "nonzero" ? [1, 0] : [0, 1];
  return [
    {
      ...part,
      alternatives: [
        ...part.alternatives.map((one) => ({ ...one, effect: [...(one.effect ?? []), ...lifting.set(call.result, ok)], note: "acquired" })),
        { effect: lifting.set(call.result, failed), note: effect.held === "zero" ? "interrupted" : "busy" },
      ],
    },
  ];
}

/** By thread and lock. */
const fixFields = new WeakMap<ThreadBuilder, Map<Rwsem, Field>>();

function fixField(thread: ThreadBuilder, lock: Rwsem): Field {
  const fields = fixFields.get(thread) ?? new Map<Rwsem, Field>();
  fixFields.set(thread, fields);
  const field = fields.get(lock) ?? thread.local(fields.size === 0 ? "held by the fix" : `${lock.name} held by the fix`, 0, { hidden: true });
  fields.set(lock, field);
  return field;
}

function heldOnce(effect: BoundEffect & { kind: "acquire" | "release" }, lock: Rwsem, lifting: Lifting): LiftedStep[] {
  const held = fixField(lifting.thread, lock);
  const [down, up] = effect.mode === "read" ? [downRead, upRead] : [downWrite, upWrite];
  const part = effect.kind === "acquire" ? down(lock) : up(lock);
  const acts = effect.kind === "acquire" ? 0 : 1;
  const ways = part.alternatives.map((one) => ({
    guard: and(eq(held, acts), one.guard ?? TRUE),
    effect: [...(one.effect ?? []), assign(held, 1 - acts)],
  }));
  return [{ ...part, alternatives: [...ways, { guard: eq(held, 1 - acts) }], hidden: effect.kind === "release" }];
}

const BY_CALLER = "held on entry";

/**
 * What the caller does around the function, as steps of the same thread. What the function gives up itself is not given
 * up again, and is not held where the function no longer gives it up (a fix took the section out).
 */
export function inCaller(program: EffectProgram, focus: WalkFocus): EffectProgram {
  const call = (kind: "acquire" | "release", held: HeldByCaller): Omit<CallNode, "next"> => {
    const shown = `(${held.by}) ${NAMES[held.lock]?.[held.mode]?.[kind === "acquire" ? 0 : 1] ?? `${kind} ${held.lock}`}`;
    const effect: BoundEffect =
      kind === "acquire"
        ? { kind, lock: held.lock, object: null, mode: held.mode, sleeps: true, held: "always" }
        : { kind, lock: held.lock, object: null, mode: held.mode };
    return { ...synthetic(shown, effect), name: BY_CALLER };
  };
  const gives = (lock: LockClass): boolean => program.nodes.some((node) => node.kind === "call" && node.at >= 0 && isSectionOf(node, lock));
  const holds = focus.callerHolds.filter((held) => held.isGivenUp !== true || gives(held.lock));
  const before = holds.map((held) => call("acquire", held));
  const after = holds.filter((held) => held.isGivenUp !== true).toReversed().map((held) => call("release", held));
  return before.length === 0 ? program : insertAtStart(insertAtEnd(program, after), before);
}

/** Calls that take and give up a lock, by mode. */
export const NAMES: Partial<Record<LockClass, Record<"read" | "write", readonly [string, string]>>> = {
  mmap_lock: { read: ["mmap_read_lock()", "mmap_read_unlock()"], write: ["mmap_write_lock()", "mmap_write_unlock()"] },
  hugetlb_vma_lock: {
    read: ["hugetlb_vma_lock_read()", "hugetlb_vma_unlock_read()"],
    write: ["hugetlb_vma_lock_write()", "hugetlb_vma_unlock_write()"],
  },
  i_mmap_rwsem: { read: ["i_mmap_lock_read()", "i_mmap_unlock_read()"], write: ["i_mmap_lock_write()", "i_mmap_unlock_write()"] },
};

const isSectionOf = (node: ProgramNode, lock: LockClass): boolean =>
  node.kind === "call" && node.effects.some((effect) => (effect.kind === "acquire" || effect.kind === "release") && effect.lock === lock);

export const dropsMmapLock = (node: ProgramNode): boolean =>
  node.kind === "call" && node.effects.some((effect) => effect.kind === "release" && effect.lock === "mmap_lock");

/** What a walker without a lock relies on. */
export const isLocklessSection = (node: ProgramNode): boolean =>
  node.kind === "call" && node.effects.length > 0 && node.effects.every((effect) => (effect.kind === "enterAtomic" || effect.kind === "leaveAtomic") && (effect.reason === "rcu" || effect.reason === "irq"));

/** Reference fix: one section of the lock that the release has, from before the lookup to after the last use. */
export function takeLock(program: EffectProgram, focus: WalkFocus, { walker }: PmdSharingLocks): EffectProgram {
  const { lock: held, mode } = walker;
  const lock = synthetic(shown(walker.take, focus, walker.of), { kind: "acquire", lock: held, object: null, mode, sleeps: true, held: "always" });
  const unlock = synthetic(shown(walker.drop, focus, walker.of), { kind: "release", lock: held, object: null, mode });
  const bare = without(program, (node) => isSectionOf(node, held) && node.kind === "call" && node.result === null);
  const added = { name: ADDED };
  const locked = insertBefore(bare, (node) =>
    isWalk(node, focus) ? [{ ...lock, ...added }] : dropsMmapLock(node) || leaves(node) ? [{ ...unlock, ...added }] : [],
  );
  return insertAtEnd(locked, [{ ...unlock, ...added }]);
}

const shown = (call: string, focus: WalkFocus, of: "vma" | "mapping"): string =>
  call.replaceAll("%", of === "mapping" ? "mapping" : (focus.name ?? focus.vma ?? "vma"));

/** The call that takes the lock of the fix. */
export const shownLock = (focus: WalkFocus, { walker }: PmdSharingLocks): string => shown(walker.take, focus, walker.of);

/** Name of what a fix adds. */
export const ADDED = "added by the fix";

/** True for what the fix added. */
export const isAdded = (node: ProgramNode): boolean => node.kind === "call" && node.at < 0 && node.name === ADDED;
