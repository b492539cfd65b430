// SPDX-License-Identifier: GPL-2.0-only
import type { EdgeList, Search } from "./breadth-first.ts";
import type { Program } from "./compile.ts";

/** Actions that lead from a state onto a cycle, and the actions of the cycle. */
export interface Lasso {
  readonly lead: readonly number[];
  readonly cycle: readonly number[];
}

type AllowEdge = (edge: number) => boolean;

/** How each state was first reached; looked up only. */
type Arrivals = Map<number, { readonly from: number; readonly action: number }>;

const pathIn = (arrivals: Arrivals, start: number, end: number): number[] => {
  const actions: number[] = [];
  let at = end;
  while (at !== start) {
    const arrival = arrivals.get(at);
    if (arrival === undefined) throw new Error("the path is broken");
    actions.push(arrival.action);
    at = arrival.from;
  }
  return Array.from(actions.keys(), (index) => actions[actions.length - 1 - index]);
};

/** All states reachable from `start` by allowed edges, nearest first, and how. */
const reachable = (edges: EdgeList, start: number, allow: AllowEdge): { order: number[]; arrivals: Arrivals } => {
  const order = [start];
  const arrivals: Arrivals = new Map();
  for (let at = 0; at < order.length; at++) {
    const state = order[at];
    for (let edge = edges.first[state]; edge < edges.first[state + 1]; edge++) {
      const target = edges.target[edge];
      if (!allow(edge) || target === start || arrivals.has(target)) continue;
      arrivals.set(target, { from: state, action: edges.action[edge] });
      order.push(target);
    }
  }
  return { order, arrivals };
};

/** A shortest way from `state` back to itself whose first edge is one that `starts` accepts, or null. */
const cycleThrough = (edges: EdgeList, state: number, allow: AllowEdge, starts: AllowEdge): number[] | null => {
  let best: number[] | null = null;
  for (let edge = edges.first[state]; edge < edges.first[state + 1]; edge++) {
    if (!allow(edge) || !starts(edge)) continue;
    const target = edges.target[edge];
    const back = target === state ? [] : wayBack(edges, target, state, allow);
    if (back === null || (best !== null && best.length <= back.length + 1)) continue;
    best = [edges.action[edge], ...back];
  }
  return best;
};

const wayBack = (edges: EdgeList, from: number, to: number, allow: AllowEdge): number[] | null => {
  const { arrivals } = reachable(edges, from, allow);
  return arrivals.has(to) ? pathIn(arrivals, from, to) : null;
};

/** More starting points than this are not tried: any cycle convinces, a nearer one just reads better. */
const MAX_STARTS = 200;

const lassoFrom = (edges: EdgeList, start: number, allow: AllowEdge, starts: AllowEdge): Lasso | null => {
  const { order, arrivals } = reachable(edges, start, allow);
  for (const state of order.slice(0, MAX_STARTS)) {
    const cycle = cycleThrough(edges, state, allow, starts);
    if (cycle !== null) return { lead: pathIn(arrivals, start, state), cycle };
  }
  return null;
};

/** Follows first edges until a state repeats. Works wherever every state has a successor, as in a trap. */
const anyLasso = (edges: EdgeList, start: number): Lasso => {
  const seen = new Map<number, number>();
  const actions: number[] = [];
  let state = start;
  while (!seen.has(state)) {
    seen.set(state, actions.length);
    const edge = edges.first[state];
    actions.push(edges.action[edge]);
    state = edges.target[edge];
  }
  const at = seen.get(state) ?? 0;
  return { lead: actions.slice(0, at), cycle: actions.slice(at) };
};

/**
 * A cycle to show for a state of a trap: of the stuck thread alone where there is one, else one that it takes part in, else
 * any. `program` must be the one that the search ran.
 */
export const cycleFrom = (program: Program, { edges }: Search, start: number, thread: number): Lasso => {
  if (edges === null) throw new Error("the search did not record its transitions");
  const isOwn: AllowEdge = (edge) => program.actions[edges.action[edge]].thread === thread;
  return lassoFrom(edges, start, isOwn, isOwn) ?? lassoFrom(edges, start, () => true, isOwn) ?? anyLasso(edges, start);
};
