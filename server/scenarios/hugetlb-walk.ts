// SPDX-License-Identifier: GPL-2.0-only
import { vmaOfWalk } from "../analysis/mapping.ts";
import type { LockClass } from "../kernel/effect.ts";
import { type PmdSharingLocks } from "../kernel/pmd-sharing.ts";
import type { Value } from "../program/code.ts";
import type { BoundEffect, CallNode, EffectProgram, NodeId, ProgramNode } from "../program/program.ts";
import { namesIn, render } from "../program/render.ts";
import { assign } from "../simulator/effect.ts";
import { and, eq, not, TRUE, type Operand } from "../simulator/expression.ts";
import type { Alternative } from "../simulator/model.ts";
import { isHeldForWrite } from "../simulator/objects/rwsem.ts";
import { type SharedTable } from "./hugetlb-sharing.ts";
import { PRIVATE_TESTS, SHARE_TESTS } from "../kernel/private-mapping.ts";
import type { LiftedStep, Lifting } from "./world.ts";

/*
 * What scenarios have in common that are about a walk of a table which two processes share: what is known of the walk, and
 * what it finds.
 */

/** A lock that is held when the function (or what is visible of it) starts. */
export interface HeldByCaller {
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

/** Value of a pointer that came from the walk; other pointers are 1. */
export const INTO_TABLE = 2;
const ELSEWHERE = 1;

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

export const isWalk = (node: ProgramNode, focus: WalkFocus): boolean =>
  node.kind === "call" && node.result !== null && node.effects.some((effect) => effect.kind === "hugetlbWalk" && vmaOfWalk(effect) === focus.vma);

/** Names that say whose address space is walked. */
export const walksCurrentMm = (program: EffectProgram, walk: NodeId): boolean => {
  const node = program.nodes[walk];
  return node?.kind === "call" && node.args.some((arg) => namesIn(arg).includes("current"));
};
