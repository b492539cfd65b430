// SPDX-License-Identifier: GPL-2.0-only
import { nextCounter } from "./compile.ts";
import { fieldsOf } from "./expression.ts";
import { createMachine, currentStep, enabledAlternatives, take, violatedCheck } from "./interpreter.ts";
import type { Machine } from "./interpreter.ts";
import type { Model, Step, StepSource, ThreadSpec } from "./model.ts";
import { noteLocks } from "./sections.ts";
import type { HeldLocks } from "./sections.ts";
import { takenStep } from "./trace.ts";
import type { Trace, TraceStep } from "./trace.ts";

/** One step that the fixed program took. */
export interface ReplayedRow {
  readonly thread: string;
  readonly text: string;
  /** The failing schedule does not have this step here: the fix added or moved it. */
  readonly added: boolean;
  /** The step as the fixed program takes it; its indices are those of the fixed model. */
  readonly taken: TraceStep;
}

/** What the fixed program does with a failing schedule. */
export interface WhyBlocked {
  /**
   * `blocked`: a step cannot be taken; `completes`: all steps that the fixed program still has ran, without a violation;
   * `fails`: a check fails all the same.
   */
  readonly outcome: "blocked" | "completes" | "fails";
  /** Text of the step that cannot be taken. */
  readonly blockedAt: string | null;
  /** Where that step comes from. */
  readonly source: StepSource | null;
  /** Name of the thread that cannot take it (or that fails). */
  readonly thread: string | null;
  /** Names of the threads that hold what the step waits for, joined with commas. */
  readonly heldBy: string | null;
  /** Names of the locks that it waits for. */
  readonly locks: readonly string[];
  readonly rows: readonly ReplayedRow[];
}

interface Replaying {
  readonly machine: Machine;
  /** For each thread. */
  readonly held: readonly HeldLocks[];
  readonly rows: ReplayedRow[];
  readonly properties: ReadonlySet<string> | undefined;
}

type Stop = Omit<WhyBlocked, "rows">;

const sameSource = (left: StepSource | null, right: StepSource | null): boolean =>
  left?.line === right?.line && left?.fileLine === right?.fileLine && left?.side === right?.side;

/**
 * Whether a step of the fixed program is the one of the trace. The text decides; the source decides between steps with the
 * same text, where the fixed thread has that very source (a fix may shift lines).
 */
const isSameStep = ({ steps }: ThreadSpec, step: Step, row: TraceStep): boolean => {
  if (step.text !== row.text) return false;
  if (sameSource(step.source, row.source)) return true;
  return !steps.some(({ text, source }) => text === row.text && sameSource(source, row.source));
};

/** Whether the thread can still come to the step of the trace. */
const canReach = (thread: ThreadSpec, from: number, row: TraceStep): boolean => {
  const seen = new Set([from]);
  for (const index of seen) {
    const step = thread.steps[index];
    if (step === undefined) continue;
    if (isSameStep(thread, step, row)) return true;
    for (const alternative of step.alternatives) seen.add(nextCounter(thread, index, alternative));
  }
  return false;
};

const blockedAt = ({ machine, held }: Replaying, thread: number, step: Step): Stop => {
  const { threads } = machine.model;
  const waitsFor = new Set(step.alternatives.flatMap(({ guard }) => (guard === undefined ? [] : fieldsOf(guard))));
  const holders: string[] = [];
  const locks = new Set<string>();
  held.forEach((own, holder) => {
    const wanted = [...own].filter(([lock]) => waitsFor.has(lock));
    if (wanted.length > 0) holders.push(threads[holder].name);
    for (const [, { name }] of wanted) locks.add(name);
  });
  return {
    outcome: "blocked",
    blockedAt: step.text,
    source: step.source,
    thread: threads[thread].name,
    heldBy: holders.length > 0 ? holders.join(", ") : null,
    locks: [...locks],
  };
};

/** Takes one step of a thread, in the trace's way where that is possible, else in the first possible way. */
const advance = (replaying: Replaying, thread: number, step: Step, row: TraceStep | null): Stop | null => {
  const { machine, held, rows } = replaying;
  const { name } = machine.model.threads[thread];
  const enabled = enabledAlternatives(machine, thread);
  if (enabled.length === 0) return blockedAt(replaying, thread, step);
  const index = row !== null && enabled.includes(row.alternative) ? row.alternative : enabled[0];
  const alternative = step.alternatives[index];
  const place = { thread, step: machine.counters[thread], alternative: index };
  const fails = violatedCheck(machine, alternative, replaying.properties) !== null;
  const changes = fails ? [] : take(machine, thread, alternative);
  rows.push({ thread: name, text: step.text, added: row === null, taken: takenStep(step, place, changes) });
  if (fails) return { outcome: "fails", blockedAt: null, source: null, thread: name, heldBy: null, locks: [] };
  noteLocks(held[thread], step, alternative);
  return null;
};

/** Runs one row of the trace: the steps that the fix put before it, then the step itself. A step that is gone is left out. */
const follow = (replaying: Replaying, thread: number, row: TraceStep): Stop | null => {
  const { machine } = replaying;
  const spec = machine.model.threads[thread];
  // A fix that loops before the step would never get there; every step once or twice is all that a fix can add.
  for (let budget = 2 * spec.steps.length; budget > 0; budget--) {
    if (!canReach(spec, machine.counters[thread], row)) return null;
    const step = currentStep(machine, thread);
    if (step === null) return null;
    const same = isSameStep(spec, step, row);
    const stop = advance(replaying, thread, step, same ? row : null);
    if (stop !== null || same) return stop;
  }
  return null;
};

/**
 * Replays a failing schedule on the fixed program and says where the fix stops it. Threads are matched by name and steps by
 * text and source; steps that the fix added run when they are reached. Only checks of the given properties exist (missing:
 * all), as in the exploration that found the schedule.
 */
export const whyBlocked = (
  failing: Trace, failingModel: Model, fixedModel: Model, properties?: ReadonlySet<string>,
): WhyBlocked => {
  const replaying: Replaying = {
    machine: createMachine(fixedModel),
    held: fixedModel.threads.map(() => new Map()),
    rows: [],
    properties,
  };
  for (const row of failing.steps) {
    const { name } = failingModel.threads[row.thread];
    const thread = fixedModel.threads.findIndex((candidate) => candidate.name === name);
    const stop = thread < 0 ? null : follow(replaying, thread, row);
    if (stop !== null) return { ...stop, rows: replaying.rows };
  }
  return { outcome: "completes", blockedAt: null, source: null, thread: null, heldBy: null, locks: [], rows: replaying.rows };
};
