// SPDX-License-Identifier: GPL-2.0-only
import type { LockClass } from "../kernel/effect.ts";
import type { Release } from "../kernel/release.ts";
import type { BoundEffect, CallNode, EffectProgram } from "../program/program.ts";
import { render } from "../program/render.ts";
import { modelBuilder, type ModelBuilder } from "../simulator/build.ts";
import { assign } from "../simulator/effect.ts";
import { eq, ne, type Field } from "../simulator/expression.ts";
import type { Alternative } from "../simulator/model.ts";
import { MIGRATION } from "../simulator/objects/entry.ts";
import { acquireWrite, downReadFair, fairRwsem, queueWrite, upReadFair, upWriteFair, type FairRwsem } from "../simulator/objects/fair-rwsem.ts";
import { someIn } from "./doubt.ts";
import type { Experiment } from "./experiment.ts";
import { lift } from "./lift.ts";
import { guessedNames, unseenNames } from "./obligation/guessed.ts";
import { addMigration, entryWorld, migrationEntry, type MigrationEntry } from "./migration-entry.ts";
import { isSite, type Site } from "./obligation/obligation.ts";
import { insertBefore, synthetic, without } from "./rewrite.ts";
import type { LiftedStep, Lifting, World } from "./world.ts";

/*
 * A lock is held while another one is waited for that everybody else takes first, or while one waits for somebody who needs
 * the lock that is held. mm/rmap.c, lock order at the top; mm/hugetlb.c (6.1.192).
 */

/** What is wrong: what is held, what the call waits for, and who is in the way. */
export interface Inversion {
  readonly held: LockClass;
  /** Class that the call takes; null: it waits for migration. Equal to `held`: it takes the lock again. */
  readonly wanted: LockClass | null;
  /** The others, in words. */
  readonly bounds: string;
  /** Who of them takes both, in a message. */
  readonly by: string;
  add(model: ModelBuilder, objects: Objects): void;
}

interface Objects {
  readonly held: FairRwsem;
  /** The other lock; the same one where it is taken again. */
  readonly wanted: FairRwsem;
  /** The entry whose migration is waited for; null where a lock is. */
  readonly entry: MigrationEntry | null;
}

/** `__unmap_hugepage_range_final()`: the VMA lock, then i_mmap_rwsem. */
function addUnmap(model: ModelBuilder, vmaLock: FairRwsem, mapping: FairRwsem | null): void {
  const thread = model.thread("munmap()", "environment");
  thread.step({ text: "hugetlb_vma_lock_write(vma): queues", ...queueWrite(vmaLock) });
  thread.step({ text: "hugetlb_vma_lock_write(vma)", ...acquireWrite(vmaLock) });
  if (mapping) {
    thread.step({ text: "i_mmap_lock_write(mapping): queues", ...queueWrite(mapping) });
    thread.step({ text: "i_mmap_lock_write(mapping)", ...acquireWrite(mapping) });
    thread.step({ text: "i_mmap_unlock_write(mapping)", ...upWriteFair(mapping) });
  }
  thread.step({ text: "hugetlb_vma_unlock_write(vma)", ...upWriteFair(vmaLock) });
}

/** `hugetlb_fault()`: the mutex of the page, then the VMA lock. */
function addFault(model: ModelBuilder, mutex: FairRwsem, vmaLock: FairRwsem): void {
  const thread = model.thread("hugetlb_fault()", "environment");
  thread.step({ text: "mutex_lock(&hugetlb_fault_mutex_table[hash]): queues", ...queueWrite(mutex) });
  thread.step({ text: "mutex_lock(&hugetlb_fault_mutex_table[hash])", ...acquireWrite(mutex) });
  thread.step({ text: "hugetlb_vma_lock_read(vma)", ...downReadFair(vmaLock) });
  thread.step({ text: "hugetlb_vma_unlock_read(vma)", ...upReadFair(vmaLock) });
  thread.step({ text: "mutex_unlock(&hugetlb_fault_mutex_table[hash])", ...upWriteFair(mutex) });
}

/** `hugetlb_fault()`: the mutex of the page, then i_mmap_rwsem where `huge_pmd_share()` looks for a table. */
function addSharingFault(model: ModelBuilder, mutex: FairRwsem, mapping: FairRwsem): void {
  const thread = model.thread("hugetlb_fault()", "environment");
  thread.step({ text: "mutex_lock(&hugetlb_fault_mutex_table[hash]): queues", ...queueWrite(mutex) });
  thread.step({ text: "mutex_lock(&hugetlb_fault_mutex_table[hash])", ...acquireWrite(mutex) });
  thread.step({ text: "huge_pmd_share(): i_mmap_lock_read(mapping)", ...downReadFair(mapping) });
  thread.step({ text: "huge_pmd_share(): i_mmap_unlock_read(mapping)", ...upReadFair(mapping) });
  thread.step({ text: "mutex_unlock(&hugetlb_fault_mutex_table[hash])", ...upWriteFair(mutex) });
}

