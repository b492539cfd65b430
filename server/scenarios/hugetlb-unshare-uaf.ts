// SPDX-License-Identifier: GPL-2.0-only
import { isOtherMapping, vmaOfWalk } from "../analysis/mapping.ts";
import type { LockClass } from "../kernel/effect.ts";
import { pmdSharingLocks, type PmdSharingLocks } from "../kernel/pmd-sharing.ts";
import type { Release } from "../kernel/release.ts";
import type { Value } from "../program/code.ts";
import type { BoundEffect, CallNode, EffectProgram, NodeId, ProgramNode } from "../program/program.ts";
import { namesIn, render } from "../program/render.ts";
import { modelBuilder, type ThreadBuilder } from "../simulator/build.ts";
import { assign } from "../simulator/effect.ts";
import { and, eq, FALSE, ne, not, or, TRUE, type Expression, type Field, type Operand } from "../simulator/expression.ts";
import type { Alternative, Check } from "../simulator/model.ts";
import { tableLives, tableLockLives } from "../simulator/objects/page-table.ts";
import { downRead, downWrite, isHeldForWrite, upRead, upWrite, type Rwsem } from "../simulator/objects/rwsem.ts";
import { rcuReadLock, rcuReadUnlock } from "../simulator/objects/rcu.ts";
import type { BuiltModel, Experiment } from "./experiment.ts";
import { gracePeriod, sharedTable, unmapper, unsharer, type FreeingAxis, type SharedTable } from "./hugetlb-sharing.ts";
import { PRIVATE_TESTS, SHARE_TESTS } from "../kernel/private-mapping.ts";
import { lift } from "./lift.ts";
import { asksSharing, handedLocked } from "./sharing-questions.ts";
import { insertAtEnd, insertAtStart, insertBefore, leaves, synthetic, without } from "./rewrite.ts";
import type { LiftedStep, Lifting, World } from "./world.ts";

/*
 * While a process walks a PMD table that it shares with another, the mapping is unshared behind its back (hole punch,
 * truncation, rmap: mm/hugetlb.c huge_pmd_unshare()) and the other process unmaps, which frees the table
 * (mm/memory.c, free_pgtables()). Seed: mm/hugetlb: Make huge_pte_offset() thread-safe for pmd unshare.
 */

/** A lock that is held when the function (or what is visible of it) starts. */
interface HeldByCaller {
  readonly lock: LockClass;
  readonly mode: "read" | "write";
  readonly by: string;
  /** True where the function itself gives it up. */
  readonly isGivenUp?: boolean;
}

/**
 * What a walk is about. `lookup`: every use of the pointer; `lock-in-section`: the table's lock, taken where RCU or disabled
 * interrupts are to keep the table; `allocation`: the walk shares a table where it finds none.
 */
export type WalkKind = "lookup" | "lock-in-section" | "allocation";

/** What is known about the walk that the scenario is about. */
export interface WalkFocus {
  readonly walk: NodeId;
  readonly kind: WalkKind;
  /** Canonical text of the VMA, or of what names it; null where the walk names none. */
  readonly vma: string | null;
  /** The function's own word for the VMA, where that is another one. */
  readonly name?: string | null;
  /** Locks that the caller holds for the whole call. */
  readonly callerHolds: readonly HeldByCaller[];
  /** Other names of the VMA; null or missing: any. */
  readonly alsoNamed?: ReadonlySet<string> | null;
  /** True where a callee that is not known is taken to use the pointer. */
  readonly unknownUses: boolean;
}

/** The pointer into the table that an effect goes through, or whose table's lock it names; null: none. */
export function usedPointer(effect: BoundEffect): Value | null {
  switch (effect.kind) {
    case "accessEntry":
    case "lockEntryTable":
    case "clearEntry":
    case "setEntry":
      return effect.pte;
    case "ptlOf":
      return effect.table === "below" ? null : effect.of;
    default:
      return null;
  }
}

/** True where the effect takes, or names, the lock of the table. */
const takesTableLock = ({ kind }: BoundEffect): boolean => kind === "ptlOf" || kind === "lockEntryTable";

/** Value of a pointer that came from the walk; other pointers are 1. */
export const INTO_TABLE = 2;
const ELSEWHERE = 1;

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

