// SPDX-License-Identifier: GPL-2.0-only
import type { Release } from "../kernel/release.ts";
import type { EffectProgram } from "../program/program.ts";
import { modelBuilder } from "../simulator/build.ts";
import { TRUE } from "../simulator/expression.ts";
import { isQuiescent } from "../simulator/objects/rcu.ts";
import { addRemap, addTableWalk, entryOfTable } from "./environment/table-reuse.ts";
import type { BuiltModel, Experiment } from "./experiment.ts";
import { asHugetlbTable, sharedTable, type FreeingAxis } from "./hugetlb-sharing.ts";
import { lift } from "./lift.ts";
import { insertBefore, synthetic, without } from "./rewrite.ts";
import { dropsMapping } from "./unshare-flushed-late.ts";
import { unshares, unshareWorld, type UnshareFocus } from "./unshare-world.ts";
import { ADDED, inCaller, isAdded } from "./walk-locks.ts";

/*
 * With an mmu_gather, huge_pmd_unshare() leaves it to huge_pmd_unshare_flush() to wait for GUP-fast (8ce720d5bd91). A TLB flush
 * that is a broadcast does not: GUP-fast goes on in a table that the other process has put something else into (1013af4f585f).
 */

/** null: where the flush interrupts, or may. */
export function unshareNotSynced(focus: UnshareFocus, axis: FreeingAxis, release: Release, gather: string): Experiment | null {
  if (!axis.broadcastsFlush) return null;
  const build = (program: EffectProgram): BuiltModel => {
    const model = modelBuilder("unshare-not-synced");
    const objects = sharedTable(model);
    const pmd = entryOfTable(model);
    const whole = inCaller(program, focus);
    const lifted = lift(model, whole, release, () =>
      unshareWorld(objects, focus, whole, release, {
        flush: ({ interrupts }) => ({ alternatives: [{ guard: interrupts ? isQuiescent(objects.irqsOff) : TRUE }] }),
      }),
    );
    const table = asHugetlbTable(model, objects);
    addTableWalk(table, pmd, "environment");
    addRemap(table, pmd);
    for (const [id, made] of lifted.stepsOf) {
      const node = whole.nodes[id];
      if (node && unshares(node) && made[0] !== undefined) model.reach(lifted.thread, made[0], "huge_pmd_unshare()");
    }
    return { model: model.finish(), assumptions: lifted.assumptions };
  };
  const shown = `huge_pmd_unshare_flush(${gather}, ${focus.name ?? focus.vma ?? "vma"})`;
  const flush = { ...synthetic(shown, { kind: "flushTlb", interrupts: true }), name: ADDED };
  return {
    name: "unshare-not-synced",
    primary: ["info-leak"],
    secondary: [],
    bounds: `environment {GUP-fast in A, munmap() and mmap() in B}, ${axis.phrase}, loops unbounded, SC`,
    build,
    fix: (program) => ({ title: `${shown} before i_mmap_rwsem is dropped`, program: insertBefore(program, (node) => (dropsMapping(node) ? [flush] : [])) }),
    mutate: (fixed) => without(fixed, isAdded),
    wrongFixes: [],
  };
}
