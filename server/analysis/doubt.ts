// SPDX-License-Identifier: GPL-2.0-only
import type { Value } from "../program/code.ts";
import { successors, type BoundEffect, type EffectProgram, type NodeId } from "../program/program.ts";
import { namesIn } from "../program/render.ts";

/**
 * Nodes that control comes to without leaving one of `leaving`: a function that takes a lock there takes what it gives up.
 * A loop that gives up what its caller holds, and takes it again for the next turn, comes to the taking last.
 */
function reachedBefore(program: EffectProgram, leaving: ReadonlySet<NodeId>): ReadonlySet<NodeId> {
  const seen = new Set<NodeId>([program.entry]);
  for (const id of seen) {
    const node = program.nodes[id];
    if (node && !leaving.has(id)) for (const next of successors(node)) seen.add(next);
  }
  return seen;
}

/** Says of what is named by a key whether the function itself takes it before it gives it up; `own`: nodes that took it on a path. */
export function takesFirst(program: EffectProgram, taken: NodesByKey, given: NodesByKey): (key: string, own: readonly (NodeId | undefined)[]) => boolean {
  const known = new Map<string, { readonly reached: ReadonlySet<NodeId>; readonly anyway: boolean }>();
  return (key, own) => {
    const taking = taken.get(key) ?? new Set();
    if (taking.size === 0 && own.every((at) => at === undefined)) return false;
    const made = known.get(key);
    const reached = made?.reached ?? reachedBefore(program, given.get(key) ?? new Set());
    const anyway = made?.anyway ?? [...taking].some((at) => reached.has(at));
    known.set(key, { reached, anyway });
    return anyway || own.some((at) => at !== undefined && reached.has(at));
  };
}

export type NodesByKey = ReadonlyMap<string, ReadonlySet<NodeId>>;

/** Nodes by what `keysOf` finds in their effects. */
export function nodesBy(program: EffectProgram, keysOf: (effect: BoundEffect) => readonly string[]): NodesByKey {
  const found = new Map<string, Set<NodeId>>();
  program.nodes.forEach((node, id) => {
    if (node.kind === "call") for (const key of node.effects.flatMap(keysOf)) found.set(key, (found.get(key) ?? new Set<NodeId>()).add(id));
  });
  return found;
}

/**
 * True where one of the values is a local variable that a callee gave its value, which may have taken the lock, too: no
 * caller can have taken it by that name.
 */
export const hasUnknownOrigin = (program: EffectProgram, values: readonly Value[]): boolean =>
  values.some((value) => namesIn(value).some((name) => givenByCallees(program).has(name)));

const given = new WeakMap<EffectProgram, ReadonlySet<string>>();

/** Locals that callees write through their address, or return, but for callees that are known to take nothing. */
function givenByCallees(program: EffectProgram): ReadonlySet<string> {
  const known = given.get(program);
  if (known) return known;
  const isLocal = (name: string): boolean => program.variables.get(name)?.isParameter === false;
  const found = new Set<string>();
  for (const node of program.nodes) {
    if (node.kind !== "call" || node.knowledge === "quiet") continue;
    if (node.result !== null && node.knowledge !== "inlined" && isLocal(node.result)) found.add(node.result);
    for (const arg of node.args) if (arg.kind === "unary" && arg.operator === "&" && arg.of.kind === "name" && isLocal(arg.of.name)) found.add(arg.of.name);
  }
  given.set(program, found);
  return found;
}
