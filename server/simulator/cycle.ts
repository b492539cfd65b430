// SPDX-License-Identifier: GPL-2.0-only
import type { EdgeList, Search } from "./breadth-first.ts";
import type { Program } from "./compile.ts";
import { componentsOf, type AllowEdge } from "./components.ts";

/** Actions that lead from a state onto a cycle, and the actions of the cycle. */
export interface Lasso {
  readonly lead: readonly number[];
  readonly cycle: readonly number[];
}

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

/** The nearest state that is wanted, by allowed edges, and the way there; null where there is none. */
const nearest = (
  edges: EdgeList, start: number, allow: AllowEdge, isWanted: (state: number) => boolean,
): { readonly state: number; readonly path: readonly number[] } | null => {
  const order = [start];
  const arrivals: Arrivals = new Map();
  for (const state of order) {
    if (isWanted(state)) return { state, path: pathIn(arrivals, start, state) };
    for (let edge = edges.first[state]; edge < edges.first[state + 1]; edge++) {
      const target = edges.target[edge];
      if (!allow(edge) || target === start || arrivals.has(target)) continue;
      arrivals.set(target, { from: state, action: edges.action[edge] });
      order.push(target);
    }
  }
  return null;
};

/** A shortest way from `state` back to itself whose first edge is one that `starts` accepts, or null. */
const cycleThrough = (edges: EdgeList, state: number, allow: AllowEdge, starts: AllowEdge): readonly number[] | null => {
  let best: readonly number[] | null = null;
  for (let edge = edges.first[state]; edge < edges.first[state + 1]; edge++) {
    if (!allow(edge) || !starts(edge)) continue;
    const back = nearest(edges, edges.target[edge], allow, (at) => at === state)?.path;
    if (back === undefined || (best !== null && best.length <= back.length + 1)) continue;
    best = [edges.action[edge], ...back];
  }
  return best;
};

/** A cycle of allowed edges with one that `starts` accepts, at the nearest state from which such an edge leads on. */
const lassoFrom = (edges: EdgeList, states: number, start: number, allow: AllowEdge, starts: AllowEdge): Lasso | null => {
  // Without it, most of the graph would be searched once for each state from which nothing leads back.
  const component = componentsOf(edges, states, start, allow);
  const isInside = (state: number) => (edge: number): boolean => allow(edge) && component[edges.target[edge]] === component[state];
  const isOnCycle = (state: number): boolean => {
    for (let edge = edges.first[state]; edge < edges.first[state + 1]; edge++) if (starts(edge) && isInside(state)(edge)) return true;
    return false;
  };
  const entry = nearest(edges, start, allow, isOnCycle);
  const cycle = entry && cycleThrough(edges, entry.state, isInside(entry.state), starts);
  return entry && cycle && { lead: entry.path, cycle };
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
export const cycleFrom = (program: Program, { edges, store }: Search, start: number, thread: number): Lasso => {
  if (edges === null) throw new Error("the search did not record its transitions");
  const isOwn: AllowEdge = (edge) => program.actions[edges.action[edge]].thread === thread;
  return lassoFrom(edges, store.count, start, isOwn, isOwn) ?? lassoFrom(edges, store.count, start, () => true, isOwn) ?? anyLasso(edges, start);
};