function world(objects: SharedTable, focus: WalkFocus, program: EffectProgram, locks: PmdSharingLocks): World {
  const walks = (effect: BoundEffect, call: CallNode): boolean => effect.kind === "hugetlbWalk" && vmaOfWalk(effect) === focus.vma && call.result !== null;
  const pointers = pointersInto(program, focus);
  const usesPointer = (value: Value): boolean => pointers.has(render(value));
  return {
    sees(effect, call) {
      if (isLockEffect(effect)) return true;
      if (effect.kind === "enterAtomic" || effect.kind === "leaveAtomic") return effect.reason === "rcu" || effect.reason === "irq";
      if (effect.kind === "hugetlbWalk") return walks(effect, call);
      const used = focus.kind === "lock-in-section" && !takesTableLock(effect) ? null : usedPointer(effect);
      return used !== null && usesPointer(used);
    },
    reads(effect) {
      const used = usedPointer(effect);
      return used ? [used] : [];
    },
    refine: (effect, call, lifting) => (effect.kind === "hugetlbWalk" ? [walkStep(call, lifting, objects, focus, locks)] : refine(effect, call, lifting, objects, focus)),
    place: (value) => placeOf(value),
    decidedBy: asksSharing(program),
    handed: (call) => handedLocked(program, call),
    meaning(pure, args) {
      if (pure.meaning === "hugetlb-vma") return TRUE;
      if (pure.meaning === "cow-mapping") return FALSE;
      if (pure.meaning === "load-entry" && args[0]) return null;
      return null;
    },
    unknownCall(call, lifting) {
      if (!focus.unknownUses) return null;
      const pointer = call.args.find(usesPointer);
      if (!pointer) return null;
      const assumed = `${call.name}() is not known and may use the entry`;
      const check = useCheck(lifting.translate(pointer), tableLives(objects.table));
      const done: Alternative = { assumed, checks: check };
      return [{ alternatives: call.result === null ? [done] : [1, 0].map((bit) => ({ ...done, effect: lifting.set(call.result, bit) })) }];
    },
  };
}

/** In this scenario the VMA is MAP_SHARED and shareable: a private one has no shared table to lose. */
export function placeOf(value: Value): Operand | null {
  // A hugetlb mapping always is one of a file.
  if (value.kind === "member" && value.field === "vm_file") return 1;
  if (value.kind === "call") return SHARE_TESTS.includes(value.name) ? 1 : PRIVATE_TESTS.includes(value.name) ? 0 : null;
  if (value.kind !== "binary" || value.operator !== "&" || value.right.kind !== "name") return null;
  if (!/\bvm_flags$/.test(render(value.left))) return null;
  return SHARED_BITS.has(value.right.name) ? 1 : null;
}

const SHARED_BITS = new Set(["VM_MAYSHARE", "VM_SHARED", "VM_HUGETLB"]);

/** Variables and places that may hold the pointer of the walk. */
export function pointersInto(program: EffectProgram, focus: Pick<WalkFocus, "vma">): ReadonlySet<string> {
  const found = new Set<string>();
  for (const node of program.nodes)
    if (node.kind === "call" && node.result !== null && node.effects.some((effect) => effect.kind === "hugetlbWalk" && vmaOfWalk(effect) === focus.vma))
      found.add(node.result);
  for (let size = -1; size !== found.size; ) {
    size = found.size;
    for (const node of program.nodes)
      if (node.kind === "assign" && node.operator === "=" && node.value && found.has(render(node.value))) found.add(render(node.target));
  }
  return found;
}

/** A use of the pointer is bad only while it points into the table. */
function useCheck(pointer: Expression | null, check: Check): Check[] {
  return pointer === null ? [] : [{ ...check, holds: or(ne(pointer, INTO_TABLE), check.holds) }];
}

function refine(effect: BoundEffect, call: CallNode, lifting: Lifting, objects: SharedTable, focus: WalkFocus): LiftedStep[] {
  if (isLockEffect(effect)) return lockSteps(effect, call, lifting, objects, focus);
  switch (effect.kind) {
    case "enterAtomic":
      return [rcuReadLock(effect.reason === "rcu" ? objects.readers : objects.irqsOff)];
    case "leaveAtomic":
      return [rcuReadUnlock(effect.reason === "rcu" ? objects.readers : objects.irqsOff)];
    case "accessEntry":
    case "clearEntry":
    case "setEntry": {
      const checks = useCheck(lifting.translate(effect.pte), tableLives(objects.table));
      return [{ alternatives: resultWays(call, lifting).map((effects) => ({ checks, effect: effects })) }];
    }
    case "ptlOf":
    case "lockEntryTable": {
      const pointer = effect.kind === "ptlOf" ? effect.of : effect.pte;
      const checks = useCheck(lifting.translate(pointer), tableLockLives(objects.table));
      return [{ alternatives: [{ checks, effect: lifting.set(call.result, 1) }] }];
    }
    default:
      return [];
  }
}

