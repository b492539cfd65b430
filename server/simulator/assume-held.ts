// SPDX-License-Identifier: GPL-2.0-only
import type { Step } from "./model.ts";
import type { Alternative, Model, ThreadSpec } from "./model.ts";
import type { Field } from "./expression.ts";
import type { StepPart } from "./build.ts";
import { rcuReadLock, rcuReadUnlock } from "./objects/rcu.ts";
import { downRead, downWrite, upRead, upWrite } from "./objects/rwsem.ts";
import { spinLock, spinUnlock } from "./objects/spinlock.ts";

export type HeldMode = "read" | "write";

/** What a caller can hold: semaphores in two ways, spinlocks and mutexes in one, sections of readers that exclude nobody. */
type LockKind = "rwsem" | "exclusive" | "readers";

/** Fields tell by their labels what they are; what is none of these (an interrupt flag, a started invalidation) is no lock. */
function kindOf(field: Field): LockKind | null {
  if (field.labels[255] !== undefined) return "rwsem";
  if (field.labels[1] === "held") return "exclusive";
  return field.atomic === true && Object.keys(field.labels).length === 0 ? "readers" : null;
}

/** Locks of a model: fields that some step takes or gives up. */
export const locksOf = (model: Model): readonly Field[] => [
  ...new Set(model.threads.flatMap(({ steps }) => steps.flatMap((step) => [...(step.acquires ?? []), ...(step.releases ?? [])].map(({ lock }) => lock)))),
].filter((lock) => kindOf(lock) !== null);

/** The ways in which a lock can be held; null stands for the only one. */
export const modesOf = (lock: Field): readonly (HeldMode | null)[] => (kindOf(lock) === "rwsem" ? ["read", "write"] : [null]);

/** `i_mmap_rwsem (read)`: a lock as it is held. */
export const heldName = (lock: Field, mode: HeldMode): string => (kindOf(lock) === "rwsem" ? `${lock.name} (${mode})` : lock.name);

const RELEASE = "caller unlocks";

const stepOf = (text: string, part: StepPart): Step => ({ text, source: null, hidden: false, ...part });

function partsOf(lock: Field, mode: HeldMode): { readonly take: StepPart; readonly leave: StepPart } {
  switch (kindOf(lock)) {
    case "rwsem":
      return mode === "read" ? { take: downRead(lock), leave: upRead(lock) } : { take: downWrite(lock), leave: upWrite(lock) };
    case "readers":
      return { take: rcuReadLock(lock), leave: rcuReadUnlock(lock) };
    default:
      return { take: spinLock(lock), leave: spinUnlock(lock) };
  }
}

/**
 * The model in which the callers of the threads under review hold a lock from before their first step to after their
 * last: "what if the caller holds it?". `mode` counts for semaphores only. A caller that the model has already, and that holds
 * the lock in some way, holds it in this way instead.
 */
export function assumeHeld(model: Model, lock: Field, mode: HeldMode): Model {
  const { take, leave } = partsOf(lock, mode);
  const how = heldName(lock, mode);
  const wrapped = (thread: ThreadSpec): ThreadSpec =>
    thread.role === "review" ? between(withoutCaller(thread, lock), stepOf(`caller takes ${how}`, take), stepOf(`caller gives up ${how}`, leave)) : thread;
  return {
    ...model,
    name: `${model.name}, callers hold ${how}`,
    threads: model.threads.map(wrapped),
    // A step more stands in front of those that must be reached.
    reach: model.reach.map((one) => (model.threads[one.thread]?.role === "review" ? { ...one, step: one.step + 1 } : one)),
  };
}

/** Steps of a caller stand before the first line of the code and after its last. They become steps that do nothing: places stay. */
function withoutCaller(thread: ThreadSpec, lock: Field): ThreadSpec {
  const own = [...thread.steps.keys()].filter((index) => thread.steps[index]?.source !== null);
  const first = own[0];
  const last = own.at(-1);
  if (first === undefined || last === undefined) return thread;
  const isCallers = (step: Step, index: number): boolean =>
    step.source === null && (index < first || index > last) && [...(step.acquires ?? []), ...(step.releases ?? [])].some((one) => one.lock === lock);
  const skipped = ({ text, alternatives }: Step): Step => ({ text, source: null, hidden: true, alternatives: alternatives.map(({ to }) => (to === undefined ? {} : { to })) });
  return { ...thread, steps: thread.steps.map((step, index) => (isCallers(step, index) ? skipped(step) : step)) };
}

function between(thread: ThreadSpec, first: Step, last: Step): ThreadSpec {
  const toRelease = (alternative: Alternative): Alternative => (alternative.to === "END" ? { ...alternative, to: RELEASE } : alternative);
  const steps = thread.steps.map((step) => ({ ...step, alternatives: step.alternatives.map(toRelease) }));
  const labels = Object.fromEntries(Object.entries(thread.labels).map(([label, index]) => [label, index + 1]));
  return { ...thread, steps: [first, ...steps, last], labels: { ...labels, [RELEASE]: steps.length + 1 } };
}
