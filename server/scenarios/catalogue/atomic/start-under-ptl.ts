// SPDX-License-Identifier: GPL-2.0-only
import { modelBuilder, type StepPart } from "../../../simulator/build.ts";
import { together } from "../../../simulator/combine.ts";
import { atomicContext, enterAtomic, leaveAtomic, sleeps } from "../../../simulator/objects/context.ts";
import { spinLock, spinlock, spinUnlock } from "../../../simulator/objects/spinlock.ts";
import { addFaultUnderLock } from "../../environment/driver-lock.ts";
import type { CatalogueScenario } from "../scenario.ts";

const START = "mmu_notifier_invalidate_range_start(&range)";
const END = "mmu_notifier_invalidate_range_end(&range)";

/** A notifier waits for a driver's mutex with the page-table lock held, on which the mutex's owner spins in a fault. */
export const startUnderPtl: CatalogueScenario = {
  id: "notifier-sleeps-under-ptl",
  rules: ["notifier-in-atomic"],
  title: "a notifier that may sleep is called under the page-table lock",
  sources: ["include/linux/mmu_notifier.h:454 (6.1.192): might_sleep()", "Documentation/mm/mmu_notifier.rst"],
  properties: ["sleep-in-atomic"],
  deadlock: true,
  livelock: null,
  variants: [
    { id: "under-lock", what: "start and end inside of the lock", isFixed: false },
    { id: "under-lock-silent", what: "start and end inside of the lock, without CONFIG_DEBUG_ATOMIC_SLEEP", isFixed: false },
    { id: "end-under-lock", what: "start before the lock, end inside", isFixed: false },
    { id: "outside", what: "start before the lock, end after the unlock", isFixed: true, undone: "under-lock" },
    {
      id: "outside-silent",
      what: "start before the lock, end after the unlock, without CONFIG_DEBUG_ATOMIC_SLEEP",
      isFixed: true,
      undone: "under-lock-silent",
    },
  ],
  axes: { eras: [], releases: ["6.1", "6.6"], byArchitecture: false },
  build({ variant }) {
    const model = modelBuilder(`notifier-sleeps-under-ptl, ${variant}`);
    const thread = model.thread("unmapper", "review");
    const context = atomicContext(thread);
    const [mutex, ptl] = [spinlock(model, "driver lock"), spinlock(model, "page-table lock")];
    const asks = (what: string): StepPart => (variant.endsWith("-silent") ? { alternatives: [{}] } : sleeps(context, what));
    const start = (): void => {
      thread.step({ text: START, ...asks(START) });
      thread.step({ text: "invalidate_range_start() of the driver: mutex_lock(&driver->lock)", ...spinLock(mutex) });
      thread.step({ text: "invalidate_range_start() of the driver: mutex_unlock(&driver->lock)", ...spinUnlock(mutex) });
    };
    const inside = variant.startsWith("under-lock");
    if (!inside) start();
    thread.step({ text: "ptl = pmd_lock(mm, pmd)", ...together(spinLock(ptl), enterAtomic(context)) });
    if (inside) start();
    model.reach(thread, thread.step({ text: "pmdp_huge_clear_flush(vma, addr, pmd)", alternatives: [{}] }), "the entry is cleared");
    if (inside || variant === "end-under-lock") thread.step({ text: END, ...asks(END) });
    thread.step({ text: "spin_unlock(ptl)", ...together(spinUnlock(ptl), leaveAtomic(context)) });
    if (variant.startsWith("outside")) thread.step({ text: END, ...asks(END) });
    addFaultUnderLock(model, mutex, ptl);
    return model.finish();
  },
  expected({ variant }) {
    if (variant.startsWith("outside")) return "pass";
    return { fails: variant === "under-lock-silent" ? "deadlock" : "sleep-in-atomic" };
  },
};
