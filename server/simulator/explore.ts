// SPDX-License-Identifier: GPL-2.0-only
import { stuckThread } from "./breadth-first.ts";
import type { Search, SearchOptions } from "./breadth-first.ts";
import { compile } from "./compile.ts";
import type { ActionPlace, Program } from "./compile.ts";
import { readCounter } from "./layout.ts";
import type { Model } from "./model.ts";
import { unreachedBy } from "./reach.ts";
import { trapOf } from "./trap.ts";
import { scheduleTo, searchForVerdict } from "./verdict-search.ts";
import type { SearchKind, VerdictSearch } from "./verdict-search.ts";

export interface ExploreOptions {
  /** Budget in stored states; the verdict is `unknown` where the model has more. */
  readonly maxStates: number;
  /** Threads that never run, by index. */
  readonly disabled?: readonly number[];
  /** Report a state in which nothing moves and a thread under review has not ended. Default false. */
  readonly deadlock?: boolean;
  /** Report that this thread can get where it never ends although something still moves. Default null: do not look. */
  readonly livelock?: number | null;
  /** Only checks of these properties exist; checks that are off do not end a path. Default: all. */
  readonly properties?: ReadonlySet<string>;
  /** Which states to store. Default `automatic`: all of a small model, else as few as decide it. */
  readonly search?: SearchKind;
  /** Shared flag: the exploration gives up (`unknown`) soon after the first element becomes non-zero. */
  readonly cancel?: Int32Array;
}

export interface Violation {
  /** Property of the failed check, or `deadlock`, or `livelock`. */
  readonly property: string;
  readonly message: string;
  /** Thread and step that fail; for deadlock and livelock the thread under review that is stuck, and where. */
  readonly thread: number;
  readonly step: number;
  /** -1 for deadlock and livelock. */
  readonly alternative: number;
}

/**
 * What breadth-first exploration of every interleaving found, or in large models of enough of them to show the same. A verdict is about the closed program that it was given, and
 * complete for it; what it does not cover:
 * - weak memory: steps of different threads interleave under sequential consistency, each step is atomic;
 * - more threads, or other ones, than the model has; environment threads do at most what their locks allow in the model;
 * - more rounds of a loop than the model unrolls (a loop that stays an edge is covered in full);
 * - data beyond one byte a field: values wrap at 256, an array element outside the array reads as 0 and is not written;
 * - fairness: a livelock is claimed only where no continuation at all lets the thread end.
 */
export interface Exploration {
  readonly verdict: "fail" | "pass" | "unknown" | "vacuous";
  /** What the counts count: every state, or those that are left when reductions keep equivalent schedules out. */
  readonly counted: "all" | "reduced";
  readonly states: number;
  readonly transitions: number;
  /** The first violation in breadth-first order, among the states that were explored. */
  readonly violation: Violation | null;
  /** What the model must reach and did not; not empty exactly where the verdict is `vacuous`. */
  readonly unreached: readonly string[];
}

/** A finished search with what is needed to look further into it. Internal to the simulator. */
export interface Decision {
  /** Of the steps and alternatives of the model that was asked about. */
  readonly program: Program;
  readonly search: Search;
  /** A schedule to the violation (for a livelock, into the trap); empty where there is none. */
  readonly schedule: readonly ActionPlace[];
  /** Marks the states of the livelock trap; null where none was looked for or the search did not complete. */
  readonly trap: Uint8Array | null;
  readonly exploration: Exploration;
}

export const searchOptions = (options: ExploreOptions): SearchOptions => ({
  maxStates: options.maxStates,
  disabled: new Set(options.disabled ?? []),
  deadlock: options.deadlock ?? false,
  recordEdges: (options.livelock ?? null) !== null,
  ...(options.cancel === undefined ? {} : { cancel: options.cancel }),
});

const stepName = (model: Model, thread: number, step: number): string => model.threads[thread]?.steps[step]?.text ?? "";

export const deadlockMessage = (model: Model, thread: number, step: number): string =>
  `nothing can move and ${model.threads[thread].name} waits for ever at ${stepName(model, thread, step)}`;

export const livelockMessage = (model: Model, thread: number): string =>
  `${model.threads[thread].name} can never finish, whatever the other threads do`;

const stuckViolation = (program: Program, search: Search, state: number, thread: number, livelock: boolean): Violation => {
  const { model, layout } = program;
  const step = readCounter(search.store.bytes, state * layout.stride, layout.counters[thread]);
  const message = livelock ? livelockMessage(model, thread) : deadlockMessage(model, thread, step);
  return { property: livelock ? "livelock" : "deadlock", message, thread, step, alternative: -1 };
};

/** What is wrong, and how it comes to that. */
interface Found {
  readonly violation: Violation | null;
  readonly schedule: readonly ActionPlace[];
}

const foundBy = (verdict: VerdictSearch, disabled: ReadonlySet<number>): Found => {
  const { program, search } = verdict;
  const { outcome } = search;
  if (outcome.kind !== "violation") return { violation: null, schedule: [] };
  const schedule = scheduleTo(verdict, outcome);
  if (outcome.action < 0) {
    const thread = stuckThread(program, search.store, outcome.state, disabled);
    return { violation: stuckViolation(program, search, outcome.state, thread, false), schedule };
  }
  const { property, message } = program.checks[outcome.check];
  return { violation: { property, message, ...schedule[schedule.length - 1] }, schedule };
};

const judge = ({ program, search, reduction }: VerdictSearch, violation: Violation | null): Exploration => {
  const counted = reduction === null ? "all" : "reduced";
  const counts = { counted, states: search.store.count, transitions: search.transitions, violation } as const;
  if (violation !== null) return { verdict: "fail", ...counts, unreached: [] };
  if (search.outcome.kind !== "complete") return { verdict: "unknown", ...counts, unreached: [] };
  const unreached = unreachedBy(program, search.taken);
  return { verdict: unreached.length > 0 ? "vacuous" : "pass", ...counts, unreached };
};

/** Decides a model and keeps the explored graph. Internal to the simulator; others call `explore`. */
export const decide = (model: Model, options: ExploreOptions): Decision => {
  const settings = searchOptions(options);
  const verdict = searchForVerdict(compile(model, options.properties === undefined ? {} : { properties: options.properties }), settings, options.search ?? "automatic");
  const { program, search } = verdict;
  const reviewed = options.livelock ?? null;
  let found = foundBy(verdict, settings.disabled);
  let trap: Uint8Array | null = null;
  if (reviewed !== null && search.outcome.kind === "complete" && !settings.disabled.has(reviewed)) {
    trap = trapOf(program, search, reviewed);
    const state = trap.indexOf(1);
    if (state >= 0) {
      const schedule = scheduleTo(verdict, { state, action: -1, check: -1 });
      found = { violation: stuckViolation(program, search, state, reviewed, true), schedule };
    }
  }
  return { program, search, schedule: found.schedule, trap, exploration: judge(verdict, found.violation) };
};

/** Decides what the interleavings of the model can come to, up to the first violation. Pure and deterministic. */
export const explore = (model: Model, options: ExploreOptions): Exploration => decide(model, options).exploration;