/** Somebody who wants the lock for writing; readers queue behind it. */
function addWriter(model: ModelBuilder, lock: FairRwsem, who: string, call: string): void {
  const thread = model.thread(who, "environment");
  thread.step({ text: `${call}: queues`, ...queueWrite(lock) });
  thread.step({ text: call, ...acquireWrite(lock) });
  thread.step({ text: call.replace("_lock", "_unlock"), ...upWriteFair(lock) });
}

/** Orders that are documented, each with who keeps to it. */
export const INVERSIONS: readonly Inversion[] = [
  { held: "i_mmap_rwsem", wanted: "hugetlb_vma_lock", bounds: "one munmap()", by: "munmap()", add: (model, { held, wanted }) => addUnmap(model, wanted, held) },
  {
    held: "hugetlb_vma_lock",
    wanted: "hugetlb_fault_mutex",
    bounds: "one fault, one munmap()",
    by: "hugetlb_fault()",
    add(model, { held, wanted }) {
      addFault(model, wanted, held);
      addUnmap(model, held, null);
    },
  },
  { held: "i_mmap_rwsem", wanted: "hugetlb_fault_mutex", bounds: "one fault", by: "hugetlb_fault()", add: (model, { held, wanted }) => addSharingFault(model, wanted, held) },
  // hugetlb_unmap_file_page() wants it for writing.
  { held: "i_mmap_rwsem", wanted: "i_mmap_rwsem", bounds: "one hole punch", by: "a hole punch", add: (model, { held }) => addWriter(model, held, "hole punch of the file", "i_mmap_lock_write(mapping)") },
  { held: "mmap_lock", wanted: "mmap_lock", bounds: "one mmap()", by: "mmap()", add: (model, { held }) => addWriter(model, held, "mmap()", "mmap_write_lock(mm)") },
  { held: "hugetlb_vma_lock", wanted: "hugetlb_vma_lock", bounds: "one munmap()", by: "munmap()", add: (model, { held }) => addWriter(model, held, "munmap()", "hugetlb_vma_lock_write(vma)") },
  { held: "anon_vma", wanted: null, bounds: "one migration, one fault", by: "migration", add: (model, { held, entry }) => (entry ? addMigration(model, held, entry) : undefined) },
];

/** What a call waits for, of these; null: nothing. */
export function wantedBy(effect: BoundEffect, call: CallNode): { readonly wanted: LockClass | null } | null {
  if (effect.kind === "acquire") return effect.held === "nonzero" ? null : { wanted: effect.lock };
  if (effect.kind === "hugetlbWalk" && call.name === "huge_pte_alloc") return { wanted: "i_mmap_rwsem" };
  return effect.kind === "maySleep" && call.name === "migration_entry_wait" ? { wanted: null } : null;
}

/** True where the call takes the lock that is named for itself alone: only acquiring is a matter of order. */
const takesAgain = ({ held, wanted }: Inversion): boolean => held === wanted;

const GIVEN_UP = "is given up before";

export function lockOrder(site: Site, inversion: Inversion): Experiment {
  return {
    name: "lock-order",
    primary: ["deadlock"],
    secondary: [],
    bounds: `environment {${inversion.bounds}}, loops unbounded, SC`,
    build(program, release) {
      const model = modelBuilder("lock-order");
      const held = fairRwsem(model, inversion.held);
      const wanted = inversion.wanted === null || takesAgain(inversion) ? held : fairRwsem(model, inversion.wanted);
      const objects: Objects = { held, wanted, entry: inversion.wanted === null ? migrationEntry(model, program, release) : null };
      const mine = [model.field("held here", 0, { hidden: true }), model.field("wanted, held here", 0, { hidden: true })] as const;
      const lifted = lift(model, program, release, () => world(program, release, site, inversion, objects, mine));
      const calls = [...lifted.stepsOf].flatMap(([id, steps]) => {
        const node = program.nodes[id];
        return node?.kind === "call" && isSite(site, node) && steps[0] !== undefined ? [steps[0]] : [];
      });
      if (calls.length === 0) return null;
      for (const step of calls) model.reach(lifted.thread, step, "the call");
      inversion.add(model, objects);
      return { model: model.finish(), assumptions: lifted.assumptions };
    },
    fix(program) {
      const shown = `${inversion.held} ${GIVEN_UP} ${site.call.name}()`;
      const release = { ...synthetic(shown, { kind: "release", lock: inversion.held, object: null, mode: "write" }), name: shown };
      return { title: shown, program: insertBefore(program, (node) => (node.kind === "call" && isSite(site, node) ? [release] : [])) };
    },
    mutate: (fixed) => without(fixed, (node) => node.kind === "call" && node.at < 0 && node.name.includes(GIVEN_UP)),
    wrongFixes: [],
  };
}

