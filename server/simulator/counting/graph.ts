// SPDX-License-Identifier: GPL-2.0-only
import { searchBreadthFirst } from "../breadth-first.ts";
import type { EdgeList, Search } from "../breadth-first.ts";
import type { Program } from "../compile.ts";

/** A completely explored graph without cycles. */
export interface AcyclicGraph {
  readonly search: Search;
  readonly edges: EdgeList;
  /** All states, each before those that it leads to. */
  readonly order: Int32Array;
}

/** States before those that they lead to; null where some lead back. */
const topologicalOrder = (edges: EdgeList, states: number): Int32Array | null => {
  const waiting = new Int32Array(states);
  for (let edge = 0; edge < edges.count; edge++) waiting[edges.target[edge]]++;
  const order = new Int32Array(states);
  let count = 0;
  // Every other state was found from an earlier one, so only the initial state can have nothing that leads to it.
  if (waiting[0] === 0) order[count++] = 0;
  for (let at = 0; at < count; at++) {
    for (let edge = edges.first[order[at]]; edge < edges.first[order[at] + 1]; edge++) {
      const target = edges.target[edge];
      if (--waiting[target] === 0) order[count++] = target;
    }
  }
  return count === states ? order : null;
};

export interface GraphOptions {
  readonly disabled: ReadonlySet<number>;
  readonly maxStates: number;
  readonly cancel?: Int32Array;
}

/** The full graph of a program with all its failures and deadlocks; null where it is too large or has cycles. */
export const acyclicGraph = (program: Program, options: GraphOptions): AcyclicGraph | null => {
  const search = searchBreadthFirst(program, { ...options, deadlock: true, recordEdges: true, collect: true });
  const { edges, outcome, store } = search;
  if (edges === null || outcome.kind !== "complete") return null;
  const order = topologicalOrder(edges, store.count);
  return order === null ? null : { search, edges, order };
};
