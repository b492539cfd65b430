// SPDX-License-Identifier: GPL-2.0-only
import type { Value } from "../program/code.ts";
import type { BoundEffect, CallNode, EffectProgram, NodeId } from "../program/program.ts";
import { successors } from "../program/program.ts";
import { namesIn, render } from "../program/render.ts";
import { whereZero } from "./result-value.ts";
import { resultWays, type ResultHere } from "./result-ways.ts";
import type { At, Site } from "./rule.ts";

/*
 * 0 pages, and no error: a loop that waits for pages does not get on, and what one page would have been put into is as it was.
 */

type Gup = BoundEffect & { readonly kind: "gup" };

/** The last condition of a loop that comes back to the call although nothing has changed; null: there is none. */
export function endlessAt({ program, node }: Site): At | null {
  const ways = resultWays(program, node, whereZero, ({ id }) => id === node);
  const turn = backTo(program, ways, node);
  if (turn.length === 0 || turn.some((here) => changes(program, here))) return null;
  const asked = turn.flatMap(({ id }): At[] => {
    const one = program.nodes[id];
    return one?.kind === "branch" ? [{ program, at: one.at, end: one.end }] : [];
  });
  return asked.toSorted((a, b) => a.at - b.at)[0] ?? null;
}

/** The places on ways that come back. */
function backTo(program: EffectProgram, ways: readonly ResultHere[], node: NodeId): readonly ResultHere[] {
  const back = new Set<NodeId>([node]);
  const ids = new Set(ways.map(({ id }) => id));
  for (let size = -1; size !== back.size; ) {
    size = back.size;
    for (const id of ids) if (!back.has(id) && successors(program.nodes[id]!).some((next) => back.has(next))) back.add(id);
  }
  return ids.has(node) ? ways.filter(({ id }) => id !== node && back.has(id)) : [];
}

/** True for what makes the next turn another one: a count of tries, a callee, code that is not visible. */
function changes(program: EffectProgram, { id, names }: ResultHere): boolean {
  const node = program.nodes[id];
  const mentions = (value: Value): boolean => namesIn(value).some((name) => names.has(name));
  switch (node?.kind) {
    case "unseen":
    case "choice":
      return true;
    case "assign":
      return node.operator !== "=" && !(node.value !== null && mentions(node.value));
    case "call":
      return node.name !== "cond_resched";
    default:
      return false;
  }
}

/** The page that one call was to find, and where it is used although there is none. */
export function unsetPage({ program, node, call }: Site, gup: Gup): { readonly page: string; readonly use: At } | null {
  const page = gup.pages?.kind === "unary" && gup.pages.operator === "&" && gup.pages.of.kind === "name" ? gup.pages.of.name : null;
  const isOne = call.args.some((arg) => arg.kind === "number" && arg.value === 1);
  if (page === null || !isOne || program.variables.get(page)?.pointers !== 1 || isGiven(program, page)) return null;
  const uses = resultWays(program, node, whereZero, ({ id }) => id === node || asks(program, id, page)).flatMap(({ id }) => {
    const one = program.nodes[id];
    return id !== node && one?.kind === "call" && usesPage(one, page) ? [one] : [];
  });
  const [first] = uses.toSorted((a, b) => a.at - b.at);
  return first ? { page, use: { program, at: first.at, end: first.end } } : null;
}

const isGiven = (program: EffectProgram, page: string): boolean =>
  program.nodes.some((node) => (node.kind === "assign" && render(node.target) === page) || (node.kind === "call" && node.result === page));

const asks = (program: EffectProgram, id: NodeId, page: string): boolean => {
  const node = program.nodes[id];
  return node?.kind === "unseen" || (node?.kind === "branch" && namesIn(node.condition).includes(page));
};

const usesPage = ({ args }: CallNode, page: string): boolean => args.some((arg) => arg.kind !== "unary" && namesIn(arg).includes(page));
