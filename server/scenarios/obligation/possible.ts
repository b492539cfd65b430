// SPDX-License-Identifier: GPL-2.0-only
import { successors, type EffectProgram, type NodeId, type ProgramNode } from "../../program/program.ts";
import { isSite, type ObligationKind, type Role, type Site } from "./obligation.ts";
import { mayReturnError } from "./returned.ts";

/** States of the thing, as bits of a set. */
const NEVER = 1;
const OPEN = 2;
const ENDED = 4;
const REFUSED = 8;
const LENT = 16;

/**
 * Whether a bad state of something that lives in a place can be reached if no condition is looked at. Where it cannot, no
 * schedule shows it, and the function need not be explored: of almost all.
 */
export function isPossible(kind: ObligationKind, site: Site, program: EffectProgram): boolean {
  const begin = kind.role(site.effect, site.call);
  if (begin?.does !== "begin" || begin.place === null) return true;
  const { place } = begin;
  const rolesOf = (node: ProgramNode): readonly Role[] =>
    node.kind !== "call" ? [] : node.effects.flatMap((effect): Role[] => {
      const role = kind.role(effect, node);
      if (role === null) return [];
      if (role.does === "begin") return isSite(site, node) || role.place === place ? [role] : [];
      return "handle" in role && role.handle.by === "place" && role.handle.place !== place ? [] : [role];
    });
  const before = new Map<NodeId, number>([[program.entry, NEVER]]);
  const work = [program.entry];
  for (let id = work.pop(); id !== undefined; id = work.pop()) {
    const node = program.nodes[id];
    const states = before.get(id) ?? 0;
    if (!node) continue;
    const roles = rolesOf(node);
    if (isBad(kind, node, states, roles)) return true;
    const after = roles.reduce(afterRole, node.kind === "unseen" ? NEVER : states);
    for (const next of node.kind === "return" ? [] : successors(node)) {
      const known = before.get(next) ?? 0;
      if ((known | after) === known) continue;
      before.set(next, known | after);
      work.push(next);
    }
  }
  return false;
}

function isBad(kind: ObligationKind, node: ProgramNode, states: number, roles: readonly Role[]): boolean {
  if (node.kind === "return" || node.kind === "exit") return kind.leftOpen !== null && (states & OPEN) !== 0 && (kind.leftAt !== "errors" || mayReturnError(node));
  // Several things at once: left to the search.
  if (roles.length > 1) return true;
  const [role] = roles;
  if (role?.does === "begin") return kind.begunAgain !== null && (states & OPEN) !== 0;
  if (role?.does === "end") return (kind.endedTwice !== null && (states & ENDED) !== 0) || (kind.endedRefused !== undefined && (states & REFUSED) !== 0) || (kind.endedUnbegun !== undefined && (states & (NEVER | LENT)) !== 0);
  if (role?.does === "renew") return kind.renewedOpen !== undefined && (states & OPEN) !== 0;
  return role !== undefined && role.does !== "forget" && role.does !== "may-end";
}

function afterRole(states: number, role: Role): number {
  switch (role.does) {
    case "begin": {
      const begun = (states & LENT) !== 0 ? NEVER : 0;
      return begun | ((states & ~LENT) === 0 ? 0 : OPEN) | (role.failure === null ? 0 : states | REFUSED | NEVER);
    }
    case "renew":
      return states;
    case "end":
      return ((states & ~NEVER) === 0 ? 0 : ENDED) | ((states & NEVER) === 0 ? 0 : LENT);
    case "may-end":
      return states | ((states & ~NEVER) === 0 ? 0 : ENDED) | ((states & NEVER) === 0 ? 0 : LENT);
    case "forget":
      return NEVER;
    default:
      return states;
  }
}
