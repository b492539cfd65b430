// SPDX-License-Identifier: GPL-2.0-only
import { modelBuilder, type ModelBuilder, type StepPart } from "../../../simulator/build.ts";
import { assign } from "../../../simulator/effect.ts";
import { eq, type Field } from "../../../simulator/expression.ts";
import { pageTable, putTable, type PageTable } from "../../../simulator/objects/page-table.ts";
import { rcuReaders, rcuReadLock, type Readers } from "../../../simulator/objects/rcu.ts";
import { spinLock, spinlock, spinUnlock, type Spinlock } from "../../../simulator/objects/spinlock.ts";
import { addGracePeriod } from "../../environment/grace-period.ts";

/*
 * A page table that someone takes away with the mmap lock held for reading or not at all: khugepaged for file mappings
 * (retract_page_tables(), 6.6), or the reclaim of empty tables (mm/pt_reclaim.c, 6.14).
 */

export interface TableWithOwner {
  readonly model: ModelBuilder;
  readonly table: PageTable;
  /** 1 while the PMD points to the table. */
  readonly pmd: Field;
  readonly pmdLock: Spinlock;
  readonly ptl: Spinlock;
  readonly readers: Readers;
}

export function tableWithOwner(name: string): TableWithOwner {
  const model = modelBuilder(name);
  return {
    model,
    table: pageTable(model, "the PTE table", 1),
    pmd: model.field("pmd", 1, { labels: { 0: "none", 1: "table" } }),
    pmdLock: spinlock(model, "pmd lock"),
    ptl: spinlock(model, "page-table lock"),
    readers: rcuReaders(model),
  };
}

/** `pte_offset_map()` from 6.6 on: enters RCU, NULL where the table is gone. */
export const mapTable = ({ pmd, readers }: TableWithOwner, gone: string): StepPart => ({
  alternatives: [
    { guard: eq(pmd, 1), effect: rcuReadLock(readers).alternatives[0]!.effect! },
    { guard: eq(pmd, 0), to: gone, note: "NULL: the table is gone" },
  ],
  acquires: [{ lock: readers, name: readers.name }],
});

/** Takes the table away under both locks and frees it after a grace period. */
export function addRemover({ model, table, pmd, pmdLock, ptl, readers }: TableWithOwner, name: string, clear: string): void {
  const thread = model.thread(name, "environment");
  thread.step({ text: "pml = pmd_lock(mm, pmd)", ...spinLock(pmdLock) });
  thread.step({ text: "spin_lock_nested(ptl)", ...spinLock(ptl) });
  const removed = thread.step({ text: clear, effect: [assign(pmd, 0)] });
  thread.step({ text: "spin_unlock(ptl)", ...spinUnlock(ptl) });
  thread.step({ text: "spin_unlock(pml)", ...spinUnlock(pmdLock) });
  thread.step({ text: "pte_free_defer(mm, pgtable)", ...putTable(table, { page: "rcu", lock: "rcu" }) });
  model.reach(thread, removed, "the table is taken away");
  addGracePeriod(model, table, readers);
}
