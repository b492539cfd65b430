// SPDX-License-Identifier: GPL-2.0-only
import { compile } from "./compile.ts";
import type { ActionPlace, Program } from "./compile.ts";
import { cycleFrom } from "./cycle.ts";
import { decide, searchOptions } from "./explore.ts";
import type { Decision, ExploreOptions, Violation } from "./explore.ts";
import { searchFewestSwitches } from "./fewest-switches.ts";
import type { Goal } from "./fewest-switches.ts";
import { readCounter } from "./layout.ts";
import type { Model } from "./model.ts";
import { withoutDeadLocals } from "./reduction/dead-locals.ts";
import { replay } from "./replay.ts";
import type { Claim, Replay } from "./replay.ts";
import { find } from "./store.ts";
import type { StateStore } from "./store.ts";
import type { Trace, TraceStep } from "./trace.ts";
import { scheduleTo, searchForVerdict } from "./verdict-search.ts";

/** Pairs of state and last thread are two to five times as many as states. */
const PAIR_FACTOR = 4;

/** A schedule without its replay. */
interface Found {
  readonly schedule: readonly ActionPlace[];
  readonly minimal: boolean;
}

const placesOf = (program: Program, actions: readonly number[]): ActionPlace[] =>
  actions.map((action) => program.actions[action]);

/** A failing schedule when some threads never run, in small models the shortest; null where it then does not fail. */
const scheduleWithout = (
  program: Program, options: ExploreOptions, disabled: ReadonlySet<number>, property: string,
): ActionPlace[] | null => {
  const settings = { ...searchOptions(options), disabled, deadlock: false, recordEdges: false, goal: property };
  const found = searchForVerdict(program, settings, options.search ?? "automatic");
  const { outcome } = found.search;
  return outcome.kind === "violation" ? scheduleTo(found, outcome) : null;
};

const isDroppable = ({ threads }: Model, thread: number): boolean => threads[thread].role !== "review";

/** The droppable threads that take no step. Leaving them out leaves the schedule as it is. */
const idleThreads = (model: Model, schedule: readonly ActionPlace[]): number[] => {
  const busy = new Set(schedule.map(({ thread }) => thread));
  return model.threads.map((_, thread) => thread).filter((thread) => isDroppable(model, thread) && !busy.has(thread));
};

/** Drops environment threads and daemons one by one as long as the property is still violated. */
const dropThreads = (
  program: Program, options: ExploreOptions, property: string, first: readonly ActionPlace[],
): { disabled: ReadonlySet<number>; schedule: readonly ActionPlace[] } => {
  const { model } = program;
  let schedule = first;
  let disabled = new Set([...(options.disabled ?? []), ...idleThreads(model, schedule)]);
  model.threads.forEach((_, thread) => {
    if (!isDroppable(model, thread) || disabled.has(thread)) return;
    const shorter = scheduleWithout(program, options, new Set([...disabled, thread]), property);
    if (shorter === null) return;
    schedule = shorter;
    disabled = new Set([...disabled, thread, ...idleThreads(model, schedule)]);
  });
  return { disabled, schedule };
};

const fewestSwitches = (
  model: Model, options: ExploreOptions, disabled: ReadonlySet<number>, goal: (program: Program) => Goal,
): ActionPlace[] | null => {
  const { properties, cancel, maxStates } = options;
  const program = compile(model, { extraBytes: 1, ...(properties === undefined ? {} : { properties }) });
  return searchFewestSwitches(program, {
    maxStates: maxStates * PAIR_FACTOR, disabled, goal: goal(program), ...(cancel === undefined ? {} : { cancel }),
  });
};

const findCheck = ({ program, exploration, schedule: first }: Decision, options: ExploreOptions, property: string): Found => {
  // What was too large to be explored in full mostly still is with one thread less.
  const asked = options.search ?? "automatic";
  const search = asked === "automatic" && exploration.counted === "reduced" ? "reduced" : asked;
  const { disabled, schedule } = dropThreads(program, { ...options, search }, property, first);
  // Of equally good schedules it takes the same one in a model with fewer states: those that are one now go on alike.
  const lean = withoutDeadLocals(program.model, options.properties);
  const best = fewestSwitches(lean, options, disabled, () => ({ kind: "check", property }));
  return { schedule: best ?? schedule, minimal: best !== null };
};

