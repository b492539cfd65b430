// SPDX-License-Identifier: GPL-2.0-only
import type { ApiFact, Effect } from "../effect.ts";
import { facts, maySleep } from "./make.ts";

const to = (state: (Effect & { kind: "taskState" })["to"]): Effect => ({ kind: "taskState", to: state });

/** What a task announces before it waits, and what waits. A call that sleeps in between comes back in TASK_RUNNING. */
export const taskStateFacts: readonly ApiFact[] = [
  ...facts("set_current_state __set_current_state", "include/linux/sched.h (6.1.192)", [to(0)], { arity: 1 }),
  ...facts("prepare_to_wait", "kernel/sched/wait.c (6.1.192)", [to(2)], { arity: 3 }),
  ...facts("prepare_to_wait_exclusive", "kernel/sched/wait.c (6.1.192)", [to(2)], { arity: 3 }),
  ...facts("finish_wait", "kernel/sched/wait.c (6.1.192)", [to("running")], { arity: 2 }),
  ...facts(
    "schedule schedule_timeout io_schedule io_schedule_timeout",
    "kernel/sched/core.c, kernel/time (6.1.192): back in TASK_RUNNING",
    [maySleep, to("running")],
  ),
  ...facts("msleep msleep_interruptible usleep_range ssleep", "include/linux/delay.h, kernel/time/timer.c (6.1.192): announce their own wait", [maySleep, to("running")]),
  ...facts(
    "schedule_timeout_uninterruptible schedule_timeout_interruptible schedule_timeout_killable",
    "kernel/time (6.1.192): announce their own wait",
    [maySleep, to("running")],
  ),
  ...facts("cond_resched cond_resched_tasks_rcu_qs yield", "kernel/sched/core.c (6.1.192)", [maySleep, to("kept")]),
];
