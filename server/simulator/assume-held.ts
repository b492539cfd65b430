// SPDX-License-Identifier: GPL-2.0-only
import type { Step } from "./model.ts";
import type { Alternative, Model, ThreadSpec } from "./model.ts";
import type { Field } from "./expression.ts";
import type { StepPart } from "./build.ts";
import { together } from "./combine.ts";
import { isReaders, isRwsem, isSpinlock } from "./lock-kind.ts";
import { enterAtomic, leaveAtomic } from "./objects/context.ts";
import { rcuReadLock, rcuReadUnlock } from "./objects/rcu.ts";
import { downRead, downWrite, upRead, upWrite } from "./objects/rwsem.ts";
import { spinLock, spinUnlock } from "./objects/spinlock.ts";

export type HeldMode = "read" | "write";

/**
 * Locks of a model by name: fields that some step takes or gives up, and that callers can hold in a way known here. What a
 * section of another kind does to its field (interrupts that are off, an invalidation that has started) does not nest.
 */
export const locksOf = (model: Model): readonly Field[] => [
  ...new Set(model.threads.flatMap(({ steps }) => steps.flatMap((step) => [...(step.acquires ?? []), ...(step.releases ?? [])].map(({ lock }) => lock)))),
].filter((lock) => isRwsem(lock) || isSpinlock(lock) || isReaders(lock));

const RELEASE = "caller unlocks";

interface Holding {
  readonly take: StepPart;
  readonly leave: StepPart;
}

const holdingOf = (lock: Field, mode: HeldMode): Holding => {
  if (isRwsem(lock)) return mode === "read" ? { take: downRead(lock), leave: upRead(lock) } : { take: downWrite(lock), leave: upWrite(lock) };
  // A section that others may be in as well: it is counted, not taken.
  if (isReaders(lock)) return { take: rcuReadLock(lock), leave: rcuReadUnlock(lock) };
  return { take: spinLock(lock), leave: spinUnlock(lock) };
};

/** The ways in which a lock can be held; null stands for the only one. */
export const modesOf = (lock: Field): readonly (HeldMode | null)[] => (isRwsem(lock) ? ["read", "write"] : [null]);

/** A lock that callers hold, in words. */
export const heldText = (lock: Field, mode: HeldMode): string => (isRwsem(lock) ? `${lock.name} (${mode})` : lock.name);

const isAtomic = ({ atomic }: Field): boolean => atomic === true;

/** Whether who holds the lock must not sleep: a spinlock and a mutex are the same field, but not taken in the same step. */
const forbidsSleep = ({ threads }: Model, lock: Field): boolean =>
  isReaders(lock) ||
  threads.some(({ steps, locals }) => steps.some(({ acquires = [], alternatives }) =>
    acquires.some((one) => one.lock === lock) &&
    alternatives.some(({ effect = [] }) => effect.some(({ target }) => target === lock) && effect.some(({ target }) => isAtomic(target) && locals.includes(target)))));

const stepOf = (text: string, part: StepPart): Step => ({ text, source: null, hidden: false, ...part });

/**
 * The model in which the callers of the threads under review hold a lock from before their first step to after their
 * last: "what if the caller holds it?". `mode` counts for semaphores only. A caller that the model has already, and that holds
 * the lock in some way, holds it in this way instead.
 */
export function assumeHeld(model: Model, lock: Field, mode: HeldMode): Model {
  const { take, leave } = holdingOf(lock, mode);
  const inAtomic = forbidsSleep(model, lock);
  const held = heldText(lock, mode);
  const wrapped = (thread: ThreadSpec): ThreadSpec => {
    if (thread.role !== "review") return thread;
    const context = inAtomic ? thread.locals.find(isAtomic) : undefined;
    const first = context === undefined ? take : together(take, enterAtomic(context));
    const last = context === undefined ? leave : together(leave, leaveAtomic(context));
    return between(withoutCaller(thread, lock), stepOf(`caller takes ${held}`, first), stepOf(`caller gives up ${held}`, last));
  };
  return {
    ...model,
    name: `${model.name}, callers hold ${held}`,
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