/** No threads are dropped here: a thread that is missing could be the one that would wake the others. */
const findDeadlock = ({ program, schedule }: Decision, options: ExploreOptions): Found => {
  const disabled = new Set(options.disabled ?? []);
  const goal = ({ model, layout }: Program): Goal => ({
    kind: "state",
    isEnd: (store, node, enabled) =>
      enabled === 0 &&
      model.threads.some(
        ({ role }, thread) =>
          role === "review" &&
          !disabled.has(thread) &&
          readCounter(store.bytes, node * layout.stride, layout.counters[thread]) !== layout.counters[thread].end,
      ),
  });
  const best = fewestSwitches(program.model, options, disabled, goal);
  return { schedule: best ?? schedule, minimal: best !== null };
};

/** The number, in the plain search, of the state of a node of the search with the last thread. */
const plainState = ({ program, search }: Decision, wide: Program, store: StateStore, node: number): number => {
  const state = new Uint8Array(program.layout.stride);
  const base = node * wide.layout.stride;
  state.set(store.bytes.subarray(base, base + program.layout.width));
  return find(search.store, state);
};

/** The plain state that a schedule leads to. */
const endOf = ({ program, search }: Decision, schedule: readonly ActionPlace[]): number => {
  const { edges } = search;
  if (edges === null) throw new Error("the search did not record its transitions");
  return schedule.reduce((state, place) => {
    for (let edge = edges.first[state]; edge < edges.first[state + 1]; edge++) {
      const { thread, step, alternative } = program.actions[edges.action[edge]];
      if (thread === place.thread && step === place.step && alternative === place.alternative) return edges.target[edge];
    }
    throw new Error("the schedule leaves the graph");
  }, 0);
};

const findLivelock = (decision: Decision, options: ExploreOptions, violation: Violation): Found & { cycleStart: number } => {
  const { program, search, schedule, trap } = decision;
  if (trap === null) throw new Error("no trap to explain");
  const goal = (wide: Program): Goal => ({
    kind: "state",
    isEnd: (store, node) => trap[plainState(decision, wide, store, node)] === 1,
  });
  const best = fewestSwitches(program.model, options, new Set(options.disabled ?? []), goal);
  const entry = best ?? schedule;
  const { lead, cycle } = cycleFrom(program, search, endOf(decision, entry), violation.thread);
  const approach = [...entry, ...placesOf(program, lead)];
  return { schedule: [...approach, ...placesOf(program, cycle)], minimal: best !== null, cycleStart: approach.length };
};

const countSwitches = (steps: readonly TraceStep[]): number =>
  steps.filter(({ thread }, index) => index > 0 && steps[index - 1].thread !== thread).length;

/** Who waits where: of the schedule that is shown, which may end in another deadlock than the first one found. */
const waitingMessage = (waiting: Replay["waiting"]): string =>
  `nothing can move: ${waiting.map(({ thread, at }, index) => `${thread} waits ${index === 0 ? "for ever " : ""}at ${at}`).join(", ")}`;

/**
 * The counterexample to show, or null where exploration finds no violation: environment threads that are not needed are
 * dropped, then the schedule with the fewest context switches and steps is taken, then it is replayed by an interpreter of
 * its own. Throws where the replay disagrees: a schedule that was not replayed is never shown.
 */
export const counterexample = (model: Model, options: ExploreOptions): Trace | null => {
  const decision = decide(model, options);
  const { violation } = decision.exploration;
  if (violation === null) return null;
  const { property } = violation;
  const end = violation.alternative >= 0 ? "check" : property === "livelock" ? "livelock" : "deadlock";
  const livelock = end === "livelock" ? findLivelock(decision, options, violation) : null;
  const { schedule, minimal } =
    livelock ?? (end === "check" ? findCheck(decision, options, property) : findDeadlock(decision, options));
  const claim: Claim = {
    schedule, end, property, cycleStart: livelock?.cycleStart ?? null, disabled: new Set(options.disabled ?? []),
    ...(options.properties === undefined ? {} : { properties: options.properties }),
  };
  const { steps, violated, waiting } = replay(model, claim);
  return {
    steps,
    violation: { property, message: violated?.message ?? (end === "deadlock" ? waitingMessage(waiting) : violation.message) },
    end,
    switches: countSwitches(steps),
    dropped: idleThreads(model, schedule)
      .filter((thread) => !claim.disabled.has(thread))
      .map((thread) => model.threads[thread].name),
    cycleStart: claim.cycleStart,
    minimal,
  };
};
