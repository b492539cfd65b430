// SPDX-License-Identifier: GPL-2.0-only
import { successors, type EffectProgram, type NodeId } from "../../program/program.ts";
import type { ObligationKind } from "./obligation.ts";

/** True for a function without a value: it cannot tell its caller what it left. */
export const saysNothing = (program: EffectProgram): boolean => program.nodes.every((node) => node.kind !== "return" || node.value === null);

/** True where the function comes to an end of what lives in the place without having begun it on the way. */
export function endsForCaller(program: EffectProgram, kind: ObligationKind, place: string): boolean {
  const found = new Set<NodeId>([program.entry]);
  for (const id of found) {
    const node = program.nodes[id];
    if (!node) continue;
    const roles = node.kind === "call" ? node.effects.flatMap((effect) => kind.role(effect, node) ?? []) : [];
    if (roles.some((role) => role.does === "end" && role.handle.by === "place" && role.handle.place === place)) return true;
    if (roles.some((role) => role.does === "begin" && role.place === place)) continue;
    for (const next of successors(node)) found.add(next);
  }
  return false;
}
