// SPDX-License-Identifier: GPL-2.0-only
import type { EdgeList, Search } from "./breadth-first.ts";
import type { Program } from "./compile.ts";
import { readCounter } from "./layout.ts";

interface Incoming {
  readonly first: Int32Array;
  readonly source: Int32Array;
}

/** The transitions by target instead of by source. */
const reversed = (edges: EdgeList, states: number): Incoming => {
  const first = new Int32Array(states + 1);
  for (let edge = 0; edge < edges.count; edge++) first[edges.target[edge] + 1]++;
  for (let state = 0; state < states; state++) first[state + 1] += first[state];
  const next = first.slice();
  const source = new Int32Array(edges.count);
  for (let state = 0; state < states; state++) {
    for (let edge = edges.first[state]; edge < edges.first[state + 1]; edge++) {
      source[next[edges.target[edge]]++] = state;
    }
  }
  return { first, source };
};

/** Marks the states from which some path leads to a marked state. */
const spreadBackward = (marked: Uint8Array, { first, source }: Incoming): void => {
  const work: number[] = [];
  marked.forEach((mark, state) => {
    if (mark === 1) work.push(state);
  });
  for (let state = work.pop(); state !== undefined; state = work.pop()) {
    for (let edge = first[state]; edge < first[state + 1]; edge++) {
      const from = source[edge];
      if (marked[from] === 1) continue;
      marked[from] = 1;
      work.push(from);
    }
  }
};

/**
 * Marks the trap of a thread in a completely explored graph: the states from which no path leads to its end, nor to a state
 * in which nothing moves any more (that is a deadlock, or the end, and judged as such). Every run from a trap state goes on
 * for ever without the thread ending.
 */
export const trapOf = (program: Program, { store, edges }: Search, thread: number): Uint8Array => {
  if (edges === null) throw new Error("the search did not record its transitions");
  const place = program.layout.counters[thread];
  const escapes = new Uint8Array(store.count);
  for (let state = 0; state < store.count; state++) {
    const ended = readCounter(store.bytes, state * program.layout.stride, place) === place.end;
    if (ended || edges.first[state] === edges.first[state + 1]) escapes[state] = 1;
  }
  spreadBackward(escapes, reversed(edges, store.count));
  return escapes.map((escape) => 1 - escape);
};
