// SPDX-License-Identifier: GPL-2.0-only
import type { Program } from "../compile.ts";
import { depend } from "../reduction/footprint.ts";
import { locksOf } from "../reduction/held-locks.ts";
import { pointsOf } from "../reduction/points.ts";
import { stepFootprints } from "../reduction/step-footprints.ts";
import type { AcyclicGraph } from "./graph.ts";
import type { Share } from "./schedules.ts";

/** For each pair of actions 1 where their order matters: of one thread, or on the same bytes. */
const dependenceOfActions = (program: Program, disabled: ReadonlySet<number>): Uint8Array => {
  const { bits, actions } = stepFootprints(program, pointsOf(program), locksOf(program.model, disabled), disabled);
  const count = actions.length;
  const table = new Uint8Array(count * count);
  for (let left = 0; left < count; left++) {
    for (let right = 0; right < count; right++) {
      const isSame = program.actions[left].thread === program.actions[right].thread;
      if (isSame || depend(actions[left], 0, actions[right], 0, bits.words)) table[left * count + right] = 1;
    }
  }
  return table;
};

/** More ways out of one state than this do not fit the bits of a number. */
const MOST_EDGES = 31;

/** More pairs of a state and a set of sleeping actions than this are not counted. */
const MOST_PAIRS = 2_000_000;

/** The actions of a set of edges of one state that still sleep after `taken`, as a set of edges of the state it leads to. */
const stillAsleep = (
  { edges }: AcyclicGraph, dependence: Uint8Array, actions: number, from: number, asleep: number, taken: number,
): number => {
  const target = edges.target[taken];
  const row = edges.action[taken] * actions;
  let at = edges.first[target];
  let mask = 0;
  // Edges of a state are in the order of their actions, so both lists are walked once.
  for (let edge = edges.first[from]; edge < edges.first[from + 1]; edge++) {
    const action = edges.action[edge];
    if (((asleep >>> (edge - edges.first[from])) & 1) === 0 || dependence[row + action] === 1) continue;
    while (edges.action[at] !== action) {
      if (++at === edges.first[target + 1]) throw new Error("an independent action was disabled");
    }
    mask |= 1 << (at - edges.first[target]);
  }
  return mask;
};

/**
 * Counts schedules up to the order of neighbouring steps that do not depend on each other (A. Mazurkiewicz, Trace Theory, LNCS
 * 255, 1987), by sleep sets (P. Godefroid, LNCS 1032, 1996, chapter 5) pushed through the graph: each class arrives at exactly
 * one end. `hasFailed` says of a state in which nothing moves whether what led there was a failure. null where there are too
 * many combinations to count.
 */
export const countClasses = (
  program: Program, graph: AcyclicGraph, disabled: ReadonlySet<number>, hasFailed: (state: number) => boolean,
): Share | null => {
  const { edges, order } = graph;
  const dependence = dependenceOfActions(program, disabled);
  /** By state: how many classes of beginnings arrive there, by the set of edges that sleep. */
  const arrivals: (Map<number, bigint> | undefined)[] = Array.from(order, () => undefined);
  arrivals[0] = new Map([[0, 1n]]);
  let pairs = 1;
  let total = 0n;
  let failing = 0n;
  for (const state of order) {
    const first = edges.first[state];
    const last = edges.first[state + 1];
    if (last - first > MOST_EDGES || pairs > MOST_PAIRS) return null;
    for (const [mask, count] of arrivals[state] ?? []) {
      if (first === last) {
        total += count;
        if (hasFailed(state)) failing += count;
      }
      let asleep = mask;
      for (let edge = first; edge < last; edge++) {
        const bit = 1 << (edge - first);
        if ((mask & bit) !== 0) continue;
        const next = stillAsleep(graph, dependence, program.actions.length, state, asleep, edge);
        const there = (arrivals[edges.target[edge]] ??= new Map());
        if (!there.has(next)) pairs++;
        there.set(next, (there.get(next) ?? 0n) + count);
        asleep |= bit;
      }
    }
    arrivals[state] = undefined;
  }
  return { total, failing };
};
