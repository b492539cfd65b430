// SPDX-License-Identifier: GPL-2.0-only
import { vmaOfWalk } from "../analysis/mapping.ts";
import { pmdSharingLocks, type PmdSharingLocks } from "../kernel/pmd-sharing.ts";
import type { Release } from "../kernel/release.ts";
import type { Value } from "../program/code.ts";
import type { BoundEffect, CallNode, EffectProgram } from "../program/program.ts";
import { render } from "../program/render.ts";
import { modelBuilder } from "../simulator/build.ts";
import { assign } from "../simulator/effect.ts";
import { FALSE, ne, or, TRUE, type Expression, type Operand } from "../simulator/expression.ts";
import type { Alternative, Check } from "../simulator/model.ts";
import { tableLives, tableLockLives } from "../simulator/objects/page-table.ts";
import { rcuReadLock, rcuReadUnlock } from "../simulator/objects/rcu.ts";
import type { BuiltModel, Experiment } from "./experiment.ts";
import { gracePeriod, sharedTable, unmapper, unsharer, type FreeingAxis, type SharedTable } from "./hugetlb-sharing.ts";
import { INTO_TABLE, isWalk, placeOf, pointersInto, usedPointer, walkStep, type WalkFocus } from "./hugetlb-walk.ts";
import { lift } from "./lift.ts";
import { without } from "./rewrite.ts";
import { asksSharing, handedLocked } from "./sharing-questions.ts";
import { inCaller, isAdded, isLocklessSection, isLockEffect, lockSteps, shownLock, takeLock } from "./walk-locks.ts";
import type { LiftedStep, Lifting, World } from "./world.ts";

/*
 * While a process walks a PMD table that it shares with another, the mapping is unshared behind its back (hole punch,
 * truncation, rmap: mm/hugetlb.c huge_pmd_unshare()) and the other process unmaps, which frees the table
 * (mm/memory.c, free_pgtables()). Seed: mm/hugetlb: Make huge_pte_offset() thread-safe for pmd unshare.
 */

/** True where the effect takes, or names, the lock of the table. */
const takesTableLock = ({ kind }: BoundEffect): boolean => kind === "ptlOf" || kind === "lockEntryTable";

/** What the code learns about the mapping that it walks. */
export interface Answers {
  place(value: Value): Operand | null;
  readonly isCow: Expression;
}

const SHARED: Answers = { place: placeOf, isCow: FALSE };

/** A walk of the table: its lookups, its uses and the locks that it is made under. */
export function walkWorld(objects: SharedTable, focus: WalkFocus, program: EffectProgram, locks: PmdSharingLocks, answers: Answers = SHARED): World {
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
    place: (value) => answers.place(value),
    decidedBy: asksSharing(program),
    handed: (call) => handedLocked(program, call),
    meaning(pure, args) {
      if (pure.meaning === "hugetlb-vma") return TRUE;
      if (pure.meaning === "cow-mapping") return answers.isCow;
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

/** The value of an access is some entry: none or not. */
function resultWays(call: CallNode, lifting: Lifting): (readonly ReturnType<typeof assign>[])[] {
  const set = lifting.set(call.result, 1);
  return set.length === 0 ? [[]] : [set, lifting.set(call.result, 0)];
}

export function hugetlbUnshareUaf(focus: WalkFocus, axis: FreeingAxis, release: Release): Experiment {
  const locks = pmdSharingLocks(release);
  const build = (program: EffectProgram): BuiltModel => {
    const model = modelBuilder("hugetlb-unshare-uaf");
    const objects = sharedTable(model, focus.kind === "allocation" ? "only B" : "both");
    const whole = inCaller(program, focus);
    const lifted = lift(model, whole, release, () => walkWorld(objects, focus, whole, locks));
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
