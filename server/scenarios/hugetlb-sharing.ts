// SPDX-License-Identifier: GPL-2.0-only
import type { ArchitectureRow } from "../kernel/architecture.ts";
import type { ModelBuilder, ThreadBuilder } from "../simulator/build.ts";
import { assign } from "../simulator/effect.ts";
import { and, eq, gt, type Field } from "../simulator/expression.ts";
import type { Alternative } from "../simulator/model.ts";
import { pageTable, type PageTable } from "../simulator/objects/page-table.ts";
import { downWrite, rwsem, upWrite, type Rwsem } from "../simulator/objects/rwsem.ts";
import { rcuReaders } from "../simulator/objects/rcu.ts";

/*
 * Two processes that share a PMD table of hugetlb, and what can happen to the table behind a walker's back.
 */

/** How tables go away at one point of the architecture axis. */
export interface FreeingAxis {
  /** Phrase for messages, for example "x86_64, PARAVIRT=y, bare metal". */
  readonly phrase: string;
  /** True where the default target needs nothing special to be here. */
  readonly isDefault: boolean;
  readonly page: "now" | "rcu";
  /** Interrupts that are off hold back the freeing of the page, of the lock. */
  readonly irqHoldsPage: boolean;
  readonly irqHoldsLock: boolean;
}

/** The points of the axis that an architecture row stands for. */
export function freeingAxes(row: ArchitectureRow, walksCurrentMm: boolean): FreeingAxis[] {
  const holds = (what: boolean): boolean => what && (!row.irqOffProtects.onlyCurrentMm || walksCurrentMm);
  const point = (page: "now" | "rcu", condition: string): FreeingAxis => ({
    phrase: condition === "" ? row.phrase : `${row.phrase}, ${condition}`,
    isDefault: row.isDefault && condition === "",
    page,
    irqHoldsPage: holds(row.irqOffProtects.deref),
    irqHoldsLock: holds(row.irqOffProtects.ptl),
  });
  switch (row.rcuProtectsDeref) {
    case "yes":
      return [point("rcu", "")];
    case "no":
      return [point("now", "")];
    case "unless-batch-page-fails":
      return [point("rcu", ""), point("now", "tlb_remove_table() cannot allocate its batch page")];
  }
}

export interface SharedTable {
  readonly locks: Readonly<Record<"mmap_lock" | "hugetlb_vma_lock" | "i_mmap_rwsem", Rwsem>>;
  readonly others: Readonly<Record<"mmap_lock" | "hugetlb_vma_lock", Rwsem>>;
  readonly table: PageTable;
  readonly pudA: Field;
  readonly pudB: Field;
  readonly readers: Field;
  readonly irqsOff: Field;
}

export function sharedTable(model: ModelBuilder): SharedTable {
  const names = { labels: { 0: "none", 1: "P" } };
  return {
    locks: {
      mmap_lock: rwsem(model, "mmap_lock(A)"),
      hugetlb_vma_lock: rwsem(model, "hugetlb vma lock(A)"),
      i_mmap_rwsem: rwsem(model, "i_mmap_rwsem"),
    },
    others: { mmap_lock: rwsem(model, "another mmap_lock"), hugetlb_vma_lock: rwsem(model, "another hugetlb vma lock") },
    table: pageTable(model, "PMD table P", 2),
    pudA: model.field("pud(A)", 1, names),
    pudB: model.field("pud(B)", 1, names),
    readers: rcuReaders(model),
    irqsOff: rcuReaders(model, "irqs off"),
  };
}

/** Drops the reference that the upper entry of one process held. */
function putReference(objects: SharedTable, axis: FreeingAxis): Alternative[] {
  const { table, irqsOff } = objects;
  const waits = [...(axis.irqHoldsPage && axis.page === "now" ? [eq(irqsOff, 0)] : []), ...(axis.irqHoldsLock ? [eq(irqsOff, 0)] : [])];
  return [
    { guard: gt(table.refs, 1), effect: [assign(table.refs, 1)], note: "one user is left" },
    {
      guard: and(eq(table.refs, 1), ...waits),
      effect: [assign(table.refs, 0), assign(table.ptlFreed, 1), axis.page === "now" ? assign(table.freed, 1) : assign(table.queued, 1)],
      note: axis.page === "now" ? "last user: table and lock are freed" : "last user: lock is freed, table waits for a grace period",
    },
  ];
}

export function unsharer(model: ModelBuilder, objects: SharedTable, axis: FreeingAxis): { thread: ThreadBuilder; clear: number } {
  const { locks, pudA } = objects;
  const thread = model.thread("hole punch of the file", "environment");
  thread.step({ text: "hugetlb_vma_lock_write(A)", ...downWrite(locks.hugetlb_vma_lock) });
  thread.step({ text: "i_mmap_lock_write(mapping)", ...downWrite(locks.i_mmap_rwsem) });
  const clear = thread.step({
    text: "huge_pmd_unshare(A): pud_clear()",
    alternatives: [{ guard: gt(objects.table.refs, 1), effect: [assign(pudA, 0)] }, { guard: eq(objects.table.refs, 1), to: "unlock", note: "not shared" }],
  });
  thread.step({ text: "drops A's reference to the table", alternatives: putReference(objects, axis) });
  thread.label("unlock");
  thread.step({ text: "i_mmap_unlock_write(mapping)", ...upWrite(locks.i_mmap_rwsem) });
  thread.step({ text: "hugetlb_vma_unlock_write(A)", ...upWrite(locks.hugetlb_vma_lock) });
  return { thread, clear };
}

/** The other process goes away: it needs i_mmap_rwsem while it zaps, and frees its page tables after that. */
export function unmapper(model: ModelBuilder, objects: SharedTable, axis: FreeingAxis): void {
  const { locks, pudB } = objects;
  const thread = model.thread("munmap() in process B", "environment");
  thread.step({ text: "i_mmap_lock_write(mapping)", ...downWrite(locks.i_mmap_rwsem) });
  thread.step({ text: "__unmap_hugepage_range(B)" });
  thread.step({ text: "i_mmap_unlock_write(mapping)", ...upWrite(locks.i_mmap_rwsem) });
  thread.step({
    text: "free_pgtables(B)",
    alternatives: putReference(objects, axis).map((one) => ({ ...one, effect: [assign(pudB, 0), ...(one.effect ?? [])] })),
  });
}

export function gracePeriod(model: ModelBuilder, objects: SharedTable): void {
  const thread = model.thread("RCU", "daemon");
  thread.step({
    text: "a grace period ends: the table is freed",
    alternatives: [{ guard: and(eq(objects.table.queued, 1), eq(objects.readers, 0), eq(objects.irqsOff, 0)), effect: [assign(objects.table.freed, 1)] }],
  });
}
