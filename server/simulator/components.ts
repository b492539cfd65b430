// SPDX-License-Identifier: GPL-2.0-only
import type { EdgeList } from "./breadth-first.ts";

/** Which edges of a graph count. */
export type AllowEdge = (edge: number) => boolean;

/** What a depth-first search is in the middle of: a state, and the next of its edges. */
interface Visit {
  readonly state: number;
  edge: number;
}

/**
 * Strongly connected components of what can be reached from `start` by allowed edges: a number by state, -1 where it cannot be
 * reached. An edge is part of a cycle exactly where both of its ends have the same number (R. Tarjan, Depth-First Search and
 * Linear Graph Algorithms, SIAM J. Comput. 1, 1972).
 */
export const componentsOf = ({ first, target }: EdgeList, states: number, start: number, allow: AllowEdge): Int32Array => {
  const component = new Int32Array(states).fill(-1);
  /** Order of discovery from 1; 0: not yet found. */
  const found = new Int32Array(states);
  const lowest = new Int32Array(states);
  const open: number[] = [];
  const visits: Visit[] = [];
  let count = 0;
  let components = 0;

  const enter = (state: number): void => {
    found[state] = ++count;
    lowest[state] = count;
    open.push(state);
    visits.push({ state, edge: first[state] });
  };
  const close = (root: number): void => {
    let state = -1;
    while (state !== root) {
      state = open.pop() ?? root;
      component[state] = components;
    }
    components++;
  };

  enter(start);
  for (let visit = visits.at(-1); visit !== undefined; visit = visits.at(-1)) {
    const { state } = visit;
    if (visit.edge < first[state + 1]) {
      const edge = visit.edge++;
      const to = target[edge];
      if (!allow(edge)) continue;
      if (found[to] === 0) enter(to);
      else if (component[to] < 0) lowest[state] = Math.min(lowest[state], found[to]);
      continue;
    }
    visits.pop();
    if (lowest[state] === found[state]) close(state);
    const parent = visits.at(-1)?.state;
    if (parent !== undefined) lowest[parent] = Math.min(lowest[parent], lowest[state]);
  }
  return component;
};
