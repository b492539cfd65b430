// SPDX-License-Identifier: GPL-2.0-only
import type { ActionPlace, Program } from "./compile.ts";
import { DISABLED, fire, WRITTEN } from "./fire.ts";
import { initialState, readCounter } from "./layout.ts";
import { commit, createStore, findWritten } from "./store.ts";
import type { StateStore } from "./store.ts";

/** Where a schedule is to end: with an action that violates the property, or in a state that `isEnd` accepts. */
export type Goal =
  | { readonly kind: "check"; readonly property: string }
  | { readonly kind: "state"; readonly isEnd: (store: StateStore, state: number, enabled: number) => boolean };

export interface SwitchSearchOptions {
  /** Give up rather than store more pairs of state and last thread. */
  readonly maxStates: number;
  readonly disabled: ReadonlySet<number>;
  readonly goal: Goal;
  readonly cancel?: Int32Array;
}

/** Cost of one switch in steps: more than any schedule has. */
const SWITCH = 2 ** 26;

/** A search over pairs of state and last thread; the last byte of a node is the last thread + 1, or 0 at the start. */
interface Running {
  readonly program: Program;
  readonly options: SwitchSearchOptions;
  readonly store: StateStore;
  /** Threads that run, those under review first: the order of preference among equally good schedules. */
  readonly threads: readonly number[];
  /** Least known cost of each node: switches * SWITCH + steps. */
  readonly cost: number[];
  /** For each node, the newest link to a node from which an edge of a best path leads to it; -1 for none. */
  readonly parentLink: number[];
  /** The node of each link, and the next older link to a parent of the same node. */
  readonly linkNode: number[];
  readonly linkNext: number[];
  /** `queue[switches][steps]`: nodes that were given this cost. */
  readonly queue: number[][][];
  /** Least cost of a whole schedule, and the nodes that such schedules end at (or fail from). */
  best: number;
  ends: number[];
}

const lastThread = ({ program, store }: Running, node: number): number =>
  store.bytes[node * program.layout.stride + program.layout.width - 1] - 1;

const stepCost = (running: Running, node: number, thread: number): number => {
  const last = lastThread(running, node);
  return last < 0 || last === thread ? 1 : SWITCH + 1;
};

const noteEnd = (running: Running, node: number, cost: number): void => {
  if (cost < running.best) {
    running.best = cost;
    running.ends = [node];
  } else if (cost === running.best && running.ends[running.ends.length - 1] !== node) {
    running.ends.push(node);
  }
};

const enqueue = ({ queue }: Running, node: number, cost: number): void => {
  const level = (queue[Math.floor(cost / SWITCH)] ??= []);
  (level[cost % SWITCH] ??= []).push(node);
};

const relax = (running: Running, from: number, to: number, cost: number): void => {
  const known = running.cost[to] ?? Infinity;
  if (cost > known) return;
  const older = cost === known ? running.parentLink[to] : -1;
  running.parentLink[to] = from < 0 ? -1 : running.linkNode.push(from) - 1;
  if (from >= 0) running.linkNext.push(older);
  if (cost === known) return;
  running.cost[to] = cost;
  enqueue(running, to, cost);
};

/** Calls `visit` for each enabled action; where it did not fail, the successor node is written behind the last one. */
const forEachAction = (
  running: Running,
  node: number,
  visit: (action: number, thread: number, check: number) => boolean | void,
): number => {
  const { program, store } = running;
  const { layout } = program;
  let enabled = 0;
  for (const thread of running.threads) {
    const step = readCounter(store.bytes, node * layout.stride, layout.counters[thread]);
    const first = program.firstAction[thread];
    for (let action = first[step]; action < first[step + 1]; action++) {
      const result = fire(program, store, node, action);
      if (result === DISABLED) continue;
      enabled++;
      if (result === WRITTEN) store.bytes[store.count * layout.stride + layout.width - 1] = thread + 1;
      if (visit(action, thread, result) === true) return enabled;
    }
  }
  return enabled;
};

const failsGoal = ({ program, options: { goal } }: Running, check: number): boolean =>
  check >= 0 && goal.kind === "check" && program.checks[check].property === goal.property;

