// SPDX-License-Identifier: GPL-2.0-only
import type { Program } from "../compile.ts";
import { readCounter, writeCounter } from "../layout.ts";
import { run } from "../vm.ts";
import { dependenceOf } from "./dependence.ts";
import type { Dependence } from "./dependence.ts";
import { locksOf } from "./held-locks.ts";
import { pointsOf } from "./points.ts";
import type { Points } from "./points.ts";
import { stepFootprints } from "./step-footprints.ts";
import { twinsOf } from "./symmetry.ts";
import type { TwinGroup } from "./symmetry.ts";

/** Which parts of the state graph may be left out. None of them changes which steps can be taken, fail or block for ever. */
export interface Reductions {
  /** Explore one thread alone where the others cannot get in its way before it moves. */
  readonly persistent: boolean;
  /** Take states for equal that differ only in which of several identical threads is which. */
  readonly symmetry: boolean;
  /** Do not store a state in which only one step needs to be explored. */
  readonly fusion: boolean;
  /** Take states for equal that differ only in locals that nobody reads any more. */
  readonly deadLocals: boolean;
}

export const ALL_REDUCTIONS: Reductions = { persistent: true, symmetry: true, fusion: true, deadLocals: true };

/** What a reduced search looks up; made once for a program. */
export interface Reduction {
  readonly points: Points;
  /** null: every thread is always explored. */
  readonly dependence: Dependence | null;
  /** By point: 1 where nobody else sees the step; null: every state is stored. */
  readonly unseen: Uint8Array | null;
  readonly twins: readonly TwinGroup[];
  readonly threads: readonly number[];
  /** Scratch: the point at which each thread stands, and whether it is expanded. */
  readonly at: Int32Array;
  readonly done: Uint8Array;
}

export const prepareReduction = (
  program: Program, wanted: Reductions, disabled: ReadonlySet<number>, cancel?: Int32Array,
): Reduction => {
  const threads = program.model.threads.map((_, thread) => thread).filter((thread) => !disabled.has(thread));
  const points = pointsOf(program);
  const locks = wanted.persistent ? locksOf(program.model, disabled) : [];
  const prints = stepFootprints(program, points, locks, disabled);
  return {
    points,
    dependence: wanted.persistent ? dependenceOf(program, points, prints, threads, cancel) : null,
    unseen: wanted.fusion ? Uint8Array.from(prints.points, (print) => (print.every((word) => word === 0) ? 1 : 0)) : null,
    twins: wanted.symmetry ? twinsOf(program, threads.filter((thread) => program.model.threads[thread].role !== "review")) : [],
    threads,
    at: new Int32Array(program.model.threads.length),
    done: new Uint8Array(program.model.threads.length),
  };
};

/** Notes where the threads stand in the state at `base`. */
export const notePoints = ({ layout }: Program, { at, points, threads }: Reduction, bytes: Uint8Array, base: number): void => {
  for (const thread of threads) at[thread] = points.first[thread] + readCounter(bytes, base, layout.counters[thread]);
};

/** Whether nothing that the other threads can do first gets in the way of this one, which stands at the point. */
export const isIndependent = ({ dependence, points, threads, at }: Reduction, thread: number, point: number): boolean => {
  if (dependence === null) return false;
  const row = point * points.count;
  for (const other of threads) if (other !== thread && dependence[row + at[other]] === 1) return false;
  return true;
};

/** The only action that the thread can take in the state at `base`, if it fails no check; else -1. */
const soleAction = ({ code, guard, firstAction, firstCheck, checkCode }: Program, bytes: Uint8Array, base: number, thread: number, step: number): number => {
  const first = firstAction[thread];
  const last = first[step + 1];
  let sole = -1;
  for (let action = first[step]; action < last; action++) {
    if (guard[action] >= 0 && run(code, guard[action], bytes, base) === 0) continue;
    if (sole >= 0) return -1;
    sole = action;
  }
  if (sole < 0) return -1;
  for (let check = firstCheck[sole]; check < firstCheck[sole + 1]; check++) {
    if (run(code, checkCode[check], bytes, base) === 0) return -1;
  }
  return sole;
};

/**
 * Goes on with a thread in the state at `base`, which it just led to, as long as its next step is the only one that needs to
 * be explored and there is only one way to take it: the states in between need not be stored. Only forward, so that no loop
 * is passed over. `taken` gets a 1 for each action, `log` its number. Where the other threads stand must have been noted.
 */
export const fuseSteps = (
  program: Program, reduction: Reduction, bytes: Uint8Array, base: number, thread: number, taken: Uint8Array, log: number[] | null,
): void => {
  const { unseen, points } = reduction;
  if (unseen === null) return;
  const counter = program.layout.counters[thread];
  for (;;) {
    const step = readCounter(bytes, base, counter);
    const point = points.first[thread] + step;
    if (unseen[point] === 0 && !isIndependent(reduction, thread, point)) return;
    const action = soleAction(program, bytes, base, thread, step);
    if (action < 0 || program.next[action] <= step) return;
    const effect = program.effect[action];
    if (effect >= 0) run(program.code, effect, bytes, base);
    writeCounter(bytes, base, counter, program.next[action]);
    taken[action] = 1;
    if (log !== null) log.push(action);
  }
};
