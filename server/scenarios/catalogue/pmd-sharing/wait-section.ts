// SPDX-License-Identifier: GPL-2.0-only
import { atLeast } from "../../../kernel/release.ts";
import { modelBuilder, type ModelBuilder } from "../../../simulator/build.ts";
import { assign } from "../../../simulator/effect.ts";
import { eq, ne, not, or, type Field } from "../../../simulator/expression.ts";
import { downRead, downWrite, isHeldForWrite, rwsem, upRead, upWrite, type Rwsem } from "../../../simulator/objects/rwsem.ts";
import { blocksOnlyWhenRunning, setInterruptible, setRunning, sleepUntil, taskState } from "../../../simulator/objects/task-state.ts";
import type { CatalogueScenario } from "../scenario.ts";

function addWaiter(model: ModelBuilder, vmaLock: Rwsem, woken: Field, variant: string): void {
  const thread = model.thread("handle_userfault()", "review");
  const state = taskState(thread);
  const silent = variant.endsWith("-silent");
  const lockFirst = variant.startsWith("lock-first");
  const announce = (): void => {
    thread.step({ text: "set_current_state(TASK_INTERRUPTIBLE)", ...setInterruptible(state) });
  };
  const lock = (): void => {
    const checks = silent ? [] : [blocksOnlyWhenRunning(state, "hugetlb_vma_lock_read(vma)")];
    thread.step({
      text: "hugetlb_vma_lock_read(vma)",
      alternatives: [
        { guard: not(isHeldForWrite(vmaLock)), checks, note: "free" },
        { guard: isHeldForWrite(vmaLock), checks, effect: [assign(state, 0)], note: "contended: schedules, and comes back in TASK_RUNNING" },
      ],
    });
    thread.step({ text: "hugetlb_vma_lock_read(vma): acquired", hidden: true, ...downRead(vmaLock) });
  };
  if (lockFirst) lock();
  announce();
  if (!lockFirst) lock();
  thread.step({ text: "must_wait = userfaultfd_huge_must_wait()" });
  thread.step({ text: "hugetlb_vma_unlock_read(vma)", ...upRead(vmaLock) });
  const sleep = sleepUntil(state, ne(woken, 0));
  const wait = thread.step({
    text: "schedule()",
    alternatives: sleep.alternatives.map((one) => ({
      ...one,
      checks: [
        {
          holds: or(ne(state, 0), ne(woken, 0)),
          property: "lost-wait",
          message: "schedule() does not sleep although nothing has woken the task: the fault is retried for nothing",
        },
      ],
    })),
  });
  thread.step({ text: "__set_current_state(TASK_RUNNING)", ...setRunning(state) });
  model.reach(thread, wait, "the fault waits");
}

/** A lock that sleeps, taken between the announcement of a wait and the wait, takes the announcement back. */
export const waitSection: CatalogueScenario = {
  id: "hugetlb-lock-in-wait-section",
  rules: ["sleep-in-atomic"],
  title: "the hugetlb VMA lock is taken after the task announced that it will sleep",
  sources: [
    "b8da2e466000 (6.3): mm/hugetlb: make userfaultfd_huge_must_wait() safe to pmd unshare: the lock before set_current_state()",
    "fs/userfaultfd.c: handle_userfault()",
    "kernel/sched/core.c: __might_sleep()",
  ],
  properties: ["sleep-while-not-running", "lost-wait"],
  deadlock: true,
  livelock: null,
  variants: [
    { id: "state-first", what: "set_current_state(), then the lock", isFixed: false },
    { id: "state-first-silent", what: "set_current_state(), then the lock, without CONFIG_DEBUG_ATOMIC_SLEEP", isFixed: false },
    { id: "lock-first", what: "the lock, then set_current_state()", isFixed: true, undone: "state-first" },
    { id: "lock-first-silent", what: "the lock, then set_current_state(), without CONFIG_DEBUG_ATOMIC_SLEEP", isFixed: true, undone: "state-first-silent" },
  ],
  axes: { eras: [], releases: ["6.1"], byArchitecture: false },
  build({ variant, release }) {
    // The hugetlb VMA lock came with 6.1.
    if (!atLeast(release, "6.1")) return null;
    const model = modelBuilder(`hugetlb-lock-in-wait-section, ${variant}`);
    const vmaLock = rwsem(model, "hugetlb vma lock");
    const woken = model.field("woken", 0, { labels: { 0: "no", 1: "yes" } });
    addWaiter(model, vmaLock, woken, variant);
    const punch = model.thread("hole punch of the file", "environment");
    punch.step({ text: "hugetlb_vma_lock_write(vma)", ...downWrite(vmaLock) });
    punch.step({ text: "hugetlb_vma_unlock_write(vma)", ...upWrite(vmaLock) });
    const monitor = model.thread("userfaultfd monitor", "environment");
    monitor.step({ text: "UFFDIO_WAKE", guard: eq(woken, 0), effect: [assign(woken, 1)] });
    return model.finish();
  },
  expected({ variant }) {
    if (variant.startsWith("lock-first")) return "pass";
    return { fails: variant === "state-first" ? "sleep-while-not-running" : "lost-wait" };
  },
};
