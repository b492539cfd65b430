// SPDX-License-Identifier: GPL-2.0-only
import type { Model } from "../simulator/model.ts";
import type { Trace } from "../simulator/trace.ts";

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
}

/** A schedule without what a reader does not want to see. */
export function scheduleRows(model: Model, trace: Trace): ScheduleRow[] {
  const last = trace.steps.length - 1;
  return trace.steps.flatMap((step, index): ScheduleRow[] => {
    if (step.hidden && index !== last && index !== trace.cycleStart) return [];
    const spec = model.threads[step.thread]?.steps[step.step];
    // That a lock step changes its lock goes without saying.
    const locks = new Set([...(spec?.acquires ?? []), ...(spec?.releases ?? [])].map(({ lock }) => lock.name));
    const changes = step.changes.flatMap((change) => (locks.has(change.field) ? [] : [`${change.field}: ${change.from} -> ${change.to}`]));
    return [
      {
        thread: model.threads[step.thread]?.name ?? "",
        step: step.note === null ? step.text : `${step.text} [${step.note}]`,
        patchLine: step.source?.line ?? null,
        ...(step.source?.line === null && step.source.file && step.source.fileLine ? { file: step.source.file, newLine: step.source.fileLine } : {}),
        state: changes.join(", "),
      },
    ];
  });
}
