// SPDX-License-Identifier: GPL-2.0-only
import { namesIn } from "../program/render.ts";
import { successors, type CallNode, type EffectProgram, type NodeId } from "../program/program.ts";

/**
 * True where control comes to one of `taking` without passing one of `leaving`: the function takes what it gives up.
 * A loop that gives up what its caller holds, and takes it again for the next turn, comes to the taking last.
 */
export function isTakenFirst(program: EffectProgram, taking: ReadonlySet<NodeId>, leaving: ReadonlySet<NodeId>): boolean {
  const seen = new Set<NodeId>([program.entry]);
  for (const id of seen) {
    if (taking.has(id)) return true;
    const node = program.nodes[id];
    if (node && !leaving.has(id)) for (const next of successors(node)) seen.add(next);
  }
  return false;
}

/**
 * True where a local variable that the call is given has its value from a callee of which not all is known: that one may
 * have taken the lock, too.
 */
export const hasUnknownOrigin = (program: EffectProgram, call: CallNode): boolean =>
  call.args.some((arg) => namesIn(arg).some((name) => unknownOrigins(program).has(name)));

const origins = new WeakMap<EffectProgram, ReadonlySet<string>>();

/** Locals that a callee of which not all is known returns, or writes through their address. */
function unknownOrigins(program: EffectProgram): ReadonlySet<string> {
  const known = origins.get(program);
  if (known) return known;
  const isLocal = (name: string): boolean => program.variables.get(name)?.isParameter === false;
  const found = new Set<string>();
  for (const node of program.nodes) {
    if (node.kind !== "call" || (node.knowledge !== "unknown" && node.knowledge !== "defined-here")) continue;
    if (node.result !== null && isLocal(node.result)) found.add(node.result);
    for (const arg of node.args) if (arg.kind === "unary" && arg.operator === "&" && arg.of.kind === "name" && isLocal(arg.of.name)) found.add(arg.of.name);
  }
  origins.set(program, found);
  return found;
}
