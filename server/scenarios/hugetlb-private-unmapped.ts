// SPDX-License-Identifier: GPL-2.0-only
import { SHARE_TESTS } from "../kernel/private-mapping.ts";
import { pmdSharingLocks } from "../kernel/pmd-sharing.ts";
import type { Release } from "../kernel/release.ts";
import type { Value } from "../program/code.ts";
import type { EffectProgram, ProgramNode } from "../program/program.ts";
import { render } from "../program/render.ts";
import { modelBuilder, type ModelBuilder, type ThreadBuilder } from "../simulator/build.ts";
import { assign } from "../simulator/effect.ts";
import { TRUE, type Operand } from "../simulator/expression.ts";
import { downWrite, upWrite } from "../simulator/objects/rwsem.ts";
import type { Experiment } from "./experiment.ts";
import { sharedTable, type SharedTable } from "./hugetlb-sharing.ts";
import { walkWorld } from "./hugetlb-unshare-uaf.ts";
import { isWalk, type WalkFocus } from "./hugetlb-walk.ts";
import { lift } from "./lift.ts";
import { insertAtEnd, synthetic, without } from "./rewrite.ts";
import { ADDED, isAdded } from "./walk-locks.ts";

/*
 * Nobody shares the tables of a private mapping, so that mmap_lock is all that keeps them: whoever gives it up lets
 * munmap() of another thread in, which holds it for writing and frees them (mm/memory.c, free_pgtables(), 6.1.192).
 */

/** A private mapping answers what a shared one does not. */
function placeOf(value: Value): Operand | null {
  if (value.kind === "member" && value.field === "vm_file") return 1;
  // Of the other tests that a private mapping may pass, not all do.
  if (value.kind === "call") return SHARE_TESTS.includes(value.name) ? 0 : null;
  if (value.kind !== "binary" || value.operator !== "&" || value.right.kind !== "name" || !/\bvm_flags$/.test(render(value.left))) return null;
  return value.right.name === "VM_HUGETLB" ? 1 : /^VM_(?:MAY)?SHARED?$/.test(value.right.name) ? 0 : null;
}

const holds = (node: ProgramNode, kind: "acquire" | "release"): boolean =>
  node.kind === "call" && node.effects.some((effect) => effect.kind === kind && effect.lock === "mmap_lock");

/** One section of mmap_lock, from where it is taken to the end. */
function held(program: EffectProgram): EffectProgram {
  const nodes = program.nodes.map((node) => (node.kind === "call" && holds(node, "acquire") ? { ...node, name: ADDED, at: -1 } : node));
  const open = without({ ...program, nodes }, (node) => holds(node, "release"));
  const unlock = { ...synthetic("mmap_read_unlock(mm)", { kind: "release", lock: "mmap_lock", object: null, mode: "read" }), name: ADDED };
  return insertAtEnd(open, [unlock]);
}

/** Another thread of the walker's process. */
function unmapper(model: ModelBuilder, { locks, table, pudA }: SharedTable): { readonly thread: ThreadBuilder; readonly step: number } {
  const thread = model.thread("munmap() in the same process", "environment");
  thread.step({ text: "mmap_write_lock(A)", ...downWrite(locks.mmap_lock) });
  const step = thread.step({ text: "free_pgtables(A)", effect: [assign(pudA, 0), assign(table.refs, 0), assign(table.ptlFreed, 1), assign(table.freed, 1)] });
  thread.step({ text: "mmap_write_unlock(A)", ...upWrite(locks.mmap_lock) });
  return { thread, step };
}

export function hugetlbPrivateUnmapped(focus: WalkFocus, release: Release): Experiment {
  const locks = pmdSharingLocks(release);
  return {
    name: "hugetlb-private-unmapped",
    primary: ["uaf"],
    secondary: [],
    bounds: "environment {munmap() of another thread}, loops unbounded, SC",
    build(program) {
      const model = modelBuilder("hugetlb-private-unmapped");
      const objects = sharedTable(model, "only A");
      const lifted = lift(model, program, release, () => walkWorld(objects, focus, program, locks, { place: placeOf, isCow: TRUE }));
      const other = unmapper(model, objects);
      model.reach(other.thread, other.step, "the table is freed");
      for (const [id, steps] of lifted.stepsOf) {
        const node = program.nodes[id];
        if (node && isWalk(node, focus) && steps[0] !== undefined) model.reach(lifted.thread, steps[0], "the walk");
      }
      return { model: model.finish(), assumptions: lifted.assumptions };
    },
    fix: (program) => ({ title: "mmap_lock from before the VMA is looked up to after the last use", program: held(program) }),
    mutate: (fixed) => without(fixed, isAdded),
    wrongFixes: [],
  };
}
