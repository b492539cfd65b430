// SPDX-License-Identifier: GPL-2.0-only
import type { WhyBlocked } from "../simulator/explain.ts";
import { createMachine, currentStep, take } from "../simulator/interpreter.ts";
import type { Model } from "../simulator/model.ts";
import { sectionsOf, type Section } from "../simulator/sections.ts";
import type { Trace, TraceStep } from "../simulator/trace.ts";

/** One row of a schedule. The last row of a failing schedule reaches the bad state. */
export interface ScheduleRow {
  /** Thread name: the function under review as `name()`, or an environment thread. */
  readonly thread: string;
  /** The statement or the environment's action, one line, with what happened in brackets. */
  readonly step: string;
  /** 1-based line of the document, null for steps that are not in the document. */
  readonly patchLine: number | null;
  /** File and line there of a step that only the tree shows. */
  readonly file?: string;
  readonly newLine?: number;
  /** What the step changed, for example `entry(src_pte): X -> none`; "" where nothing visible changed. */
  readonly state: string;
  /** The step is not taken: its thread waits there, and nothing can move. Only at the end of a deadlock. */
  readonly isWaiting?: true;
}

/** A lock that a thread holds, or an atomic section that it is in, from one row of a schedule to another. */
export interface HeldSpan {
  readonly thread: string;
  readonly kind: Section["kind"];
  readonly name: string;
  /** Rows count from 0. */
  readonly from: number;
  /** The row that gives it up; null where none does. */
  readonly to: number | null;
}

/** The steps of a schedule that a reader sees, and what is held over them. */
export interface ShownSchedule {
  readonly steps: readonly ScheduleRow[];
  readonly held: readonly HeldSpan[];
}

/** What the fixed program does with a failing schedule. */
export interface FixedSchedule {
  /** `added`: the failing schedule does not have the step here. */
  readonly steps: readonly (ScheduleRow & { readonly added: boolean })[];
  readonly held: readonly HeldSpan[];
  /** The step that cannot be taken, after all others; null where the schedule runs to its end. */
  readonly blocked: ScheduleRow | null;
  /** Names of the locks that it waits for, as spans have them. */
  readonly waitsFor: readonly string[];
}

/** Branches of a schedule that the code does not justify, each with the reason why it is taken to be possible. */
export const assumedBranches = ({ steps }: Trace): string[] => steps.flatMap((step) => (step.assumed === undefined ? [] : [`${step.text}: ${step.assumed}`]));

/** How such a branch is told among the assumptions. */
export const unjustified = (branch: string): string => `branch taken without justification: ${branch}`;

/** Where a step is that only the tree shows. */
const inFile = (source: TraceStep["source"]): Pick<ScheduleRow, "file" | "newLine"> =>
  source?.line === null && source.file && source.fileLine ? { file: source.file, newLine: source.fileLine } : {};

const shownStep = (model: Model, step: TraceStep): ScheduleRow => {
  const spec = model.threads[step.thread]?.steps[step.step];
  // That a lock step changes its lock goes without saying.
  const locks = new Set([...(spec?.acquires ?? []), ...(spec?.releases ?? [])].map(({ lock }) => lock.name));
  const changes = step.changes.flatMap((change) => (locks.has(change.field) ? [] : [`${change.field}: ${change.from} -> ${change.to}`]));
  return {
    thread: model.threads[step.thread]?.name ?? "",
    step: step.note === null ? step.text : `${step.text} [${step.note}]`,
    patchLine: step.source?.line ?? null,
    ...inFile(step.source),
    // Values have commas.
    state: changes.join("; "),
  };
};

/** Sections by row: a hidden step that enters or leaves does so between the rows around it. `rows` are indices of steps. */
const shownSections = (model: Model, sections: readonly Section[], rows: readonly number[]): HeldSpan[] =>
  sections.flatMap(({ thread, kind, name, from, to }): HeldSpan[] => {
    const first = rows.findIndex((step) => step >= from);
    const last = to === null ? null : rows.findLastIndex((step) => step <= to);
    const own = rows.slice(first, last === null ? rows.length : last + 1);
    if (first < 0 || own.length === 0) return [];
    return [{ thread: model.threads[thread]?.name ?? "", kind, name, from: first, to: last }];
  });

/** Where threads stand when nothing can move, as rows after the last step; none where the schedule ends otherwise. */
function waitingRows(model: Model, { end, steps }: Trace): ScheduleRow[] {
  if (end !== "deadlock") return [];
  const machine = createMachine(model);
  for (const { thread, alternative } of steps) {
    const taken = currentStep(machine, thread)?.alternatives[alternative];
    if (taken) take(machine, thread, taken);
  }
  return model.threads.flatMap(({ name, role }, thread): ScheduleRow[] => {
    const step = role === "daemon" ? null : currentStep(machine, thread);
    if (step === null) return [];
    return [{ thread: name, step: `${step.text} [waits for ever]`, patchLine: step.source?.line ?? null, ...inFile(step.source), state: "", isWaiting: true }];
  });
}

/** A failing schedule without its bookkeeping, with what waits at its end; the bad state and the start of a cycle are never hidden. */
export function shownSchedule(model: Model, trace: Trace): ShownSchedule {
  const last = trace.steps.length - 1;
  const rows = [...trace.steps.keys()].filter((index) => !trace.steps[index]?.hidden || index === last || index === trace.cycleStart);
  return {
    steps: [...rows.flatMap((index) => (trace.steps[index] ? [shownStep(model, trace.steps[index])] : [])), ...waitingRows(model, trace)],
    held: shownSections(model, sectionsOf(model, trace.end === "check" ? trace.steps.slice(0, -1) : trace.steps), rows),
  };
}

/** The same schedule on the fixed program, up to where it stops. */
export function fixedSchedule(model: Model, why: WhyBlocked): FixedSchedule {
  const effective = why.outcome === "fails" ? why.rows.slice(0, -1) : why.rows;
  const rows = [...why.rows.keys()].filter((index) => !why.rows[index]?.taken.hidden);
  return {
    steps: rows.flatMap((index) => {
      const row = why.rows[index];
      return row ? [{ ...shownStep(model, row.taken), added: row.added }] : [];
    }),
    held: shownSections(model, sectionsOf(model, effective.map(({ taken }) => taken)), rows),
    blocked: why.blockedAt === null
      ? null
      : { thread: why.thread ?? "", step: why.blockedAt, patchLine: why.source?.line ?? null, state: "" },
    waitsFor: why.locks,
  };
}
