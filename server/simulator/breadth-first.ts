// SPDX-License-Identifier: GPL-2.0-only
import type { Program } from "./compile.ts";
import { DISABLED, fire, WRITTEN } from "./fire.ts";
import { initialState, readCounter } from "./layout.ts";
import { fuseSteps, isIndependent, notePoints } from "./reduction/reduction.ts";
import type { Reduction } from "./reduction/reduction.ts";
import { sortTwins, spreadToTwins } from "./reduction/symmetry.ts";
import { commit, createStore } from "./store.ts";
import type { StateStore } from "./store.ts";

export interface SearchOptions {
  /** Stop with `budget` rather than store more states than this. */
  readonly maxStates: number;
  /** Threads that never run. */
  readonly disabled: ReadonlySet<number>;
  /** Whether a state without enabled steps in which a thread under review has not ended stops the search. */
  readonly deadlock: boolean;
  /** Whether to remember all transitions (needed for `livelock`). */
  readonly recordEdges: boolean;
  /** Stop at violations of this property only; other violations just end their path. Missing: stop at any. */
  readonly goal?: string;
  /** Note violations and deadlocks and go on. Default false. */
  readonly collect?: boolean;
  /** Explore a part of the graph that shows the same. Not together with `recordEdges`. Missing: explore all. */
  readonly reduction?: Reduction;
  /** The search stops soon after the first element becomes non-zero. */
  readonly cancel?: Int32Array;
}

/** A violation. `check` counts in the program's checks, -1 for a deadlock; then `action` is -1 too. */
export interface Failure {
  readonly state: number;
  readonly action: number;
  readonly check: number;
}

/** How the search ended. */
export type Outcome =
  | { readonly kind: "complete" | "budget" | "cancelled" }
  | ({ readonly kind: "violation" } & Failure);

/** All transitions: those of state `s` are `first[s]` up to `first[s + 1]`. */
export interface EdgeList {
  first: Int32Array;
  target: Int32Array;
  action: Int32Array;
  count: number;
}

export interface Search {
  readonly store: StateStore;
  readonly transitions: number;
  readonly outcome: Outcome;
  /** 1 for each action that can be taken somewhere. */
  readonly taken: Uint8Array;
  /** null unless recorded. */
  readonly edges: EdgeList | null;
  /** What was collected: all violations, state by state. */
  readonly failures: readonly Failure[];
}

interface Running {
  readonly program: Program;
  readonly options: SearchOptions;
  readonly store: StateStore;
  readonly taken: Uint8Array;
  readonly edges: EdgeList | null;
  readonly threads: readonly number[];
  readonly failures: Failure[];
  transitions: number;
  outcome: Outcome | null;
  /** Whether the state being expanded has led to one that is not expanded yet. */
  goesOn: boolean;
}

/** States between two looks at the flag: a fraction of a millisecond. */
const CANCEL_INTERVAL = 256;

const longer = (array: Int32Array, needed: number): Int32Array => {
  if (needed <= array.length) return array;
  const copy = new Int32Array(array.length * 2);
  copy.set(array);
  return copy;
};

const recordEdge = (edges: EdgeList, target: number, action: number): void => {
  edges.target = longer(edges.target, edges.count + 1);
  edges.action = longer(edges.action, edges.count + 1);
  edges.target[edges.count] = target;
  edges.action[edges.count] = action;
  edges.count++;
};

const noEdges = (): EdgeList => ({
  first: new Int32Array(512), target: new Int32Array(1024), action: new Int32Array(1024), count: 0,
});

/** Ends the search, or collects, or lets the path end there. */
const noteFailure = (running: Running, failure: Failure): void => {
  const { options, program, failures } = running;
  if (options.collect === true) failures.push(failure);
  else if (options.goal === undefined || (failure.check >= 0 && program.checks[failure.check].property === options.goal)) {
    running.outcome = { kind: "violation", ...failure };
  }
};

/** Keeps the successor that was written behind the last state. */
const keepSuccessor = (running: Running, state: number, thread: number, action: number): void => {
  const { program, store, options: { reduction, maxStates }, edges } = running;
  if (reduction !== undefined) {
    const base = store.count * program.layout.stride;
    fuseSteps(program, reduction, store.bytes, base, thread, running.taken, null);
    sortTwins(reduction.twins, store.bytes, base);
  }
  running.taken[action] = 1;
  running.transitions++;
  const target = commit(store, state, action);
  if (target > state) running.goesOn = true;
  if (edges !== null) recordEdge(edges, target, action);
  if (store.count > maxStates) {
    store.count--;
    running.outcome = { kind: "budget" };
  }
};

