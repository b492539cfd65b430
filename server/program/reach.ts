// SPDX-License-Identifier: GPL-2.0-only
import { successors, type EffectProgram, type NodeId, type ProgramNode } from "./program.ts";

/** Nodes that control reaches from a node by the ways that `nextOf` gives, without passing one of the others. */
export function reachableBy(
  program: EffectProgram,
  from: NodeId,
  avoiding: ReadonlySet<NodeId>,
  nextOf: (node: ProgramNode) => readonly NodeId[],
): ReadonlySet<NodeId> {
  const seen = new Set<NodeId>();
  const work = avoiding.has(from) ? [] : [from];
  for (let id = work.pop(); id !== undefined; id = work.pop()) {
    const node = program.nodes[id];
    if (seen.has(id) || !node) continue;
    seen.add(id);
    for (const next of nextOf(node)) if (!avoiding.has(next)) work.push(next);
  }
  return seen;
}

/** Nodes that control reaches from a node, itself included, without passing one of the others. */
export const reachable = (program: EffectProgram, from: NodeId, avoiding: ReadonlySet<NodeId> = new Set()): ReadonlySet<NodeId> =>
  reachableBy(program, from, avoiding, successors);
