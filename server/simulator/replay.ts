// SPDX-License-Identifier: GPL-2.0-only
import type { ActionPlace } from "./compile.ts";
import { createMachine, currentStep, enabledAlternatives, isEnabled, snapshot, take, violatedCheck } from "./interpreter.ts";
import type { Machine } from "./interpreter.ts";
import type { Check, Model } from "./model.ts";
import { takenStep } from "./trace.ts";
import type { Trace, TraceStep } from "./trace.ts";

/** A schedule and how it is said to end. */
export interface Claim {
  readonly schedule: readonly ActionPlace[];
  readonly end: Trace["end"];
  /** For `check`: the property that the last step violates. */
  readonly property: string;
  /** For `livelock`: index of the step with which the cycle starts. */
  readonly cycleStart: number | null;
  /** Only checks of these properties exist; missing: all. */
  readonly properties?: ReadonlySet<string>;
  /** Threads that never run. */
  readonly disabled: ReadonlySet<number>;
}

export interface Replay {
  readonly steps: readonly TraceStep[];
  /** The check that the last step violates; null where the schedule ends otherwise. */
  readonly violated: Check | null;
  /** Where each thread that has not ended stands at the end of the schedule, daemons apart: in a deadlock, what it waits for. */
  readonly waiting: readonly { readonly thread: string; readonly at: string }[];
}

const refuse = (why: string): never => {
  throw new Error(`the schedule does not replay: ${why}`);
};

const replayStep = (machine: Machine, claim: Claim, place: ActionPlace): { step: TraceStep; violated: Check | null } => {
  const { thread, step: index, alternative } = place;
  const step = currentStep(machine, thread) ?? refuse("a thread that has ended takes a step");
  if (machine.counters[thread] !== index) refuse(`a thread is not at "${step.text}"`);
  const way = step.alternatives[alternative] ?? refuse(`"${step.text}" has no such alternative`);
  if (!isEnabled(machine, way)) refuse(`"${step.text}" is blocked`);
  const violated = violatedCheck(machine, way, claim.properties);
  const changes = violated === null ? take(machine, thread, way) : [];
  return { step: takenStep(step, place, changes), violated };
};

const checkDeadlock = (machine: Machine, { disabled }: Claim): void => {
  const { threads } = machine.model;
  const running = threads.map((_, thread) => thread).filter((thread) => !disabled.has(thread));
  if (running.some((thread) => enabledAlternatives(machine, thread).length > 0)) refuse("something can still move");
  const isStuck = (thread: number): boolean => threads[thread]?.role === "review" && currentStep(machine, thread) !== null;
  if (!running.some(isStuck)) refuse("no thread under review is stuck");
};

const waitingThreads = (machine: Machine, { disabled }: Claim): Replay["waiting"] =>
  machine.model.threads.flatMap(({ name, role }, thread) => {
    const step = disabled.has(thread) || role === "daemon" ? null : currentStep(machine, thread);
    return step === null ? [] : [{ thread: name, at: step.text }];
  });

/** Runs the schedule on the model and confirms how it ends. Throws where it does not: then the search has a bug. */
export const replay = (model: Model, claim: Claim): Replay => {
  const machine = createMachine(model);
  const steps: TraceStep[] = [];
  let violated: Check | null = null;
  let cycle: string | null = null;
  claim.schedule.forEach((place, index) => {
    if (violated !== null) refuse("it goes on after a violation");
    if (index === claim.cycleStart) cycle = snapshot(machine);
    const result = replayStep(machine, claim, place);
    steps.push(result.step);
    violated = result.violated;
  });
  const last = violated as Check | null;
  if ((last?.property ?? null) !== (claim.end === "check" ? claim.property : null)) refuse("it does not end as found");
  if (claim.end === "deadlock") checkDeadlock(machine, claim);
  if (claim.end === "livelock" && snapshot(machine) !== cycle) refuse("the cycle does not close");
  return { steps, violated: last, waiting: waitingThreads(machine, claim) };
};
