// SPDX-License-Identifier: GPL-2.0-only
import { EMPTY_STATE } from "../analysis/state.ts";
import { normalize } from "../analysis/truth.ts";
import { successors, type BranchNode, type CallNode, type EffectProgram, type NodeId } from "../program/program.ts";
import { render } from "../program/render.ts";

/** Control comes to a node with the value that a call returned in these variables. */
export interface ResultHere {
  readonly id: NodeId;
  readonly names: ReadonlySet<string>;
}

/** Where a test of the variables sends a certain value; null: that does not tell, and both ways are gone. */
export type Decide = (branch: BranchNode, names: ReadonlySet<string>) => NodeId | null;

/** More ways of naming it than code has. */
const MOST_WAYS = 2_000;

/**
 * The ways from a call that returned a certain value, as far as a variable has it: a test of one of them is decided, everything
 * else goes both ways. `stops`: what no way goes past.
 */
export function resultWays(program: EffectProgram, from: NodeId, decide: Decide, stops: (here: ResultHere) => boolean): readonly ResultHere[] {
  const call = program.nodes[from];
  return call?.kind === "call" && call.result !== null ? waysFrom(program, { id: call.next, names: new Set([call.result]) }, decide, stops) : [];
}

/** The same from any place. */
export function waysFrom(program: EffectProgram, from: ResultHere, decide: Decide, stops: (here: ResultHere) => boolean): readonly ResultHere[] {
  const found: ResultHere[] = [from];
  const seen = new Set(found.map(keyOf));
  for (const here of found) {
    if (found.length > MOST_WAYS) return [];
    if (stops(here)) continue;
    for (const next of after(program, here, decide)) {
      if (next.names.size === 0 || seen.has(keyOf(next))) continue;
      seen.add(keyOf(next));
      found.push(next);
    }
  }
  return found;
}

const keyOf = ({ id, names }: ResultHere): string => `${id} ${[...names].toSorted().join()}`;

function after(program: EffectProgram, { id, names }: ResultHere, decide: Decide): readonly ResultHere[] {
  const node = program.nodes[id];
  if (!node) return [];
  const told = node.kind === "branch" ? decide(node, names) : null;
  return told !== null ? [{ id: told, names }] : successors(node).map((next) => ({ id: next, names: namesAfter(node, names) }));
}

/** Where control goes where one of the variables is NULL; null: the test is about something else. */
export const whereNull: Decide = ({ condition, then, otherwise }, names) => {
  const { key, inverted } = normalize(EMPTY_STATE, condition);
  return names.has(key) ? (inverted ? then : otherwise) : null;
};

function namesAfter(node: EffectProgram["nodes"][number], names: ReadonlySet<string>): ReadonlySet<string> {
  if (node.kind === "call") return givenAway(node, node.result === null ? names : without(names, node.result));
  if (node.kind !== "assign") return names;
  const target = render(node.target);
  return node.operator === "=" && node.value !== null && names.has(render(node.value)) ? new Set([...names, target]) : without(names, target);
}

const without = (names: ReadonlySet<string>, gone: string): ReadonlySet<string> => (names.has(gone) ? new Set([...names].filter((name) => name !== gone)) : names);

/** A callee may write whatever it is given the address of. */
const givenAway = ({ args }: CallNode, names: ReadonlySet<string>): ReadonlySet<string> =>
  args.reduce((left, arg) => (arg.kind === "unary" && arg.operator === "&" ? without(left, render(arg.of)) : left), names);
