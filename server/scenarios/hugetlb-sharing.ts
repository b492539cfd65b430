// SPDX-License-Identifier: GPL-2.0-only
import type { ArchitectureRow } from "../kernel/architecture.ts";
import type { Release } from "../kernel/release.ts";
import type { ModelBuilder, StepPart, ThreadBuilder } from "../simulator/build.ts";
import { assign } from "../simulator/effect.ts";
import { and, eq, gt, type Field } from "../simulator/expression.ts";
import { pageTable, type PageTable } from "../simulator/objects/page-table.ts";
import { downWrite, rwsem, tryDownWrite, upWrite, type Rwsem } from "../simulator/objects/rwsem.ts";
import { rcuReaders } from "../simulator/objects/rcu.ts";
import type { HugetlbTable } from "./environment/hugetlb-table.ts";
import { tableFreeing } from "./environment/table-freeing.ts";

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
  /** Whoever unshares waits for the walker's CPU while its interrupts are off: the flush, or what follows it, interrupts it. */
  readonly unsharingWaits: boolean;
  /** A TLB flush waits for nobody. */
  readonly broadcastsFlush: boolean;
  /** What is not verified about how tables go away here; "" where everything is. */
  readonly unverified: string;
}

/** The points of the axis that an architecture row stands for. */
export function freeingAxes(row: ArchitectureRow, walksCurrentMm: boolean, release: Release): FreeingAxis[] {
  const { flushInterrupts, unshareSyncs } = tableFreeing(row, release);
  const holds = (what: boolean): boolean => what && (!row.irqOffProtects.onlyCurrentMm || walksCurrentMm);
  const point = (page: "now" | "rcu", condition: string): FreeingAxis => ({
    phrase: condition === "" ? row.phrase : `${row.phrase}, ${condition}`,
    isDefault: row.isDefault && condition === "",
    page,
    irqHoldsPage: holds(row.irqOffProtects.deref),
    irqHoldsLock: holds(row.irqOffProtects.ptl),
    unsharingWaits: (flushInterrupts && walksCurrentMm) || unshareSyncs,
    broadcastsFlush: row.broadcastsFlush,
    unverified: row.certainty === "plausible" ? `how ${row.phrase} frees page tables at this release is not verified (${row.source})` : "",
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
  /** Locks of the same classes that belong to something else. */
  readonly others: Readonly<Record<"mmap_lock" | "hugetlb_vma_lock" | "i_mmap_rwsem", Rwsem>>;
  readonly table: PageTable;
  readonly pudA: Field;
  readonly pudB: Field;
  readonly readers: Field;
  readonly irqsOff: Field;
  /** Whether huge_pmd_share() still takes B's VMA for one to share with; null where nobody asks. */
  readonly offeredByB: Field | null;
}

/** The same objects for threads of the environment that know less of them. */
export const asHugetlbTable = (model: ModelBuilder, { locks, table, pudA, pudB, readers, irqsOff }: SharedTable): HugetlbTable => ({
  model, mapping: locks.i_mmap_rwsem, vmaLockA: locks.hugetlb_vma_lock, table, pudA, pudB, readers, irqsOff,
});

/** Who has the table at first: where only one of them has, a fault of the other would share it. */
export type Users = "both" | "only A" | "only B";

export function sharedTable(model: ModelBuilder, users: Users = "both"): SharedTable {
  const names = { labels: { 0: "none", 1: "P" } };
  return {
    locks: {
      mmap_lock: rwsem(model, "mmap_lock(A)"),
      hugetlb_vma_lock: rwsem(model, "hugetlb vma lock(A)"),
      i_mmap_rwsem: rwsem(model, "i_mmap_rwsem"),
    },
    others: {
      mmap_lock: rwsem(model, "another mmap_lock"),
      hugetlb_vma_lock: rwsem(model, "another hugetlb vma lock"),
      i_mmap_rwsem: rwsem(model, "another i_mmap_rwsem"),
    },
    table: pageTable(model, "PMD table P", users === "both" ? 2 : 1),
    pudA: model.field("pud(A)", users === "only B" ? 0 : 1, names),
    pudB: model.field("pud(B)", users === "only A" ? 0 : 1, names),
    readers: rcuReaders(model),
    irqsOff: rcuReaders(model, "irqs off"),
    offeredByB: users !== "only B" ? null : model.field("B's VMA", 1, { labels: { 0: "torn down", 1: "can share" } }),
  };
}

/**
 * Punches a hole that a page of A's range lies in, as hugetlb_unmap_file_page() does (fs/hugetlbfs/inode.c:464-522,
 * 6.1.192): i_mmap_rwsem first, the VMA's lock by trylock only; where that is busy, i_mmap_rwsem is dropped and both are
 * taken in order. Before 6.1 there is i_mmap_rwsem alone. unmap_hugepage_range() unshares a table that is shared.
 */
export function unsharer(model: ModelBuilder, objects: SharedTable, hasVmaLock: boolean): { thread: ThreadBuilder; clear: number } {
  const { locks, pudA, table } = objects;
  const thread = model.thread("hole punch of the file", "environment");
  thread.step({ text: "i_mmap_lock_write(mapping)", ...downWrite(locks.i_mmap_rwsem) });
  if (hasVmaLock) thread.step({ text: "hugetlb_vma_trylock_write(A)", ...tryDownWrite(locks.hugetlb_vma_lock, "in order") });
  thread.label("unmap");
  const clear = thread.step({
    text: "huge_pmd_unshare(A)",
    alternatives: [
      { guard: gt(table.refs, 1), effect: [assign(pudA, 0), assign(table.refs, 1)], note: "one user is left" },
      { guard: eq(table.refs, 1), note: "not shared" },
    ],
  });
  if (hasVmaLock) thread.step({ text: "hugetlb_vma_unlock_write(A)", ...upWrite(locks.hugetlb_vma_lock) });
  thread.step({ text: "i_mmap_unlock_write(mapping)", ...goingTo("END", upWrite(locks.i_mmap_rwsem)) });
  if (hasVmaLock) {
    thread.label("in order");
    thread.step({ text: "i_mmap_unlock_write(mapping)", ...upWrite(locks.i_mmap_rwsem) });
    thread.step({ text: "hugetlb_vma_lock_write(A)", ...downWrite(locks.hugetlb_vma_lock) });
    thread.step({ text: "i_mmap_lock_write(mapping)", ...goingTo("unmap", downWrite(locks.i_mmap_rwsem)) });
  }
  return { thread, clear };
}

const goingTo = (to: string, part: StepPart): StepPart => ({ ...part, alternatives: part.alternatives.map((one) => ({ ...one, to })) });

/**
 * The other process unmaps: __unmap_hugepage_range() unshares a table that still has another user, and
 * zaps the entries of one that it alone has left, both with i_mmap_rwsem held for writing (and its own vma lock), and with
 * the last of them the VMA stops being one to share with; free_pgtables() then frees what its page directory still points to
 * (mm/hugetlb.c:5358-5445, mm/memory.c, 6.1.192).
 */
export function unmapper(model: ModelBuilder, objects: SharedTable, axis: FreeingAxis, hasVmaLock: boolean): void {
  const { locks, pudB, table, irqsOff, offeredByB } = objects;
  const thread = model.thread("munmap() in process B", "environment");
  const vmaLock = rwsem(model, "hugetlb vma lock(B)");
  if (hasVmaLock) thread.step({ text: "hugetlb_vma_lock_write(B)", ...downWrite(vmaLock) });
  thread.step({ text: "i_mmap_lock_write(mapping)", ...downWrite(locks.i_mmap_rwsem) });
  thread.step({
    text: "__unmap_hugepage_range(B)",
    alternatives: [
      { guard: gt(table.refs, 1), effect: [assign(pudB, 0), assign(table.refs, 1)], note: "still shared: unshares" },
      { guard: eq(table.refs, 1), ...(offeredByB ? { effect: [assign(offeredByB, 0)] } : {}), note: "last user: zaps the entries" },
    ],
  });
  thread.step({ text: "i_mmap_unlock_write(mapping)", ...upWrite(locks.i_mmap_rwsem) });
  if (hasVmaLock) thread.step({ text: "hugetlb_vma_unlock_write(B)", ...upWrite(vmaLock) });
  const waits = [...(axis.irqHoldsPage && axis.page === "now" ? [eq(irqsOff, 0)] : []), ...(axis.irqHoldsLock ? [eq(irqsOff, 0)] : [])];
  thread.step({
    text: "free_pgtables(B)",
    alternatives: [
      {
        guard: and(eq(pudB, 1), ...waits),
        effect: [assign(pudB, 0), assign(table.refs, 0), assign(table.ptlFreed, 1), axis.page === "now" ? assign(table.freed, 1) : assign(table.queued, 1)],
        note: axis.page === "now" ? "table and lock are freed" : "the lock is freed, the table waits for a grace period",
      },
      { guard: eq(pudB, 0), note: "nothing of P is left in B" },
    ],
  });
}

export function gracePeriod(model: ModelBuilder, objects: SharedTable): void {
  const thread = model.thread("RCU", "daemon");
  thread.step({
    text: "a grace period ends: the table is freed",
    alternatives: [{ guard: and(eq(objects.table.queued, 1), eq(objects.readers, 0), eq(objects.irqsOff, 0)), effect: [assign(objects.table.freed, 1)] }],
  });
}
