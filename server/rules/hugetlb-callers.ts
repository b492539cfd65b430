// SPDX-License-Identifier: GPL-2.0-only
import { interpret } from "../analysis/interpret.ts";
import { isOtherMapping, namesOfVma, vmaOfWalk } from "../analysis/mapping.ts";
import type { State } from "../analysis/state.ts";
import { protects } from "../analysis/protection.ts";
import type { CallingContext } from "../analysis/unit.ts";
import type { LockClass } from "../kernel/effect.ts";
import { nestsInside } from "../kernel/lock-order.ts";
import { pmdSharingLocks } from "../kernel/pmd-sharing.ts";
import type { Release } from "../kernel/release.ts";
import { runsUnderRmapWalk } from "../kernel/rmap-callback.ts";
import { successors, type BoundEffect, type CallNode, type EffectProgram, type NodeId, type ProgramNode } from "../program/program.ts";
import { namesIn, render } from "../program/render.ts";

/*
 * What can be said about callers of a hugetlb walk that are not visible, and about lines above a hunk.
 */

/** A use of a walk's pointer, as far as the question goes. */
export interface AskedUse {
  readonly context: CallingContext;
  readonly state: State;
  readonly fromStart: boolean;
  /** True where lines between lookup and use are not visible. */
  readonly hasGap: boolean;
}

/**
 * True where a caller that is not visible may hold what the walk needs. It cannot where the function (or a visible
 * caller) takes a lock that comes before it in the documented order, where the function takes the very lock later, or
 * where it got the mm itself, and it is not meant to where the walk stands in the function's own RCU or irq-off section.
 */
export function asksCaller(program: EffectProgram, walk: NodeId, use: AskedUse, release: Release): boolean {
  const call = program.nodes[walk];
  if (call?.kind !== "call") return false;
  if (use.hasGap) return true;
  if (!use.fromStart || !use.state.callerUnknown) return false;
  if (use.state.held.some((held) => held.taken && nestsInside("hugetlb_vma_lock", held.lock) && nestsInside("i_mmap_rwsem", held.lock))) return false;
  if (use.state.atomic.some((atomic) => atomic.at >= 0 && (atomic.reason === "rcu" || atomic.reason === "irq"))) return false;
  return !gotMmItself(program, walk, call) && !takesLockLater(program, walk, use, release);
}

/**
 * True where the answer to the question is known: walks of the reverse map hold i_mmap_rwsem, and what is given up further
 * down without having been taken was held.
 */
export const isAnswered = (program: EffectProgram, walk: NodeId, use: AskedUse & { readonly call: CallNode }): boolean =>
  [program.name, ...use.context.chain.map(({ name }) => name)].some(runsUnderRmapWalk) || givesUpLater(program, walk, use.call);

/** True where a lock that keeps the table is given up after the use and taken nowhere behind it. */
function givesUpLater(program: EffectProgram, walk: NodeId, use: CallNode): boolean {
  const effect = hugetlbWalkOf(program.nodes[walk]);
  const vma = effect && vmaOfWalk(effect);
  const alsoNamed = vma === null ? null : namesOfVma(program, vma);
  const keeps = (one: BoundEffect, kind: "acquire" | "release"): boolean => {
    if (one.kind !== kind || (one.lock !== "hugetlb_vma_lock" && one.lock !== "i_mmap_rwsem")) return false;
    const owner = one.object === null ? "" : render(one.object);
    return one.lock === "i_mmap_rwsem" ? !isOtherMapping(owner, vma, alsoNamed) : vma === null || owner === "" || owner === vma;
  };
  const takes = (node: ProgramNode | undefined): boolean => node?.kind === "call" && node.effects.some((one) => keeps(one, "acquire"));
  const gives = (node: ProgramNode | undefined): boolean => node?.kind === "call" && node.effects.some((one) => keeps(one, "release"));
  const behind = [...reachable(program, program.nodes.indexOf(use), isUnseen)];
  // Where it is taken here as well, a path that gives up what was not taken may be one that nobody goes.
  return !behind.some((id) => takes(program.nodes[id])) && behind.some((id) => gives(program.nodes[id]));
}

/** True where code that is not visible comes before the walk in the function itself. */
export const linesAboveAreUnseen = (program: EffectProgram, walk: NodeId): boolean =>
  program.nodes.some((node, id) => isUnseen(node) && reachable(program, id, () => false).has(walk));

const isUnseen = (node: ProgramNode | undefined): boolean => node?.kind === "unseen" && node.where !== "end";

const GETS_MM = /^(?:get_task_mm|mm_access)$/;

