// SPDX-License-Identifier: GPL-2.0-only
import { together } from "../../simulator/combine.ts";
import { assign } from "../../simulator/effect.ts";
import { eq, gt } from "../../simulator/expression.ts";
import type { Alternative } from "../../simulator/model.ts";
import { endGracePeriod } from "../../simulator/objects/page-table.ts";
import { isQuiescent } from "../../simulator/objects/rcu.ts";
import { downgradeWrite, downWrite, rwsem, upRead, upWrite } from "../../simulator/objects/rwsem.ts";
import type { HugetlbTable } from "./hugetlb-table.ts";

/** How the table page goes away, and whether the batch page of `tlb_remove_table()` may be missing. */
export interface Freeing {
  readonly page: "rcu" | "now";
  readonly batchPageMayFail: boolean;
}

/** `tlb_remove_table()` (mm/mmu_gather.c:203-207), or the immediate free of the architectures without RCU table free. */
const removal = ({ table, irqsOff }: HugetlbTable, { page, batchPageMayFail }: Freeing): readonly Alternative[] =>
  page === "now"
    ? [{ effect: [assign(table.freed, 1)], note: "the table page is freed" }]
    : [
        { effect: [assign(table.queued, 1)], note: "waits for a grace period" },
        ...(batchPageMayFail ? [
          { guard: isQuiescent(irqsOff), effect: [assign(table.freed, 1)], note: "no batch page: interrupts all CPUs, then frees at once" },
        ] : []),
      ];

/**
 * B unmaps: `__unmap_hugepage_range()` under both locks unshares a table that A still uses, and zaps one that it alone has
 * left, which `free_pgtables()` then frees. The lock goes with the table's destructor, at once in every configuration
 * (mm/hugetlb.c:5358-5445, mm/memory.c, 6.1.192). B's CPUs are interrupted by the flush, the walker's are not B's.
 */
export function addMunmap(on: HugetlbTable, freeing: Freeing): void {
  const { model, mapping, table, pudB } = on;
  const thread = model.thread("munmap() in process B", "environment");
  const [mmapLockB, vmaLockB] = [rwsem(model, "mmap_lock(B)"), rwsem(model, "hugetlb vma lock(B)")];
  thread.step({ text: "mmap_write_lock(B)", ...downWrite(mmapLockB) });
  thread.step({ text: "mmap_write_downgrade(B)", ...downgradeWrite(mmapLockB) });
  thread.step({ text: "hugetlb_vma_lock_write(vma of B)", ...downWrite(vmaLockB) });
  thread.step({ text: "i_mmap_lock_write(mapping)", ...downWrite(mapping) });
  const zap = thread.step({
    text: "__unmap_hugepage_range(B)",
    alternatives: [
      { guard: gt(table.refs, 1), effect: [assign(pudB, 0), assign(table.refs, 1)], note: "still shared: unshares" },
      { guard: eq(table.refs, 1), note: "last user: zaps the entries" },
    ],
  });
  thread.step({ text: "i_mmap_unlock_write(mapping)", ...upWrite(mapping) });
  thread.step({ text: "hugetlb_vma_unlock_write(vma of B)", ...upWrite(vmaLockB) });
  thread.step({
    text: "free_pgtables(B): pmd_free_tlb()",
    alternatives: [
      { guard: eq(pudB, 1), effect: [assign(pudB, 0), assign(table.refs, 0), assign(table.ptlFreed, 1)], note: "ptlock_free()" },
      { guard: eq(pudB, 0), to: "unlock", note: "nothing of P is left in B" },
    ],
  });
  thread.step({ text: "tlb_remove_table(P)", alternatives: removal(on, freeing) });
  thread.label("unlock");
  thread.step({ text: "mmap_read_unlock(B)", ...upRead(mmapLockB) });
  model.reach(thread, zap, "B unmaps");
  if (freeing.page === "rcu") addGracePeriodOfWalkers(on);
}

/** A CPU with interrupts off holds back a grace period like a reader. */
function addGracePeriodOfWalkers({ model, table, readers, irqsOff }: HugetlbTable): void {
  const daemon = model.thread("RCU", "daemon");
  daemon.step({
    text: `a grace period ends: ${table.name} is freed`,
    ...together(endGracePeriod(table, readers), { alternatives: [{ guard: isQuiescent(irqsOff) }] }),
  });
}
