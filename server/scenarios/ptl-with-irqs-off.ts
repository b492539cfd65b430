// SPDX-License-Identifier: GPL-2.0-only
import { pmdSharingLocks } from "../kernel/pmd-sharing.ts";
import { atLeast, type Release } from "../kernel/release.ts";
import type { BoundEffect, EffectProgram } from "../program/program.ts";
import { render } from "../program/render.ts";
import { modelBuilder } from "../simulator/build.ts";
import { FALSE, ne, TRUE } from "../simulator/expression.ts";
import { rcuReadLock, rcuReadUnlock } from "../simulator/objects/rcu.ts";
import { spinlock, spinLock, spinUnlock, type Spinlock } from "../simulator/objects/spinlock.ts";
import { addReverseMapUnmap } from "./environment/reverse-map-unmap.ts";
import type { BuiltModel, Experiment } from "./experiment.ts";
import { asHugetlbTable, sharedTable, type FreeingAxis, type SharedTable } from "./hugetlb-sharing.ts";
import { isWalk, placeOf, pointersInto, usedPointer, walkStep, type WalkFocus } from "./hugetlb-walk.ts";
import { lift } from "./lift.ts";
import { without } from "./rewrite.ts";
import { asksSharing, handedLocked } from "./sharing-questions.ts";
import { inCaller, isLockEffect, isLocklessSection, lockSteps, shownLock, takeLock } from "./walk-locks.ts";
import type { LiftedStep, World } from "./world.ts";

/*
 * A walker that spins on a page-table lock with interrupts off, while the reverse map, which holds the lock, waits for this
 * CPU to answer its flush (mm/rmap.c:1571-1580, 1960-1969, 6.1.192).
 */

/** What the code calls the lock of the walked table: the value of the calls that name or take it. */
function lockNames(program: EffectProgram, pointers: ReadonlySet<string>): ReadonlySet<string> {
  const found = new Set<string>();
  for (const node of program.nodes) {
    if (node.kind !== "call" || node.result === null) continue;
    const names = node.effects.some((effect) => isOfTable(effect) && pointers.has(render(usedPointer(effect)!)));
    if (names) found.add(node.result);
  }
  for (let size = -1; size !== found.size; ) {
    size = found.size;
    for (const node of program.nodes) if (node.kind === "assign" && node.operator === "=" && node.value && found.has(render(node.value))) found.add(render(node.target));
  }
  return found;
}

const isOfTable = (effect: BoundEffect): boolean => (effect.kind === "ptlOf" || effect.kind === "lockEntryTable") && usedPointer(effect) !== null;

function world(objects: SharedTable, ptl: Spinlock, focus: WalkFocus, program: EffectProgram, release: Release): World {
  const pointers = pointersInto(program, focus);
  const names = lockNames(program, pointers);
  const isOfWalk = (effect: BoundEffect): boolean => {
    const pointer = usedPointer(effect);
    return pointer !== null && pointers.has(render(pointer));
  };
  const isSpin = (effect: BoundEffect): effect is BoundEffect & { kind: "acquire" | "release" } =>
    (effect.kind === "acquire" || effect.kind === "release") && (effect.lock === "ptl" || effect.lock === "spinlock") && effect.object !== null && names.has(render(effect.object));
  return {
    sees(effect, call) {
      if (isLockEffect(effect) || isSpin(effect)) return true;
      if (effect.kind === "enterAtomic" || effect.kind === "leaveAtomic") return effect.reason === "irq";
      return effect.kind === "hugetlbWalk" ? isWalk({ ...call, effects: [effect] }, focus) : effect.kind === "lockEntryTable" && isOfWalk(effect);
    },
    reads: (effect) => (effect.kind === "lockEntryTable" ? [effect.pte] : []),
    refine(effect, call, lifting): LiftedStep[] {
      if (isLockEffect(effect)) return lockSteps(effect, call, lifting, objects, focus);
      if (effect.kind === "enterAtomic") return [rcuReadLock(objects.irqsOff)];
      if (effect.kind === "leaveAtomic") return [rcuReadUnlock(objects.irqsOff)];
      if (effect.kind === "hugetlbWalk") return [walkStep(call, lifting, objects, focus, pmdSharingLocks(release))];
      if (isSpin(effect) && effect.kind === "release") return [{ ...spinUnlock(ptl), alternatives: spinUnlock(ptl).alternatives.map(({ effect: does = [] }) => ({ effect: does })) }];
      const taken = spinLock(ptl);
      const held = taken.alternatives.map((one) => ({ ...one, effect: [...(one.effect ?? []), ...lifting.set(call.result, 1)] }));
      const busy = effect.kind === "acquire" && effect.held !== "always" ? [{ guard: ne(ptl, 0), effect: lifting.set(call.result, 0), note: "busy" }] : [];
      return [{ ...taken, alternatives: [...held, ...busy] }];
    },
    place: placeOf,
    decidedBy: asksSharing(program),
    handed: (call) => handedLocked(program, call),
    meaning: (pure) => (pure.meaning === "hugetlb-vma" ? TRUE : pure.meaning === "cow-mapping" ? FALSE : null),
  };
}

/** What a fix was made of. */
const replaced = new WeakMap<EffectProgram, EffectProgram>();

/** null: where nobody waits for the walker's CPU, or before 6.1, whose reverse map was not read. */
export function ptlWithIrqsOff(focus: WalkFocus, axis: FreeingAxis, release: Release): Experiment | null {
  if (!axis.unsharingWaits || !atLeast(release, "6.1")) return null;
  const locks = pmdSharingLocks(release);
  const build = (program: EffectProgram): BuiltModel => {
    const model = modelBuilder("ptl-with-irqs-off");
    const objects = sharedTable(model);
    const ptl = spinlock(model, "page-table lock of P");
    const whole = inCaller(program, focus);
    const lifted = lift(model, whole, release, () => world(objects, ptl, focus, whole, release));
    addReverseMapUnmap(asHugetlbTable(model, objects), ptl, { flushWaits: true, sync: "none" });
    for (const [id, steps] of lifted.stepsOf) {
      const node = whole.nodes[id];
      if (node && isWalk(node, focus) && steps[0] !== undefined) model.reach(lifted.thread, steps[0], "the walk");
    }
    return { model: model.finish(), assumptions: [...lifted.assumptions, ...(axis.unverified === "" ? [] : [axis.unverified])] };
  };
  return {
    name: "ptl-with-irqs-off",
    primary: [],
    secondary: [],
    deadlock: true,
    bounds: `environment {migration of a page of the range}, ${axis.phrase}, loops unbounded, SC`,
    build,
    fix(program) {
      const fixed = takeLock(without(program, isLocklessSection), focus, locks);
      replaced.set(fixed, program);
      return { title: `${shownLock(focus, locks)} in place of the section, from before the lookup to after the last use`, program: fixed };
    },
    // Either half of the exchange alone keeps the two from waiting for each other.
    mutate: (fixed) => replaced.get(fixed) ?? fixed,
    wrongFixes: [],
  };
}
