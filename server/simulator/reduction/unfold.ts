// SPDX-License-Identifier: GPL-2.0-only
import type { Program } from "../compile.ts";
import { fire, WRITTEN } from "../fire.ts";
import { initialState } from "../layout.ts";
import { commit, createStore, pathTo } from "../store.ts";
import type { StateStore } from "../store.ts";
import { fuseSteps, notePoints } from "./reduction.ts";
import type { Reduction } from "./reduction.ts";
import { compareTwins, twinAction } from "./symmetry.ts";

/** The states on the way to this one, the initial one first. */
const statesTo = ({ parent }: StateStore, state: number): number[] => {
  const states = [state];
  for (let at = state; parent[at] >= 0; at = parent[at]) states.push(parent[at]);
  return states.toReversed();
};

/** A run that is carried out for real, beside the sorted states of the search. */
interface Run {
  readonly program: Program;
  readonly reduction: Reduction;
  /** Every real state, in order; the last one is where the run is. */
  readonly real: StateStore;
  readonly taken: Uint8Array;
  readonly actions: number[];
}

/** The action of the thread that really stands where, in the sorted state, the thread of `action` does. */
const realAction = ({ program, reduction, real }: Run, sorted: StateStore, state: number, action: number): number => {
  const { thread } = program.actions[action];
  const group = reduction.twins.find(({ threads }) => threads.includes(thread));
  if (group === undefined) return action;
  const { stride } = program.layout;
  const base = (real.count - 1) * stride;
  const own = group.threads.indexOf(thread);
  const twin = group.threads.find((_, which) => compareTwins(group, real.bytes, base, which, sorted.bytes, state * stride, own) === 0);
  if (twin === undefined) throw new Error("the schedule of a reduced search cannot be carried out");
  return twinAction(program, action, twin);
};

/** Takes an action, and what the search fused with it. Returns false where it fails a check. */
const advance = (run: Run, action: number): boolean => {
  const { program, reduction, real } = run;
  const now = real.count - 1;
  run.actions.push(action);
  const result = fire(program, real, now, action);
  if (result >= 0) return false;
  if (result !== WRITTEN) throw new Error("a step of the schedule of a reduced search is blocked");
  notePoints(program, reduction, real.bytes, now * program.layout.stride);
  const base = real.count * program.layout.stride;
  fuseSteps(program, reduction, real.bytes, base, program.actions[action].thread, run.taken, run.actions);
  return true;
};

/**
 * The real schedule behind a state of a reduced search and, where one is given, an action in it: states of such a search do
 * not say which of several twins is which, and leave steps out. The schedule is found by carrying it out.
 */
export const unfold = (program: Program, reduction: Reduction, sorted: StateStore, state: number, last: number): number[] => {
  const { stride } = program.layout;
  const run: Run = {
    program, reduction, real: createStore(stride), taken: new Uint8Array(program.actions.length), actions: [],
  };
  run.real.bytes.set(initialState(program.model, program.layout));
  commit(run.real, -1, -1);
  const states = statesTo(sorted, state);
  const actions = [...pathTo(sorted, state), ...(last < 0 ? [] : [last])];
  actions.forEach((action, index) => {
    const real = realAction(run, sorted, states[index], action);
    if (advance(run, real)) commit(run.real, run.real.count - 1, real);
  });
  return run.actions;
};

