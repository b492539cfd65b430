// SPDX-License-Identifier: GPL-2.0-only
import { pmdSharingLocks } from "../kernel/pmd-sharing.ts";
import type { Release } from "../kernel/release.ts";
import type { BoundEffect, CallNode, EffectProgram, NodeId, ProgramNode } from "../program/program.ts";
import { namesIn, render } from "../program/render.ts";
import { assign } from "../simulator/effect.ts";
import { and, eq, FALSE, gt, not, TRUE } from "../simulator/expression.ts";
import type { Assignment, Check } from "../simulator/model.ts";
import type { SharedTable } from "./hugetlb-sharing.ts";
import { isWalk, placeOf, pointersInto, walkStep, type WalkFocus } from "./hugetlb-walk.ts";
import { asksSharing, handedLocked } from "./sharing-questions.ts";
import { isLockEffect, lockSteps } from "./walk-locks.ts";
import type { LiftedStep, Lifting, World } from "./world.ts";

/*
 * What code that unshares a PMD table does to the table: two scenarios look at it, each with what it asks of the code.
 */

/** What is known about the call that the scenario is about. */
export interface UnshareFocus extends WalkFocus {
  readonly unshare: NodeId;
}

type Flush = BoundEffect & { kind: "flushTlb" };
type Modification = BoundEffect & { kind: "modifyEntry" };

/** The effect of huge_pmd_unshare(). */
export const isUnshare = (effect: BoundEffect): effect is BoundEffect & { kind: "unshareTable" } => effect.kind === "unshareTable";

/** True for a call that unshares. */
export const unshares = (node: ProgramNode): boolean => node.kind === "call" && node.effects.some(isUnshare);

const flushOf = (node: ProgramNode): Flush | null => (node.kind === "call" ? (node.effects.find((effect): effect is Flush => effect.kind === "flushTlb") ?? null) : null);

/** True for a call that flushes the TLB. */
export const flushesTlb = (node: ProgramNode): boolean => flushOf(node) !== null;

/** True for a call that ends only when nobody walks with interrupts off any more. */
export const waitsForWalkers = (node: ProgramNode): boolean => flushOf(node)?.interrupts === true;

/** The mmu_gather that the call is given; null: none, and it waits for walkers itself where the release does. */
export const gatherOf = (program: EffectProgram, { args }: CallNode): string | null =>
  args.flatMap((arg) => namesIn(arg)).find((one) => program.variables.get(one)?.type === "mmu_gather") ?? null;

/** What a scenario adds to the steps. */
export interface UnshareSteps {
  /** Checks of huge_pmd_unshare() where the table is shared. */
  readonly checks?: readonly Check[];
  /** What it does besides where it says that the table is not shared. */
  readonly unshared?: readonly Assignment[];
  readonly walked?: readonly Assignment[];
  flush?(effect: Flush): LiftedStep;
  /** A change of an entry of the table through the pointer. */
  modify?(effect: Modification, lifting: Lifting): LiftedStep;
}

/** mm/hugetlb.c:7124-7147 (6.1.192). */
function unshareStep(call: CallNode, lifting: Lifting, { table, pudA }: SharedTable, { checks = [], unshared = [] }: UnshareSteps): LiftedStep {
  const isShared = and(gt(table.refs, 1), eq(pudA, 1));
  return {
    alternatives: [
      { guard: isShared, checks, effect: [assign(pudA, 0), assign(table.refs, 1), ...lifting.set(call.result, 1)], note: "unshares: one user is left" },
      { guard: not(isShared), effect: [...unshared, ...lifting.set(call.result, 0)], note: "not shared" },
    ],
  };
}

export function unshareWorld(objects: SharedTable, focus: UnshareFocus, program: EffectProgram, release: Release, steps: UnshareSteps): World {
  const pointers = pointersInto(program, focus);
  const isOfWalk = (effect: BoundEffect): effect is Modification => effect.kind === "modifyEntry" && effect.how !== "unshare" && pointers.has(render(effect.pte));
  return {
    sees(effect, call) {
      if (isLockEffect(effect) || isUnshare(effect)) return true;
      if (effect.kind === "hugetlbWalk") return isWalk({ ...call, effects: [effect] }, focus);
      return (effect.kind === "flushTlb" && steps.flush !== undefined) || (steps.modify !== undefined && isOfWalk(effect));
    },
    reads: (effect) => (effect.kind === "modifyEntry" && steps.modify !== undefined && !isUnshare(effect) ? [effect.pte] : []),
    refine(effect, call, lifting): LiftedStep[] {
      if (isLockEffect(effect)) return lockSteps(effect, call, lifting, objects, focus);
      if (isUnshare(effect)) return [unshareStep(call, lifting, objects, steps)];
      if (effect.kind === "flushTlb") return steps.flush ? [steps.flush(effect)] : [];
      if (effect.kind === "modifyEntry") return steps.modify ? [steps.modify(effect, lifting)] : [];
      const walk = walkStep(call, lifting, objects, focus, pmdSharingLocks(release));
      return [{ ...walk, alternatives: walk.alternatives.map((one) => ({ ...one, effect: [...(one.effect ?? []), ...(steps.walked ?? [])] })) }];
    },
    place: placeOf,
    decidedBy: asksSharing(program),
    // Who has the mmu_gather may flush.
    handed: (call) => handedLocked(program, call) ?? gatherOf(program, call),
    meaning: (pure) => (pure.meaning === "hugetlb-vma" ? TRUE : pure.meaning === "cow-mapping" ? FALSE : null),
  };
}