const expand = (running: Running, node: number): void => {
  const { store, options: { goal } } = running;
  const cost = running.cost[node];
  const enabled = forEachAction(running, node, (action, thread, check) => {
    const next = cost + stepCost(running, node, thread);
    if (failsGoal(running, check)) noteEnd(running, node, next);
    if (check === WRITTEN) relax(running, node, commit(store, node, action), next);
  });
  if (goal.kind === "state" && goal.isEnd(store, node, enabled)) noteEnd(running, node, cost);
};

const isCancelled = ({ cancel }: SwitchSearchOptions, done: number): boolean =>
  cancel !== undefined && done % 256 === 0 && Atomics.load(cancel, 0) !== 0;

/** Settles nodes in order of cost until the best schedules are known; false where the budget is used up before. */
const settle = (running: Running): boolean => {
  let done = 0;
  for (let switches = 0; switches < running.queue.length; switches++) {
    const level = running.queue[switches] ?? [];
    for (let steps = 0; steps < level.length; steps++) {
      const cost = switches * SWITCH + steps;
      if (cost > running.best) return true;
      for (const node of level[steps] ?? []) {
        if (running.cost[node] !== cost) continue;
        expand(running, node);
        if (running.store.count > running.options.maxStates || isCancelled(running.options, ++done)) return false;
      }
      delete level[steps];
    }
  }
  return true;
};

/** Marks the nodes on some best schedule. */
const markBest = ({ parentLink, linkNode, linkNext, ends, store }: Running): Uint8Array => {
  const marked = new Uint8Array(store.count);
  const work = [...ends];
  for (let node = work.pop(); node !== undefined; node = work.pop()) {
    if (marked[node] === 1) continue;
    marked[node] = 1;
    for (let link = parentLink[node]; link >= 0; link = linkNext[link]) work.push(linkNode[link]);
  }
  return marked;
};

/** Walks a best schedule, at each node with the first thread and alternative in order of preference. */
const walk = (running: Running): ActionPlace[] => {
  const { program, store, cost, best, options: { goal } } = running;
  const marked = markBest(running);
  const ends = new Set(running.ends);
  const schedule: ActionPlace[] = [];
  let node = 0;
  for (;;) {
    if (goal.kind === "state" && cost[node] === best && ends.has(node)) return schedule;
    let next = -1;
    let failed = false;
    forEachAction(running, node, (action, thread, check) => {
      const reached = cost[node] + stepCost(running, node, thread);
      if (failsGoal(running, check) && reached === best) failed = true;
      const target = check === WRITTEN ? findWritten(store) : -1;
      if (target >= 0 && marked[target] === 1 && cost[target] === reached) next = target;
      if (failed || next >= 0) schedule.push(program.actions[action]);
      return failed || next >= 0;
    });
    if (failed) return schedule;
    if (next < 0) throw new Error("the best schedule cannot be walked");
    node = next;
  }
};

/**
 * The schedule with the fewest context switches and, among those, the fewest steps (Dijkstra over pairs of state and last
 * thread); among equals the one in which threads under review, then threads declared earlier, move first. null where the
 * goal cannot be reached or the budget is used up. The program must have been compiled with one extra byte.
 */
export const searchFewestSwitches = (program: Program, options: SwitchSearchOptions): ActionPlace[] | null => {
  const all = program.model.threads.map((_, thread) => thread).filter((thread) => !options.disabled.has(thread));
  const isReview = (thread: number): boolean => program.model.threads[thread].role === "review";
  const running: Running = {
    program,
    options,
    store: createStore(program.layout.stride),
    threads: [...all.filter(isReview), ...all.filter((thread) => !isReview(thread))],
    cost: [],
    parentLink: [],
    linkNode: [],
    linkNext: [],
    queue: [],
    best: Infinity,
    ends: [],
  };
  running.store.bytes.set(initialState(program.model, program.layout));
  relax(running, -1, commit(running.store, -1, -1), 0);
  return settle(running) && running.best < Infinity ? walk(running) : null;
};