const READ = 1;
const WRITE = 2;

function world(program: EffectProgram, release: Release, site: Site, inversion: Inversion, { held, wanted, entry }: Objects, [mine, mineWanted]: readonly [Field, Field]): World {
  const guessed = guessedNames(program);
  const hides = unseenNames(program);
  const isLock = (effect: BoundEffect): effect is BoundEffect & { kind: "acquire" | "release" } =>
    (effect.kind === "acquire" || effect.kind === "release") && (effect.lock === inversion.held || effect.lock === inversion.wanted);
  const isWaiting = (effect: BoundEffect, call: CallNode): boolean => isSite(site, call) && effect.kind === site.effect.kind && effect.kind !== "acquire";
  const entries = entry && entryWorld(program, release, entry);
  const of = (lock: LockClass): readonly [FairRwsem, Field] => (lock === inversion.held ? [held, mine] : [wanted, mineWanted]);
  return {
    sees: (effect, call) => isLock(effect) || isWaiting(effect, call) || entries?.sees(effect, call) === true,
    reads: (effect) => entries?.reads(effect) ?? [],
    refine(effect, call, lifting) {
      if (isLock(effect)) return [effect.kind === "acquire" ? taking(effect, call, lifting, of(effect.lock)) : releasing(of(effect.lock))];
      if (!isWaiting(effect, call)) return entries?.refine(effect, call, lifting) ?? [];
      return entry ? [{ alternatives: [{ guard: ne(entry.slot, MIGRATION), effect: lifting.set(call.result, 0) }] }] : again(call, lifting, held);
    },
    place: (value) => entries?.place(value) ?? null,
    meaning: (pure, args, translate) => entries?.meaning(pure, args, translate) ?? null,
    ...(entries ? { handed: entries.handed, shows: entries.shows } : {}),
    unseen: () => [{ text: "locks", hidden: true, alternatives: [{}] }],
    decidedBy: (value, names) => someIn(value, (part) => guessed.has(render(part)) || hides(render(part))) || entries?.decidedBy(value, names) === true,
    hides,
  };
}

type Acquiring = BoundEffect & { kind: "acquire" };

/** What is held already is another one of the class: that is no matter of this order. */
function taking({ mode, held }: Acquiring, call: CallNode, lifting: Lifting, [lock, mine]: readonly [FairRwsem, Field]): LiftedStep {
  const isRead = mode === "read";
  const part = isRead ? downReadFair(lock) : { alternatives: [{ guard: eq(lock.state, 0), effect: [assign(lock.state, 255)] }], acquires: [{ lock: lock.state, name: lock.state.name }] };
  const [yes, no] = held === "zero" ? [0, 1] : [1, 0];
  const got = part.alternatives.map((one): Alternative => ({ ...one, effect: [...(one.effect ?? []), assign(mine, isRead ? READ : WRITE), ...lifting.set(call.result, yes)] }));
  const failed: Alternative = { effect: lifting.set(call.result, no), note: "not acquired" };
  return { ...part, alternatives: held === "nonzero" ? [...got, failed] : got };
}

/** What was not taken here is a caller's, and none of the model's business. */
function releasing([lock, mine]: readonly [FairRwsem, Field]): LiftedStep {
  const give = (how: number, part: ReturnType<typeof upReadFair>): Alternative[] => part.alternatives.map(({ effect = [] }) => ({ guard: eq(mine, how), effect: [...effect, assign(mine, 0)] }));
  return { alternatives: [...give(READ, upReadFair(lock)), ...give(WRITE, upWriteFair(lock)), { guard: eq(mine, 0), note: "not held" }], releases: [{ lock: lock.state }] };
}

/** `huge_pmd_share()`: where the table may be shared, i_mmap_rwsem is taken for reading to look for one. */
function again(call: CallNode, lifting: Lifting, lock: FairRwsem): LiftedStep[] {
  const results = [1, 0].map((value) => lifting.set(call.result, value));
  return [
    { text: `${call.name}(): takes i_mmap_rwsem for reading, to look for a table to share`, ...downReadFair(lock) },
    { text: `${call.name}(): gives i_mmap_rwsem up`, alternatives: results.flatMap((effect) => upReadFair(lock).alternatives.map((one) => ({ ...one, effect: [...(one.effect ?? []), ...effect] }))), releases: [{ lock: lock.state }] },
  ];
}
