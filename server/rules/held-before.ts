// SPDX-License-Identifier: GPL-2.0-only
import { spins } from "../kernel/lock-order.ts";
import { successors, type CallNode, type EffectProgram, type NodeId } from "../program/program.ts";

/** Nodes that control may come through on the way to a node since a lock that spins was taken. */
export function heldBefore(program: EffectProgram, to: NodeId): readonly NodeId[] {
  const before = new Map<NodeId, NodeId[]>();
  program.nodes.forEach((node, id) => {
    for (const next of successors(node)) {
      const known = before.get(next);
      if (known) known.push(id);
      else before.set(next, [id]);
    }
  });
  const found = new Set<NodeId>();
  const work = [...(before.get(to) ?? [])];
  for (let id = work.pop(); id !== undefined; id = work.pop()) {
    const node = program.nodes[id];
    if (found.has(id) || (node?.kind === "call" && isEdge(node))) continue;
    found.add(id);
    work.push(...(before.get(id) ?? []));
  }
  return [...found];
}

const isEdge = ({ effects }: CallNode): boolean => effects.some((effect) => effect.kind === "unmapPte" || effect.kind === "lockEntryTable" || ((effect.kind === "acquire" || effect.kind === "release") && spins(effect.lock)));
