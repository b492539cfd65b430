// SPDX-License-Identifier: GPL-2.0-only
import type { Program } from "../compile.ts";
import { depend, unite } from "./footprint.ts";
import type { Footprint } from "./footprint.ts";
import type { Points } from "./points.ts";
import { heldAt, shutOutWhile } from "./step-footprints.ts";
import type { StepFootprints } from "./step-footprints.ts";

/**
 * For each pair of points (that of the first thread times `points.count`, plus that of the second): 1 where the second thread,
 * from where it stands and before the first one moves, may do something that the first one's step depends on.
 */
export type Dependence = Uint8Array;

/** Above this many bytes the table is not worth its memory. */
const MOST_BYTES = 1 << 24;

/**
 * What each thread may still touch, by point, if it takes no action that is shut out: one footprint a point. Lock-cut
 * futures: while a thread holds a lock, what others do behind their next acquisition of it is out of their reach.
 */
const futures = (program: Program, points: Points, prints: StepFootprints, threads: readonly number[], shut: Uint8Array): Footprint => {
  const size = 3 * prints.bits.words;
  const future = new Uint32Array(points.count * size);
  const sweep = (thread: number): boolean => {
    let isNew = false;
    for (let step = program.model.threads[thread].steps.length - 1; step >= 0; step--) {
      const at = (points.first[thread] + step) * size;
      const first = program.firstAction[thread];
      for (let action = first[step]; action < first[step + 1]; action++) {
        if (shut[action] === 1) continue;
        const next = (points.first[thread] + program.next[action]) * size;
        const own = unite(future, at, prints.actions[action], 0, size);
        if (unite(future, at, future, next, size) || own) isNew = true;
      }
    }
    return isNew;
  };
  for (const thread of threads) while (sweep(thread));
  return future;
};

/** Fills in the row of one point. */
const fillRow = (
  table: Dependence, point: number, own: Footprint, future: Footprint, points: Points, words: number,
): void => {
  for (let other = 0; other < points.count; other++) {
    if (depend(own, 0, future, other * 3 * words, words)) table[point * points.count + other] = 1;
  }
};

/**
 * The table of dependences, or null where it would be too large or the flag is raised meanwhile. A step that depends on nothing that any other thread can do
 * first is a persistent set of its own (P. Godefroid, Partial-Order Methods for the Verification of Concurrent Systems, LNCS
 * 1032, 1996, chapter 4): to explore that thread alone is enough. The other threads' futures end at locks that are held.
 */
export const dependenceOf = (
  program: Program, points: Points, prints: StepFootprints, threads: readonly number[], cancel: Int32Array | undefined,
): Dependence | null => {
  if (points.count * points.count > MOST_BYTES) return null;
  const table = new Uint8Array(points.count * points.count);
  const known = new Map<string, Footprint>();
  for (const thread of threads) {
    for (let step = 0; step < program.model.threads[thread].steps.length; step++) {
      if (cancel !== undefined && Atomics.load(cancel, 0) !== 0) return null;
      const held = heldAt(prints.locks, thread, step);
      const future = known.get(held) ?? futures(program, points, prints, threads, shutOutWhile(prints, held));
      known.set(held, future);
      const point = points.first[thread] + step;
      fillRow(table, point, prints.points[point], future, points, prints.bits.words);
    }
  }
  return table;
};
