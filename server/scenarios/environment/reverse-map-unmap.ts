// SPDX-License-Identifier: GPL-2.0-only
import { assign } from "../../simulator/effect.ts";
import { eq, gt } from "../../simulator/expression.ts";
import { isQuiescent } from "../../simulator/objects/rcu.ts";
import { downWrite, tryDownWrite, upWrite } from "../../simulator/objects/rwsem.ts";
import { spinLock, spinUnlock, type Spinlock } from "../../simulator/objects/spinlock.ts";
import type { Flushing } from "./hole-punch.ts";
import type { HugetlbTable } from "./hugetlb-table.ts";

/**
 * Migration, compaction or memory failure of a page that A maps, from any process: `try_to_unmap_one()`, `try_to_migrate_one()`
 * (mm/rmap.c:1571-1580, 1960-1969, 6.1.192): i_mmap_rwsem by the caller, the VMA's lock by trylock, and the flush with the
 * page-table lock held.
 */
export function addReverseMapUnmap({ model, mapping, vmaLockA, pudA, table, irqsOff }: HugetlbTable, ptl: Spinlock, { flushWaits, sync }: Flushing): void {
  const thread = model.thread("migration of a page", "environment");
  thread.step({ text: "i_mmap_lock_write(mapping)", ...downWrite(mapping) });
  thread.step({ text: "page_vma_mapped_walk(): huge_pte_lock()", ...spinLock(ptl) });
  thread.step({ text: "hugetlb_vma_trylock_write(vma of A)", ...tryDownWrite(vmaLockA, "busy") });
  const unshare = thread.step({
    text: "huge_pmd_unshare(A): pud_clear()",
    alternatives: [
      { guard: gt(table.refs, 1), effect: [assign(pudA, 0), assign(table.refs, 1)], note: "B is the only user left" },
      { guard: eq(table.refs, 1), to: "unlock", note: "not shared" },
    ],
  });
  thread.step({
    text: "flush_tlb_range(vma, range.start, range.end)",
    ...(flushWaits ? { guard: isQuiescent(irqsOff), note: "interrupts the CPUs that run A" } : {}),
  });
  if (sync !== "none") thread.step({ text: "tlb_remove_table_sync_one()", guard: isQuiescent(irqsOff), note: "interrupts all CPUs" });
  thread.label("unlock");
  thread.step({ text: "hugetlb_vma_unlock_write(vma of A)", ...upWrite(vmaLockA) });
  thread.label("busy");
  thread.step({ text: "page_vma_mapped_walk_done(): spin_unlock(ptl)", ...spinUnlock(ptl) });
  thread.step({ text: "i_mmap_unlock_write(mapping)", ...upWrite(mapping) });
  model.reach(thread, unshare, "the page is unmapped");
}
