// SPDX-License-Identifier: GPL-2.0-only
import { EMPTY_STATE } from "../analysis/state.ts";
import { normalize } from "../analysis/truth.ts";
import { successors, type BranchNode, type CallNode, type EffectProgram, type NodeId } from "../program/program.ts";
import { render } from "../program/render.ts";

/** Control comes to a node with NULL in these variables, all of which a failed call gave it. */
export interface NullHere {
  readonly id: NodeId;
  readonly names: ReadonlySet<string>;
  /** True where the test that lets control come here is the last thing that happened: the way begins there. */
  readonly isTold: boolean;
}

/** More ways of naming it than code has. */
const MOST_WAYS = 2_000;

/**
 * The ways from a call that failed, as far as a variable has its NULL: a test of one of them is decided, everything else goes
 * both ways. `stops`: what no way goes past.
 */
export function nullWays(program: EffectProgram, from: NodeId, stops: (id: NodeId, names: ReadonlySet<string>) => boolean): readonly NullHere[] {
  const call = program.nodes[from];
  if (call?.kind !== "call" || call.result === null) return [];
  const found: NullHere[] = [{ id: call.next, names: new Set([call.result]), isTold: false }];
  const seen = new Set(found.map(keyOf));
  for (const here of found) {
    if (found.length > MOST_WAYS) return [];
    if (stops(here.id, here.names)) continue;
    for (const next of after(program, here)) {
      if (next.names.size === 0 || seen.has(keyOf(next))) continue;
      seen.add(keyOf(next));
      found.push(next);
    }
  }
  return found;
}

const keyOf = ({ id, names, isTold }: NullHere): string => `${id} ${isTold} ${[...names].toSorted().join()}`;

function after(program: EffectProgram, { id, names }: NullHere): readonly NullHere[] {
  const node = program.nodes[id];
  if (!node) return [];
  const told = node.kind === "branch" ? whereNull(node, names) : null;
  if (told !== null) return [{ id: told, names, isTold: true }];
  return successors(node).map((next) => ({ id: next, names: namesAfter(node, names), isTold: false }));
}

/** Where control goes where one of the variables is NULL; null: the test is about something else. */
export function whereNull({ condition, then, otherwise }: BranchNode, names: ReadonlySet<string>): NodeId | null {
  const { key, inverted } = normalize(EMPTY_STATE, condition);
  return names.has(key) ? (inverted ? then : otherwise) : null;
}

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