/** Fires all actions of one thread in one state; returns how many were enabled. */
const expandThread = (running: Running, state: number, thread: number): number => {
  const { program, store } = running;
  const step = readCounter(store.bytes, state * program.layout.stride, program.layout.counters[thread]);
  const first = program.firstAction[thread];
  const last = first[step + 1];
  let enabled = 0;
  for (let action = first[step]; action < last; action++) {
    const result = fire(program, store, state, action);
    if (result === DISABLED) continue;
    enabled++;
    if (result === WRITTEN) keepSuccessor(running, state, thread, action);
    else noteFailure(running, { state, action, check: result });
    if (running.outcome !== null) return enabled;
  }
  return enabled;
};

/** First thread under review that has not ended in the state, or -1. */
export const stuckThread = (program: Program, store: StateStore, state: number, disabled: ReadonlySet<number>): number =>
  program.model.threads.findIndex(
    ({ role }, thread) =>
      role === "review" &&
      !disabled.has(thread) &&
      readCounter(store.bytes, state * program.layout.stride, program.layout.counters[thread]) !==
        program.layout.counters[thread].end,
  );

const expandAll = (running: Running, state: number): number => {
  let enabled = 0;
  for (const thread of running.threads) {
    enabled += expandThread(running, state, thread);
    if (running.outcome !== null) break;
  }
  return enabled;
};

/**
 * Expands threads that the others cannot get in the way of, until one leads to a state that is not expanded yet: then the
 * other threads are not put off for ever (D. Bosnacki, G. J. Holzmann, Improving Spin's Partial-Order Reduction for
 * Breadth-First Search, SPIN 2005), and that is enough. Else expands them all.
 */
const expandReduced = (running: Running, reduction: Reduction, state: number): number => {
  const { program, store } = running;
  const { at, done } = reduction;
  notePoints(program, reduction, store.bytes, state * program.layout.stride);
  done.fill(0);
  running.goesOn = false;
  let enabled = 0;
  for (const thread of running.threads) {
    if (!isIndependent(reduction, thread, at[thread])) continue;
    done[thread] = 1;
    enabled += expandThread(running, state, thread);
    if (running.outcome !== null || running.goesOn) return enabled;
  }
  for (const thread of running.threads) {
    if (done[thread] === 1) continue;
    enabled += expandThread(running, state, thread);
    if (running.outcome !== null) break;
  }
  return enabled;
};

const expand = (running: Running, state: number): void => {
  const { program, options, edges } = running;
  if (edges !== null) {
    edges.first = longer(edges.first, state + 2);
    edges.first[state] = edges.count;
  }
  const { reduction } = options;
  const enabled = reduction === undefined ? expandAll(running, state) : expandReduced(running, reduction, state);
  if (running.outcome !== null) return;
  if (edges !== null) edges.first[state + 1] = edges.count;
  if (enabled > 0 || !options.deadlock || options.goal !== undefined) return;
  if (stuckThread(program, running.store, state, options.disabled) < 0) return;
  noteFailure(running, { state, action: -1, check: -1 });
};

const isCancelled = ({ cancel }: SearchOptions, state: number): boolean =>
  cancel !== undefined && state % CANCEL_INTERVAL === 0 && Atomics.load(cancel, 0) !== 0;

/** Explores breadth first, threads and alternatives in declaration order, up to the first violation unless all are collected. */
export const searchBreadthFirst = (program: Program, options: SearchOptions): Search => {
  const store = createStore(program.layout.stride);
  const running: Running = {
    program,
    options,
    store,
    taken: new Uint8Array(program.actions.length),
    edges: options.recordEdges ? noEdges() : null,
    threads: program.model.threads.map((_, thread) => thread).filter((thread) => !options.disabled.has(thread)),
    failures: [],
    transitions: 0,
    outcome: null,
    goesOn: false,
  };
  store.bytes.set(initialState(program.model, program.layout));
  commit(store, -1, -1);
  for (let state = 0; state < store.count && running.outcome === null; state++) {
    if (isCancelled(options, state)) running.outcome = { kind: "cancelled" };
    else expand(running, state);
  }
  const { transitions, taken, edges, failures } = running;
  if (options.reduction !== undefined) spreadToTwins(program, options.reduction.twins, taken);
  return { store, transitions, outcome: running.outcome ?? { kind: "complete" }, taken, edges, failures };
};
