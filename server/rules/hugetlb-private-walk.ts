// SPDX-License-Identifier: GPL-2.0-only
import { vmaOfWalk, namesOfVma } from "../analysis/mapping.ts";
import { saysPrivate } from "../analysis/protection.ts";
import { statesAt } from "../analysis/unit.ts";
import type { BoundEffect, CallNode, EffectProgram, NodeId, ProgramNode } from "../program/program.ts";
import { DEREFERENCE } from "../program/program.ts";
import { render } from "../program/render.ts";
import { hugetlbPrivateUnmapped } from "../scenarios/hugetlb-private-unmapped.ts";
import { usedPointer, type WalkFocus } from "../scenarios/hugetlb-walk.ts";
import { proofOf } from "../scenarios/prove.ts";
import { laterEndFixes } from "./fix/later-end.ts";
import { reachable } from "./hugetlb-callers.ts";
import { isWalker, nameOfVma } from "./hugetlb-walk-uses.ts";
import { placeOf, type Candidate, type Site } from "./rule.ts";

/*
 * Tables of a private mapping are kept by mmap_lock alone. Only who takes it himself says that his callers do not hold it: it
 * does not nest.
 */

const MAX_STATES = 40_000;

/** A use of a walk's pointer on a path that knows the mapping for private, behind the end of the function's own mmap_lock. */
export function privateWalk({ fn, program, call, node, effect, target }: Site, ruleId: string): Candidate | null {
  if (effect.kind !== "hugetlbWalk" || call.result === null || call.inlined !== undefined || isWalker(program.name)) return null;
  const vma = vmaOfWalk(effect);
  if (program.openStart || program.openEnd || vma === null || !takesMmapLockFirst(program, node, [effect.mm && render(effect.mm), `${vma}->vm_mm`, lookedUpIn(program, vma)])) return null;
  const uses = program.nodes.flatMap((one, id): readonly { readonly call: CallNode; readonly pointer: string }[] => {
    if (one.kind !== "call" || id === node) return [];
    const pointers = one.effects.flatMap((other) => usedPointer(other) ?? []).map(render);
    const states = statesAt(fn, id).map(({ state }) => state);
    // Whatever is held besides may keep the table as well: the lock of the VMA, interrupts that are off.
    const isBare = (pointer: string): boolean =>
      states.some((state) => state.held.length === 0 && state.atomic.length === 0 && state.walks.get(pointer)?.walk === node && saysPrivate(state, vma));
    return pointers.filter(isBare).map((pointer) => ({ call: one, pointer }));
  });
  const use = uses.toSorted((a, b) => a.call.at - b.call.at)[0];
  if (!use) return null;
  const focus: WalkFocus = { walk: node, kind: "lookup", vma, alsoNamed: namesOfVma(program, vma), name: nameOfVma(program, vma), callerHolds: [], unknownUses: false };
  const proof = proofOf(hugetlbPrivateUnmapped(focus, target.release), program, target.release, MAX_STATES);
  if (!proof) return null;
  const isLookup = statesAt(fn, node).some(({ state }) => state.held.length === 0);
  return {
    ruleId,
    messageId: "unmapped",
    data: { function: program.name, pointer: use.pointer, vma: nameOfVma(program, vma) ?? vma, use: use.call.name === DEREFERENCE ? `*${use.pointer}` : `${use.call.name}()` },
    place: placeOf(program, isLookup ? call : use.call),
    related: [{ message: isLookup ? `${use.pointer} used here` : `${use.pointer} looked up here`, place: placeOf(program, isLookup ? use.call : call) }],
    prove: () => proof,
    asked: (code) => {
      const [there, walk] = [code.program(program), code.node(program, node)];
      return there && walk !== null ? [{ experiment: hugetlbPrivateUnmapped({ ...focus, walk }, target.release), program: there }] : null;
    },
    fixes: () => laterEndFixes(program, use.call, givesUp, (one) => one.effects.some((other) => isThrough(other, use.pointer))),
  };
}

const isThrough = (effect: BoundEffect, pointer: string): boolean => {
  const used = usedPointer(effect);
  return used !== null && render(used) === pointer;
};

const givesUp = (call: CallNode): boolean => call.effects.some((one) => one.kind === "release" && one.lock === "mmap_lock");


const LOOKUP = /^(?:find_vma|vma_lookup)$/;

/** The mm that the function got the VMA from, where it looked it up in one place. */
function lookedUpIn(program: EffectProgram, vma: string): string | null {
  const found = program.nodes.flatMap((node): readonly (string | null)[] => {
    if (node.kind !== "assign" && node.kind !== "call") return [];
    const [target, value] = node.kind === "call" ? [node.result, node] : [render(node.target), node.value];
    if (target !== vma) return [];
    return [value?.kind === "call" && LOOKUP.test(value.name) && value.args[0] ? render(value.args[0]) : null];
  });
  return found.length === 1 ? (found[0] ?? null) : null;
}

/** True where every way to the walk waits for the mmap lock of the walked mm, and the function takes and gives up no other. */
function takesMmapLockFirst(program: EffectProgram, walk: NodeId, owners: readonly (string | null)[]): boolean {
  const locks = program.nodes.flatMap((node) => (node.kind === "call" ? node.effects.filter((one) => (one.kind === "acquire" || one.kind === "release") && one.lock === "mmap_lock") : []));
  const isOwn = locks.every((one) => (one.kind === "acquire" || one.kind === "release") && one.object !== null && owners.includes(render(one.object)));
  const takes = (node: ProgramNode | undefined): boolean => node?.kind === "call" && node.effects.some((one) => one.kind === "acquire" && one.lock === "mmap_lock" && one.sleeps);
  return locks.length > 0 && isOwn && !reachable(program, program.entry, takes).has(walk);
}
