// SPDX-License-Identifier: GPL-2.0-only
import type { Target } from "../kernel/target.ts";
import { successors, type EffectProgram, type NodeId, type ProgramNode } from "../program/program.ts";
import { failureOf, sectionsIn, timesIn, type DepthOf, type TimesOf } from "./atomic-call.ts";

/** Depths as bits of a set: bit n stands for n sections, the last one for that many or more. */
const MOST = 31;
const OUTSIDE = 1;

const deeper = (depths: number): number => (depths << 1) | (depths & (1 << MOST));
/** Nobody leaves a section that was not entered: the scenario has the same. */
const shallower = (depths: number): number => (depths >>> 1) | (depths & OUTSIDE) | (depths & (1 << MOST));

const times = (count: number, depths: number, step: (depths: number) => number): number => (count === 0 ? depths : times(count - 1, step(depths), step));

/**
 * Nodes that control may come to inside of a section if no condition is looked at. No schedule of `atomicCall` gets into one at
 * any other, so that only functions that sleep at these need to be explored: few of many.
 */
export function nodesInSections(program: EffectProgram, target: Pick<Target, "release" | "config">): ReadonlySet<NodeId> {
  const [depthOf, timesOf] = [sectionsIn(target), timesIn(target)];
  const before = new Map<NodeId, number>([[program.entry, OUTSIDE]]);
  const work = [program.entry];
  for (let id = work.pop(); id !== undefined; id = work.pop()) {
    const node = program.nodes[id];
    if (!node || node.kind === "return") continue;
    const after = afterNode(node, before.get(id) ?? 0, depthOf, timesOf);
    for (const next of successors(node)) {
      const known = before.get(next) ?? 0;
      if ((known | after) === known) continue;
      before.set(next, known | after);
      work.push(next);
    }
  }
  return new Set([...before].flatMap(([id, depths]) => ((depths & ~OUTSIDE) === 0 ? [] : [id])));
}

function afterNode(node: ProgramNode, before: number, depthOf: DepthOf, timesOf: TimesOf): number {
  if (node.kind === "unseen") return before | OUTSIDE;
  if (node.kind !== "call") return before;
  return node.effects.reduce((depths, effect) => {
    const way = depthOf(effect, node);
    if (way === null) return depths;
    if (way === "leave") return times(timesOf(effect, node), depths, shallower);
    return times(timesOf(effect, node), depths, deeper) | (failureOf(effect) === null ? 0 : depths);
  }, before);
}
