// SPDX-License-Identifier: GPL-2.0-only
import type { Program } from "../compile.ts";

/** All places where a thread can stand, numbered through: the steps of each thread and its end. */
export interface Points {
  /** Number of each thread's first step. */
  readonly first: Int32Array;
  readonly count: number;
}

export const pointsOf = ({ model }: Program): Points => {
  const first = new Int32Array(model.threads.length);
  let count = 0;
  model.threads.forEach(({ steps }, thread) => {
    first[thread] = count;
    count += steps.length + 1;
  });
  return { first, count };
};
