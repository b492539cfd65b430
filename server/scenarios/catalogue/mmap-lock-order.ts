// SPDX-License-Identifier: GPL-2.0-only
import { modelBuilder, type ModelBuilder, type StepPart } from "../../simulator/build.ts";
import { together } from "../../simulator/combine.ts";
import { lockOrder, leavesInOrder, takesInOrder } from "../../simulator/objects/lock-order.ts";
import { downWrite, rwsem, tryDownWrite, upWrite, type Rwsem } from "../../simulator/objects/rwsem.ts";
import type { CatalogueScenario } from "./scenario.ts";

interface Locks {
  readonly mmapLock: Rwsem;
  readonly mapping: Rwsem;
}

/** `retract_page_tables()`: comes from the mapping to the processes that map it. */
function addRetract(model: ModelBuilder, { mmapLock, mapping }: Locks, variant: string): void {
  const thread = model.thread("retract_page_tables()", "review");
  const order = lockOrder(thread, ["mmap_lock", "i_mmap_rwsem"]);
  thread.step({ text: "i_mmap_lock_write(mapping)", ...together(takesInOrder(order, "i_mmap_rwsem"), downWrite(mapping)) });
  // Who only tries waits for nobody: lockdep does not look at the order either.
  thread.step(
    variant === "trylock"
      ? { text: "mmap_write_trylock(mm)", ...tryDownWrite(mmapLock, "next") }
      : { text: "mmap_write_lock(mm)", ...together(takesInOrder(order, "mmap_lock"), downWrite(mmapLock)) },
  );
  const collapse = thread.step({ text: "collapse_and_free_pmd(mm, vma, addr, pmd)" });
  thread.step({ text: "mmap_write_unlock(mm)", ...upWrite(mmapLock) });
  thread.label("next");
  thread.step({ text: "i_mmap_unlock_write(mapping)", ...together(leavesInOrder(order, "i_mmap_rwsem"), upWrite(mapping)) });
  model.reach(thread, collapse, "a page table is retracted");
}

/** The documented order. */
function addMmap(model: ModelBuilder, { mmapLock, mapping }: Locks): void {
  const thread = model.thread("mmap", "environment");
  const order = lockOrder(thread, ["mmap_lock", "i_mmap_rwsem"]);
  const step = (text: string, lock: StepPart, checked: StepPart): number => thread.step({ text, ...together(checked, lock) });
  step("mmap_write_lock(mm)", downWrite(mmapLock), takesInOrder(order, "mmap_lock"));
  step("vma_link(): i_mmap_lock_write(mapping)", downWrite(mapping), takesInOrder(order, "i_mmap_rwsem"));
  step("vma_link(): i_mmap_unlock_write(mapping)", upWrite(mapping), leavesInOrder(order, "i_mmap_rwsem"));
  step("mmap_write_unlock(mm)", upWrite(mmapLock), leavesInOrder(order, "mmap_lock"));
}

/** mmap_lock is taken before i_mmap_rwsem; who holds the mapping may only try. */
export const mmapLockOrder: CatalogueScenario = {
  id: "mmap-lock-order",
  rules: ["lock-order"],
  title: "mmap_lock taken inside i_mmap_rwsem",
  sources: ["mm/rmap.c, lock order at the top", "mm/khugepaged.c (6.1.192): retract_page_tables(), the trylock"],
  properties: ["lock-order"],
  deadlock: true,
  livelock: null,
  variants: [
    { id: "blocking", what: "khugepaged waits for mmap_lock with the mapping locked", isFixed: false },
    { id: "trylock", what: "mmap_write_trylock(), and the next process where it is busy", isFixed: true, undone: "blocking" },
  ],
  axes: { eras: [], releases: ["6.1"], byArchitecture: false },
  build({ variant }) {
    const model = modelBuilder(`mmap-lock-order, ${variant}`);
    const locks: Locks = { mmapLock: rwsem(model, "mmap_lock"), mapping: rwsem(model, "i_mmap_rwsem") };
    addRetract(model, locks, variant);
    addMmap(model, locks);
    return model.finish();
  },
  expected: ({ variant }) => (variant === "blocking" ? { fails: "lock-order" } : "pass"),
};
