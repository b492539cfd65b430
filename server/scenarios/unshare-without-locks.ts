// SPDX-License-Identifier: GPL-2.0-only
import type { LockClass } from "../kernel/effect.ts";
import { unshareAsserts } from "../kernel/pmd-sharing.ts";
import { atLeast, type Release } from "../kernel/release.ts";
import type { BoundEffect, EffectProgram, ProgramNode } from "../program/program.ts";
import { modelBuilder, type ModelBuilder } from "../simulator/build.ts";
import { assign } from "../simulator/effect.ts";
import { and, eq, gt, ne, not, or } from "../simulator/expression.ts";
import type { Check } from "../simulator/model.ts";
import { tableLives } from "../simulator/objects/page-table.ts";
import { downRead, isHeldForWrite, upRead } from "../simulator/objects/rwsem.ts";
import type { BuiltModel, Experiment } from "./experiment.ts";
import { gracePeriod, sharedTable, unmapper, type FreeingAxis, type SharedTable } from "./hugetlb-sharing.ts";
import { INTO_TABLE, isWalk } from "./hugetlb-walk.ts";
import { lift } from "./lift.ts";
import { insertAtEnd, insertBefore, leaves, synthetic } from "./rewrite.ts";
import { unshares, unshareWorld, type UnshareFocus, type UnshareSteps } from "./unshare-world.ts";
import { ADDED, dropsMmapLock, inCaller, NAMES } from "./walk-locks.ts";

/*
 * huge_pmd_unshare() without one of its locks. Without the lock of the VMA, a walker that holds it for reading keeps a pointer
 * into a table that goes away. Without i_mmap_rwsem, another process shares the table in the moment in which it is found not
 * to be shared. And it asserts both (mm/hugetlb.c:7138-7140, 6.1.192). Seed: 081056dc00a2, 40549ba8f8e0.
 */

/** A lock that is not held for writing, and the mode in which the code takes it instead. */
export interface MissingLock {
  readonly lock: "hugetlb_vma_lock" | "i_mmap_rwsem";
  readonly instead: "read" | null;
}

export interface WithoutLocks extends UnshareFocus {
  readonly missing: readonly MissingLock[];
}

/** A fault of another thread of A: lookup and use under the lock of the VMA (mm/hugetlb.c:6117-6186, 6.1.192). */
function faultUnderVmaLock(model: ModelBuilder, { locks, pudA, table }: SharedTable): void {
  const thread = model.thread("hugetlb_fault() in A", "environment");
  const ptep = thread.local("ptep", 0, { labels: { 0: "NULL", 1: "in P" } });
  thread.step({ text: "mmap_read_lock(A)", ...downRead(locks.mmap_lock) });
  thread.step({ text: "hugetlb_vma_lock_read(vma)", ...downRead(locks.hugetlb_vma_lock) });
  thread.step({ text: "ptep = huge_pte_alloc(A, vma, addr)", alternatives: [{ guard: eq(pudA, 1), effect: [assign(ptep, 1)], note: "finds table P" }, { guard: eq(pudA, 0), to: "out", note: "another table" }] });
  const use = thread.step({ text: "entry = huge_ptep_get(ptep)", checks: [tableLives(table)] });
  thread.label("out");
  thread.step({ text: "hugetlb_vma_unlock_read(vma)", ...upRead(locks.hugetlb_vma_lock) });
  thread.step({ text: "mmap_read_unlock(A)", ...upRead(locks.mmap_lock) });
  model.reach(thread, use, "the fault uses the table");
}

/** A fault in B, which maps the same range: huge_pmd_share() takes the table of A (mm/hugetlb.c:7078-7122, 6.1.192). */
function faultThatShares(model: ModelBuilder, { locks, pudA, pudB, table }: SharedTable): void {
  const thread = model.thread("hugetlb_fault() in process B", "environment");
  const offered = and(eq(pudA, 1), eq(pudB, 0), eq(table.refs, 1));
  thread.step({ text: "huge_pmd_share(): i_mmap_lock_read(mapping)", ...downRead(locks.i_mmap_rwsem) });
  const share = thread.step({
    text: "huge_pmd_share(): pud_populate(B)",
    alternatives: [{ guard: offered, effect: [assign(pudB, 1), assign(table.refs, 2)], note: "shares table P of A" }, { guard: not(offered), note: "nothing to share" }],
  });
  thread.step({ text: "huge_pmd_share(): i_mmap_unlock_read(mapping)", ...upRead(locks.i_mmap_rwsem) });
  model.reach(thread, share, "B looks for a table to share");
}

/** Checks of huge_pmd_unshare() itself, of the locks that are missing. */
function asserted(focus: WithoutLocks, { locks }: SharedTable, release: Release): Check[] {
  const asserts = unshareAsserts(release);
  const says = (what: string): Pick<Check, "property" | "message"> => ({ property: "lock-not-held", message: `huge_pmd_unshare() of a shared table without ${what}: its assertion warns` });
  return focus.missing.flatMap(({ lock }) =>
    lock === "i_mmap_rwsem"
      ? asserts.mapping ? [{ holds: isHeldForWrite(locks.i_mmap_rwsem), ...says("i_mmap_rwsem held for writing") }] : []
      : asserts.vmaLock ? [{ holds: ne(locks.hugetlb_vma_lock, 0), ...says("the hugetlb lock of the VMA") }] : [],
  );
}

interface Form {
  readonly property: string;
  readonly environment: string;
  readonly users: "both" | "only A";
  steps(objects: SharedTable, model: ModelBuilder): UnshareSteps;
  others(model: ModelBuilder, objects: SharedTable): void;
}

