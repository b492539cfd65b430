// SPDX-License-Identifier: GPL-2.0-only
import { pmdSharingLocks } from "../kernel/pmd-sharing.ts";
import type { Release } from "../kernel/release.ts";
import type { EffectProgram, ProgramNode } from "../program/program.ts";
import { modelBuilder, type ModelBuilder } from "../simulator/build.ts";
import { assign } from "../simulator/effect.ts";
import { eq, or, type Field } from "../simulator/expression.ts";
import type { BuiltModel, Experiment } from "./experiment.ts";
import { gracePeriod, sharedTable, unmapper, type FreeingAxis, type SharedTable } from "./hugetlb-sharing.ts";
import { lift } from "./lift.ts";
import { insertBefore, synthetic, without } from "./rewrite.ts";
import { unshares, unshareWorld, type UnshareFocus } from "./unshare-world.ts";
import { ADDED, inCaller, isAdded } from "./walk-locks.ts";

/*
 * A table is unshared, and i_mmap_rwsem is dropped before the TLB is flushed: the other process unmaps and frees the table
 * while CPUs of A still use what they know of it. 13e4ad2ce8df (5.16): hugetlbfs: flush before unlock on
 * move_hugetlb_page_tables().
 */

/** A CPU that runs A in user space: until the flush it goes through the table that it has cached. */
function cpuOf(model: ModelBuilder, { table }: SharedTable, cached: Field): void {
  const thread = model.thread("a CPU that runs A", "environment");
  const store = thread.step({
    text: "stores through its TLB",
    checks: [{ holds: or(eq(cached, 0), eq(table.freed, 0)), property: "uaf", message: "a CPU of A still walks PMD table P, which B has freed: its TLB was not flushed before i_mmap_rwsem was dropped" }],
  });
  model.reach(thread, store, "A stores");
}

/** True for what gives up i_mmap_rwsem held for writing. */
export const dropsMapping = (node: ProgramNode): boolean =>
  node.kind === "call" && node.effects.some((effect) => effect.kind === "release" && effect.lock === "i_mmap_rwsem" && effect.mode === "write");

export function unshareFlushedLate(focus: UnshareFocus, axis: FreeingAxis, release: Release): Experiment {
  const build = (program: EffectProgram): BuiltModel => {
    const { hasVmaLock } = pmdSharingLocks(release);
    const model = modelBuilder("unshare-flushed-late");
    const objects = sharedTable(model);
    const cached = model.field("TLB of A's CPU", 1, { labels: { 0: "flushed", 1: "knows P" } });
    const whole = inCaller(program, focus);
    const flush = { alternatives: [{ effect: [assign(cached, 0)] }] };
    const lifted = lift(model, whole, release, () => unshareWorld(objects, focus, whole, release, { flush: () => flush }));
    cpuOf(model, objects, cached);
    unmapper(model, objects, axis, hasVmaLock);
    if (axis.page === "rcu") gracePeriod(model, objects);
    for (const [id, made] of lifted.stepsOf) {
      const node = whole.nodes[id];
      if (node && unshares(node) && made[0] !== undefined) model.reach(lifted.thread, made[0], "huge_pmd_unshare()");
    }
    return { model: model.finish(), assumptions: [...lifted.assumptions, ...(axis.unverified === "" ? [] : [axis.unverified])] };
  };
  const flush = { ...synthetic("flush_hugetlb_tlb_range(vma, start, end)", { kind: "flushTlb" }), name: ADDED };
  return {
    name: "unshare-flushed-late",
    primary: ["uaf"],
    secondary: [],
    bounds: `environment {a CPU that runs A, munmap() in B}, ${axis.phrase}, loops unbounded, SC`,
    build,
    fix: (program) => ({ title: "the TLB is flushed before i_mmap_rwsem is dropped", program: insertBefore(program, (node) => (dropsMapping(node) ? [flush] : [])) }),
    mutate: (fixed) => without(fixed, isAdded),
    wrongFixes: [],
  };
}
