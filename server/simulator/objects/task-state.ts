// SPDX-License-Identifier: GPL-2.0-only
import type { StepPart, ThreadBuilder } from "../build.ts";
import { assign } from "../effect.ts";
import { eq, ne } from "../expression.ts";
import type { Expression, Field } from "../expression.ts";
import type { Check } from "../model.ts";

/** `current->__state`: `include/linux/sched.h`. One local byte: 0 running, 1 about to sleep until woken. */
export type TaskState = Field;

export const taskState = (thread: ThreadBuilder): TaskState =>
  thread.local("task state", 0, { labels: { 0: "TASK_RUNNING", 1: "TASK_INTERRUPTIBLE" } });

/** `set_current_state(TASK_INTERRUPTIBLE)`. */
export const setInterruptible = (state: TaskState): StepPart => ({ alternatives: [{ effect: [assign(state, 1)] }] });

/** `__set_current_state(TASK_RUNNING)`, and what waking up does. */
export const setRunning = (state: TaskState): StepPart => ({ alternatives: [{ effect: [assign(state, 0)] }] });

/**
 * The check of a call that may sleep by itself, for example of a lock: it returns in TASK_RUNNING, and what the caller
 * announced is lost (`__might_sleep()` in `kernel/sched/core.c`).
 */
export const blocksOnlyWhenRunning = (state: TaskState, what: string): Check => ({
  holds: eq(state, 0), property: "sleep-while-not-running", message: `${what} may sleep although the task has announced another wait`,
});

/** `schedule()` sleeps only in a state other than TASK_RUNNING: until `woken` holds, then the task runs again. */
export const sleepUntil = (state: TaskState, woken: Expression): StepPart => ({
  alternatives: [
    { guard: eq(state, 0), note: "TASK_RUNNING: does not sleep" },
    { guard: { kind: "binary", operator: "and", left: ne(state, 0), right: woken }, effect: [assign(state, 0)], note: "woken" },
  ],
});
