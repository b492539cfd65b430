// SPDX-License-Identifier: GPL-2.0-only
import type { StepPart } from "../../simulator/build.ts";
import { assign } from "../../simulator/effect.ts";
import { eq, gt } from "../../simulator/expression.ts";
import { isQuiescent } from "../../simulator/objects/rcu.ts";
import { downWrite, tryDownWrite, upWrite } from "../../simulator/objects/rwsem.ts";
import type { HugetlbTable } from "./hugetlb-table.ts";

const goingTo = (to: string, part: StepPart): StepPart => ({ ...part, alternatives: part.alternatives.map((one) => ({ ...one, to })) });

/** What makes a lockless walk of A's tables end before the locks are dropped. */
export interface Flushing {
  /** The TLB flush waits for CPUs that walk A with interrupts off. */
  readonly flushWaits: boolean;
  /** `tlb_remove_table_sync_one()`; `fix` where it is the fix that the scenario is about. */
  readonly sync: "none" | "waits" | "fix";
}

/**
 * Punches a hole, or truncates: `hugetlb_unmap_file_page()` (fs/hugetlbfs/inode.c:464-522, 6.1.192): i_mmap_rwsem, then the
 * VMA's lock by trylock; where that is busy, both again in order. `unmap_hugepage_range()` unshares the table and flushes
 * before i_mmap_rwsem is dropped.
 */
export function addHolePunch({ model, mapping, vmaLockA, pudA, table, irqsOff }: HugetlbTable, { flushWaits, sync }: Flushing): void {
  const thread = model.thread("hole punch of the file", "environment");
  thread.step({ text: "i_mmap_lock_write(mapping)", ...downWrite(mapping) });
  thread.step({ text: "hugetlb_vma_trylock_write(vma of A)", ...tryDownWrite(vmaLockA, "in order") });
  thread.label("unmap");
  const unshare = thread.step({
    text: "huge_pmd_unshare(A): pud_clear()",
    alternatives: [
      { guard: gt(table.refs, 1), effect: [assign(pudA, 0), assign(table.refs, 1)], note: "B is the only user left" },
      { guard: eq(table.refs, 1), to: "unlock", note: "not shared" },
    ],
  });
  thread.step({ text: "tlb_flush_mmu_tlbonly()", ...(flushWaits ? { guard: isQuiescent(irqsOff), note: "interrupts the CPUs that run A" } : {}) });
  if (sync !== "none") thread.step({
    text: "tlb_remove_table_sync_one()",
    guard: isQuiescent(irqsOff),
    note: "interrupts all CPUs",
    ...(sync === "fix" ? { isFix: true } : {}),
  });
  thread.label("unlock");
  thread.step({ text: "hugetlb_vma_unlock_write(vma of A)", ...upWrite(vmaLockA) });
  thread.step({ text: "i_mmap_unlock_write(mapping)", ...goingTo("END", upWrite(mapping)) });
  thread.label("in order");
  thread.step({ text: "i_mmap_unlock_write(mapping)", ...upWrite(mapping) });
  thread.step({ text: "hugetlb_vma_lock_write(vma of A)", ...downWrite(vmaLockA) });
  thread.step({ text: "i_mmap_lock_write(mapping)", ...goingTo("unmap", downWrite(mapping)) });
  model.reach(thread, unshare, "the hole is punched");
}