/** True where the mm of the walk is a local that a call in this function provided, and nothing unseen comes between. */
function gotMmItself(program: EffectProgram, walk: NodeId, call: CallNode): boolean {
  const names = new Set(call.args.slice(0, 1).flatMap((arg) => namesIn(arg)));
  const gets = program.nodes.some((node) => {
    if (node.kind === "call") return node.result !== null && names.has(node.result) && GETS_MM.test(node.name);
    return node.kind === "assign" && node.value?.kind === "call" && names.has(render(node.target)) && GETS_MM.test(node.value.name);
  });
  return gets && !program.nodes.some((node, id) => node.kind === "unseen" && node.where === "middle" && reachable(program, id, () => false).has(walk));
}

type Taking = BoundEffect & { kind: "acquire" };

/**
 * True where the function goes on to take, and wait for, the very lock that a caller would have to hold: whoever held it
 * (or i_mmap_rwsem, which nests inside the vma lock) would deadlock. Not where something on the way may give the lock
 * up, nor where a parameter decides about taking it.
 */
function takesLockLater(program: EffectProgram, walk: NodeId, use: AskedUse, release: Release): boolean {
  const { lock } = pmdSharingLocks(release).walker;
  const effect = hugetlbWalkOf(program.nodes[walk]);
  const vma = effect ? (vmaOfWalk(effect) ?? onlyVma(program)) : null;
  if (vma === null) return false;
  const owner = lock === "hugetlb_vma_lock" ? vma : `${vma}->vm_file->f_mapping`;
  const takes = (node: ProgramNode | undefined): boolean =>
    node?.kind === "call" && node.effects.some((one): one is Taking => one.kind === "acquire" && one.lock === lock && one.held === "always" && one.sleeps && one.object !== null && render(one.object) === owner);
  const between = reachable(program, walk, takes);
  const taken = [...between].filter((id) => takes(program.nodes[id]));
  if (taken.length === 0 || [...between].some((id) => mayRelease(program.nodes[id], lock))) return false;
  const leadsToTake = new Set([...between].filter((id) => [...reachable(program, id, takes)].some((one) => takes(program.nodes[one]))));
  const parameters = new Set([...program.variables.values()].filter((one) => one.isParameter).map((one) => one.name));
  const isGate = (id: NodeId): boolean => {
    const node = program.nodes[id];
    if (node?.kind !== "branch" || !leadsToTake.has(id)) return false;
    const decides = successors(node).some((next) => !leadsToTake.has(next));
    return decides && namesIn(node.condition).every((name) => parameters.has(name));
  };
  if ([...between].some(isGate)) return false;
  const entries = (use.context.interpretation.before[walk] ?? []).filter((state) => state.callerUnknown && !protects(state, { vma, alsoNamed: null }));
  return entries.some((entry) => {
    const { before } = interpret({ ...program, entry: walk }, entry);
    return taken.some((id) => (before[id] ?? []).length > 0);
  });
}

const hugetlbWalkOf = (node: ProgramNode | undefined): (BoundEffect & { kind: "hugetlbWalk" }) | null =>
  (node?.kind === "call" ? node.effects.find((one): one is BoundEffect & { kind: "hugetlbWalk" } => one.kind === "hugetlbWalk") : undefined) ?? null;

const UNLOCKS = /unlock|release|drop|leave|end|exit|finish|done/;

/** True for what gives the lock up, or may: code that is not visible, a callee that is not known and sounds like it. */
function mayRelease(node: ProgramNode | undefined, lock: LockClass): boolean {
  if (isUnseen(node)) return true;
  if (node?.kind !== "call") return false;
  return node.effects.some((one) => one.kind === "release" && one.lock === lock) || (node.knowledge === "unknown" && UNLOCKS.test(node.name));
}

/** Nodes that control can come to from a node, itself included only through a loop; not past a node where it stops. */
export function reachable(program: EffectProgram, from: NodeId, stops: (node: ProgramNode | undefined) => boolean): ReadonlySet<NodeId> {
  const found = new Set<NodeId>();
  const work: NodeId[] = [from];
  for (let id = work.pop(); id !== undefined; id = work.pop()) {
    const node = program.nodes[id];
    if (!node || (id !== from && stops(node))) continue;
    for (const next of successors(node)) {
      if (found.has(next)) continue;
      found.add(next);
      work.push(next);
    }
  }
  return found;
}

/** The one VMA that a function knows, where the walk names only an mm. */
export function onlyVma(program: EffectProgram): string | null {
  const [first, ...others] = [...program.variables.values()].filter((one) => one.type === "vm_area_struct" && one.pointers === 1);
  return first && others.length === 0 ? first.name : null;
}
