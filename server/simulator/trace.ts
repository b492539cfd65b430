// SPDX-License-Identifier: GPL-2.0-only
import type { ActionPlace } from "./compile.ts";
import type { Step, StepSource } from "./model.ts";

/** A visible field that a step changed; values are printed with the field's labels. */
export interface TraceChange {
  /** `name`, or `name[index]` for an element. */
  readonly field: string;
  readonly from: string;
  readonly to: string;
}

/** One row of a schedule: one alternative of one step, taken by one thread. */
export interface TraceStep {
  /** Index of the thread in the model. */
  readonly thread: number;
  readonly step: number;
  readonly alternative: number;
  readonly text: string;
  readonly note: string | null;
  readonly source: StepSource | null;
  readonly hidden: boolean;
  /** Empty for the step that fails a check: the run ends before its effect. */
  readonly changes: readonly TraceChange[];
  /** Why this branch is possible although the code does not say so. */
  readonly assumed?: string;
}

/** A replayed schedule from the initial state to a bad one. */
export interface Trace {
  readonly steps: readonly TraceStep[];
  readonly violation: { readonly property: string; readonly message: string };
  /** `check`: the last step fails a check and has no effect. */
  readonly end: "check" | "deadlock" | "livelock";
  /** How often a step belongs to another thread than the step before it. */
  readonly switches: number;
  /** Names of environment threads and daemons that take no part although they could, in declaration order. */
  readonly dropped: readonly string[];
  /** For a livelock: index in `steps` at which the cycle starts that repeats for ever; else null. */
  readonly cycleStart: number | null;
  /** False where the search for the fewest switches ran out of its budget and this is the schedule with the fewest steps. */
  readonly minimal: boolean;
}

/** The row of a step that was taken in one of its ways. */
export const takenStep = (step: Step, { thread, step: index, alternative }: ActionPlace, changes: readonly TraceChange[]): TraceStep => {
  const way = step.alternatives[alternative];
  return {
    thread, step: index, alternative, text: step.text, note: way.note ?? null, source: step.source, hidden: step.hidden, changes,
    ...(way.assumed === undefined ? {} : { assumed: way.assumed }),
  };
};