const walked = (axis: FreeingAxis): Form => ({
  property: "uaf",
  environment: "a fault of another thread of A, munmap() in B",
  users: "both",
  steps: () => ({}),
  others(model, objects) {
    faultUnderVmaLock(model, objects);
    unmapper(model, objects, axis, true);
    if (axis.page === "rcu") gracePeriod(model, objects);
  },
});

const reshared: Form = {
  property: "shared-table-changed",
  environment: "a fault in B that shares the table",
  users: "only A",
  steps({ table }, model) {
    const told = model.field("told that P is not shared", 0, { hidden: true });
    const check: Check = {
      holds: or(eq(told, 0), not(gt(table.refs, 1))),
      property: "shared-table-changed",
      message: "an entry changes for process B too: it shared table P after huge_pmd_unshare() found nobody who does",
    };
    return {
      unshared: [assign(told, 1)],
      walked: [assign(told, 0)],
      modify: (effect, lifting) => {
        const pointer = lifting.translate(effect.pte);
        return { alternatives: [{ checks: pointer === null ? [] : [{ ...check, holds: or(ne(pointer, INTO_TABLE), check.holds) }] }] };
      },
    };
  },
  others: faultThatShares,
};

const warned = (focus: WithoutLocks, release: Release): Form => ({
  property: "lock-not-held",
  environment: "the table is shared, CONFIG_LOCKDEP",
  users: "both",
  steps: (objects) => ({ checks: asserted(focus, objects, release) }),
  others: () => {},
});

/** Experiments in the order in which they are told; `mmapIsKnown`: whether somebody holds mmap_lock can be said. */
export function unshareWithoutLocks(focus: WithoutLocks, axis: FreeingAxis, release: Release, mmapIsKnown: boolean): Experiment[] {
  const misses = (lock: LockClass): boolean => focus.missing.some((one) => one.lock === lock);
  const forms = [...(misses("hugetlb_vma_lock") && mmapIsKnown ? [walked(axis)] : []), ...(misses("i_mmap_rwsem") ? [reshared] : []), ...(atLeast(release, "5.9") ? [warned(focus, release)] : [])];
  return forms.map((form) => experimentOf(form, focus, axis, release));
}

function experimentOf(form: Form, focus: WithoutLocks, axis: FreeingAxis, release: Release): Experiment {
  const build = (program: EffectProgram): BuiltModel => {
    const model = modelBuilder("unshare-without-locks");
    const objects = sharedTable(model, form.users);
    const steps = form.steps(objects, model);
    const whole = inCaller(program, focus);
    const lifted = lift(model, whole, release, () => unshareWorld(objects, focus, whole, release, steps));
    form.others(model, objects);
    for (const [id, made] of lifted.stepsOf) {
      const node = whole.nodes[id];
      if (node && unshares(node) && made[0] !== undefined) model.reach(lifted.thread, made[0], "huge_pmd_unshare()");
    }
    return { model: model.finish(), assumptions: [...lifted.assumptions, ...(form.property === "uaf" && axis.unverified !== "" ? [axis.unverified] : [])] };
  };
  return {
    name: "unshare-without-locks",
    primary: [form.property],
    secondary: [],
    bounds: `environment {${form.environment}}${form.property === "uaf" ? `, ${axis.phrase}` : ""}, loops unbounded, SC`,
    build,
    fix(program) {
      const fixed = focus.missing.reduce((one, missing) => withLock(one, focus, missing), program);
      replaced.set(fixed, program);
      return { title: `${focus.missing.map((missing) => nameOf(missing, focus)).join(", ")} from before the lookup to after huge_pmd_unshare()`, program: fixed };
    },
    mutate: (fixed) => replaced.get(fixed) ?? fixed,
    wrongFixes: [],
  };
}

/** What a fix was made of. */
const replaced = new WeakMap<EffectProgram, EffectProgram>();

const nameOf = ({ lock }: MissingLock, { name, vma }: WithoutLocks): string =>
  lock === "hugetlb_vma_lock" ? `hugetlb_vma_lock_write(${name ?? vma ?? "vma"})` : "i_mmap_lock_write(mapping)";

/** The lock for writing: in place of what is taken for reading, else before whatever the order puts inside of it. */
function withLock(program: EffectProgram, focus: WithoutLocks, { lock, instead }: MissingLock): EffectProgram {
  if (instead === "read") return { ...program, nodes: program.nodes.map((node) => forWriting(node, lock)) };
  const [take, drop] = NAMES[lock]?.write ?? [lock, lock];
  const down = { ...synthetic(take, { kind: "acquire", lock, object: null, mode: "write", sleeps: true, held: "always" }), name: ADDED };
  const up = { ...synthetic(drop, { kind: "release", lock, object: null, mode: "write" }), name: ADDED };
  const isInside = (node: ProgramNode): boolean =>
    isWalk(node, focus) || unshares(node) || (lock === "hugetlb_vma_lock" && node.kind === "call" && node.effects.some((effect) => effect.kind === "acquire" && effect.lock === "i_mmap_rwsem"));
  const locked = insertBefore(program, (node) => (isInside(node) ? [down] : dropsMmapLock(node) || leaves(node) ? [up] : []));
  return insertAtEnd(locked, [up]);
}

const forWriting = (node: ProgramNode, lock: LockClass): ProgramNode =>
  node.kind === "call" && node.effects.some((effect) => isOf(effect, lock)) ? { ...node, effects: node.effects.map((effect) => (isOf(effect, lock) ? { ...effect, mode: "write" as const } : effect)) } : node;

const isOf = (effect: BoundEffect, lock: LockClass): effect is BoundEffect & { kind: "acquire" | "release" } =>
  (effect.kind === "acquire" || effect.kind === "release") && effect.lock === lock;
