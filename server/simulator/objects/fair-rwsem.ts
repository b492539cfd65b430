// SPDX-License-Identifier: GPL-2.0-only
import type { ModelBuilder, StepPart } from "../build.ts";
import { decrement, increment } from "../effect.ts";
import { and, eq, gt } from "../expression.ts";
import type { Field } from "../expression.ts";
import { downRead, downWrite, rwsem, upRead, upWrite, type Rwsem } from "./rwsem.ts";

/**
 * A reader-writer semaphore whose waiting writers hold back new readers, which is what makes a recursive read deadlock:
 * `kernel/locking/rwsem.c` (`RWSEM_FLAG_WAITERS`, no reader passes a queue). Taking it for writing is two steps: the writer
 * queues, then acquires.
 */
export interface FairRwsem {
  readonly state: Rwsem;
  /** Writers in the queue. */
  readonly waiting: Field;
}

export const fairRwsem = (model: ModelBuilder, name: string): FairRwsem => ({
  state: rwsem(model, name),
  waiting: model.field(`${name}, waiting writers`),
});

/** `down_read()`: blocks behind a writer, one that waits included. */
export const downReadFair = ({ state, waiting }: FairRwsem): StepPart => {
  const part = downRead(state);
  return {
    ...part,
    alternatives: part.alternatives.map((one) => ({ ...one, guard: one.guard === undefined ? eq(waiting, 0) : and(one.guard, eq(waiting, 0)) })),
  };
};

/** First half of `down_write()`: the writer is in the queue. */
export const queueWrite = ({ waiting }: FairRwsem): StepPart => ({ alternatives: [{ effect: [increment(waiting)], note: "waits in the queue" }] });

/** Second half: the writer is the only one. */
export const acquireWrite = ({ state, waiting }: FairRwsem): StepPart => {
  const part = downWrite(state);
  return {
    ...part,
    alternatives: part.alternatives.map((one) => ({
      ...one,
      guard: and(one.guard ?? 1, gt(waiting, 0)),
      effect: [...(one.effect ?? []), decrement(waiting)],
    })),
  };
};

/** `up_read()` and `up_write()` wake the queue, which is a guard here. */
export const upReadFair = ({ state }: FairRwsem): StepPart => upRead(state);
export const upWriteFair = ({ state }: FairRwsem): StepPart => upWrite(state);
