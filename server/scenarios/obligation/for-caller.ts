// SPDX-License-Identifier: GPL-2.0-only
import { successors, type EffectProgram, type NodeId, type ProgramNode } from "../../program/program.ts";
import type { ObligationKind, Role } from "./obligation.ts";

const rolesOf = (node: ProgramNode, kind: ObligationKind): readonly Role[] => (node.kind === "call" ? node.effects.flatMap((effect) => kind.role(effect, node) ?? []) : []);

const begins = (role: Role, place: string): boolean => role.does === "begin" && role.place === place;
const ends = (role: Role, place: string): boolean => role.does === "end" && role.handle.by === "place" && role.handle.place === place;

/** True for a function without a value: it cannot tell its caller what it left. */
export const saysNothing = (program: EffectProgram): boolean => program.nodes.every((node) => node.kind !== "return" || node.value === null);

/** True where the function comes to an end of what lives in the place without having begun it on the way. */
export function endsForCaller(program: EffectProgram, kind: ObligationKind, place: string): boolean {
  const found = new Set<NodeId>([program.entry]);
  for (const id of found) {
    const node = program.nodes[id];
    if (!node) continue;
    const roles = rolesOf(node, kind);
    if (roles.some((role) => ends(role, place))) return true;
    if (roles.some((role) => begins(role, place))) continue;
    for (const next of successors(node)) found.add(next);
  }
  return false;
}

/** True where every way on from what begins it, and there is one, leaves the function with it: what is ended in between is begun again. */
export function keepsForCaller(program: EffectProgram, kind: ObligationKind, place: string, from: NodeId): boolean {
  const found = new Set<string>();
  const work: { readonly id: NodeId; readonly open: boolean }[] = [{ id: from, open: false }];
  let leaves = false;
  for (let point = work.pop(); point; point = work.pop()) {
    const { id, open } = point;
    const node = program.nodes[id];
    if (!node || found.has(`${id} ${open}`)) continue;
    found.add(`${id} ${open}`);
    const isOpen = rolesOf(node, kind).reduce((now, role) => begins(role, place) || (now && !ends(role, place) && role.does !== "may-end" && role.does !== "forget"), open);
    if (node.kind === "return" || node.kind === "exit") {
      if (!isOpen) return false;
      leaves = true;
    } else for (const next of successors(node)) work.push({ id: next, open: isOpen });
  }
  return leaves;
}
