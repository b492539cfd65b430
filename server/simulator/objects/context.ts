// SPDX-License-Identifier: GPL-2.0-only
import type { StepPart, ThreadBuilder } from "../build.ts";
import { assign, decrement, increment } from "../effect.ts";
import { eq, gt, minus } from "../expression.ts";
import type { Field } from "../expression.ts";
import type { Assignment, Check } from "../model.ts";

/**
 * How deep a thread is inside sections that must not sleep (spinlocks, RCU, disabled interrupts or preemption):
 * `include/linux/preempt.h`, `__might_resched()` in `kernel/sched/core.c`. One hidden local byte.
 */
export type Context = Field;

export const atomicContext = (thread: ThreadBuilder): Context =>
  thread.local("atomic depth", 0, { hidden: true, atomic: true });

/** Combine with the step that takes a spinlock or enters RCU. */
export const enterAtomic = (context: Context): StepPart => ({ alternatives: [{ effect: [increment(context)] }] });

/** Combine with the step that leaves again. */
export const leaveAtomic = (context: Context): StepPart => ({
  alternatives: [
    {
      effect: [decrement(context)],
      checks: [
        { holds: gt(context, 0), property: "unlock-not-held", message: "an atomic section ends that was not entered" },
      ],
    },
  ],
});

/** `might_sleep()`: the check of everything that may sleep. `what` is the call, for example `mutex_lock()`. */
export const mightSleep = (context: Context, what: string): Check => ({
  holds: eq(context, 0),
  property: "sleep-in-atomic",
  message: `${what} may sleep in atomic context`,
});

/** A step that may sleep, to be combined with what it does. */
export const sleeps = (context: Context, what: string): StepPart => ({
  alternatives: [{ checks: [mightSleep(context, what)] }],
});

/** Leaves a section; one that was entered where nothing is visible is not counted. */
export const leaveIfEntered = (context: Context): Assignment => assign(context, minus(context, gt(context, 0)));
