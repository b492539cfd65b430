// SPDX-License-Identifier: GPL-2.0-only
import type { AcyclicGraph } from "./graph.ts";

/** How many there are, and how many of them go wrong. */
export interface Share {
  readonly total: bigint;
  readonly failing: bigint;
}

/**
 * Counts the complete schedules: sequences of steps from the initial state until a check fails or nothing can move. A
 * schedule fails at a check or, where deadlocks count, at one.
 */
export const countPaths = ({ search, edges, order }: AcyclicGraph, deadlock: boolean): Share => {
  const ways = Array.from(order, () => 0n);
  ways[0] = 1n;
  for (const state of order) {
    for (let edge = edges.first[state]; edge < edges.first[state + 1]; edge++) ways[edges.target[edge]] += ways[state];
  }
  const failures = new Int32Array(order.length);
  let failing = 0n;
  for (const { state, action } of search.failures) {
    if (action >= 0) failures[state]++;
    if (action >= 0 || deadlock) failing += ways[state];
  }
  let total = 0n;
  ways.forEach((count, state) => {
    const ends = edges.first[state] === edges.first[state + 1] && failures[state] === 0;
    total += count * BigInt(ends ? 1 : failures[state]);
  });
  return { total, failing };
};
