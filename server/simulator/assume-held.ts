// SPDX-License-Identifier: GPL-2.0-only
import type { Step } from "./model.ts";
import type { Alternative, Model, ThreadSpec } from "./model.ts";
import type { Field } from "./expression.ts";
import type { StepPart } from "./build.ts";
import { downRead, downWrite, upRead, upWrite } from "./objects/rwsem.ts";
import { spinLock, spinUnlock } from "./objects/spinlock.ts";

export type HeldMode = "read" | "write";

/** Locks of a model by name: fields that some step takes or gives up. */
export const locksOf = (model: Model): readonly Field[] => [
  ...new Set(model.threads.flatMap(({ steps }) => steps.flatMap((step) => [...(step.acquires ?? []), ...(step.releases ?? [])].map(({ lock }) => lock)))),
];

const RELEASE = "caller unlocks";

const isRwsem = (lock: Field): boolean => lock.labels[255] !== undefined;

const stepOf = (text: string, part: StepPart): Step => ({ text, source: null, hidden: false, ...part });

/**
 * The model in which the callers of the threads under review hold a lock from before their first step to after their
 * last: "what if the caller holds it?". `mode` counts for semaphores only.
 */
export function assumeHeld(model: Model, lock: Field, mode: HeldMode): Model {
  const take = isRwsem(lock) ? (mode === "read" ? downRead(lock) : downWrite(lock)) : spinLock(lock);
  const leave = isRwsem(lock) ? (mode === "read" ? upRead(lock) : upWrite(lock)) : spinUnlock(lock);
  const how = isRwsem(lock) ? ` (${mode})` : "";
  const wrapped = (thread: ThreadSpec): ThreadSpec =>
    thread.role === "review" ? between(thread, stepOf(`caller takes ${lock.name}${how}`, take), stepOf(`caller gives up ${lock.name}${how}`, leave)) : thread;
  return {
    ...model,
    name: `${model.name}, callers hold ${lock.name}${how}`,
    threads: model.threads.map(wrapped),
    // A step more stands in front of those that must be reached.
    reach: model.reach.map((one) => (model.threads[one.thread]?.role === "review" ? { ...one, step: one.step + 1 } : one)),
  };
}

function between(thread: ThreadSpec, first: Step, last: Step): ThreadSpec {
  const toRelease = (alternative: Alternative): Alternative => (alternative.to === "END" ? { ...alternative, to: RELEASE } : alternative);
  const steps = thread.steps.map((step) => ({ ...step, alternatives: step.alternatives.map(toRelease) }));
  const labels = Object.fromEntries(Object.entries(thread.labels).map(([label, index]) => [label, index + 1]));
  return { ...thread, steps: [first, ...steps, last], labels: { ...labels, [RELEASE]: steps.length + 1 } };
}