/**
 * A lookup finds the table or nothing. An allocation goes on to share the table of another process, and takes i_mmap_rwsem for
 * that where the release has it so: mm/hugetlb.c, huge_pte_alloc(), huge_pmd_share() (6.1.192).
 */
export function walkStep(call: CallNode, lifting: Lifting, { pudA, pudB, offeredByB, table, locks: { i_mmap_rwsem } }: SharedTable, { kind }: WalkFocus, { shareTakes }: PmdSharingLocks): LiftedStep {
  const found: Alternative = { guard: eq(pudA, 1), effect: lifting.set(call.result, INTO_TABLE), note: "finds table P" };
  if (kind !== "allocation" || offeredByB === null) return { alternatives: [found, { guard: eq(pudA, 0), effect: lifting.set(call.result, 0), note: "NULL" }] };
  const mayShare = shareTakes === null ? TRUE : shareTakes === "read" ? not(isHeldForWrite(i_mmap_rwsem)) : eq(i_mmap_rwsem, 0);
  const isOffered = and(eq(pudB, 1), eq(offeredByB, 1));
  return {
    alternatives: [
      found,
      { guard: and(eq(pudA, 0), isOffered, mayShare), effect: [assign(pudA, 1), assign(table.refs, 2), ...lifting.set(call.result, INTO_TABLE)], note: "shares table P of B" },
      { guard: and(eq(pudA, 0), not(isOffered)), effect: lifting.set(call.result, ELSEWHERE), note: "a table of its own" },
      { effect: lifting.set(call.result, 0), note: "NULL: no memory" },
    ],
  };
}

/** The value of an access is some entry: none or not. */
function resultWays(call: CallNode, lifting: Lifting): (readonly ReturnType<typeof assign>[])[] {
  const set = lifting.set(call.result, 1);
  return set.length === 0 ? [[]] : [set, lifting.set(call.result, 0)];
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

export const isWalk = (node: ProgramNode, focus: WalkFocus): boolean =>
  node.kind === "call" && node.result !== null && node.effects.some((effect) => effect.kind === "hugetlbWalk" && vmaOfWalk(effect) === focus.vma);

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

/** Names that say whose address space is walked. */
export const walksCurrentMm = (program: EffectProgram, walk: NodeId): boolean => {
  const node = program.nodes[walk];
  return node?.kind === "call" && node.args.some((arg) => namesIn(arg).includes("current"));
};

export function hugetlbUnshareUaf(focus: WalkFocus, axis: FreeingAxis, release: Release): Experiment {
  const locks = pmdSharingLocks(release);
  const build = (program: EffectProgram): BuiltModel => {
    const model = modelBuilder("hugetlb-unshare-uaf");
    const objects = sharedTable(model, focus.kind === "allocation" ? "only B" : "both");
    const whole = inCaller(program, focus);
    const lifted = lift(model, whole, release, () => world(objects, focus, whole, locks));
    const unshare = unsharer(model, objects, locks.hasVmaLock);
    unmapper(model, objects, axis, locks.hasVmaLock);
    if (axis.page === "rcu") gracePeriod(model, objects);
    model.reach(unshare.thread, unshare.clear, "the table is unshared");
    for (const [id, steps] of lifted.stepsOf) {
      const node = whole.nodes[id];
      if (node && isWalk(node, focus) && steps[0] !== undefined) model.reach(lifted.thread, steps[0], "the walk");
    }
    return { model: model.finish(), assumptions: [...lifted.assumptions, ...(axis.unverified === "" ? [] : [axis.unverified])] };
  };
  return {
    name: "hugetlb-unshare-uaf",
    primary: ["uaf"],
    secondary: [],
    bounds: `environment {hole punch that unshares A, munmap() in B}, ${axis.phrase}, loops unbounded, SC`,
    build,
    // The lock sleeps: it takes the place of a section in which nobody may.
    fix: (program) => ({
      title: `${shownLock(focus, locks)} ${focus.kind === "lock-in-section" ? "in place of the section, " : ""}from before the ${focus.kind === "allocation" ? "allocation" : "lookup"} to after the last use`,
      program: takeLock(focus.kind === "lock-in-section" ? without(program, isLocklessSection) : program, focus, locks),
    }),
    mutate: (fixed) => without(fixed, isAdded),
    wrongFixes: [],
  };
}
