// SPDX-License-Identifier: GPL-2.0-only
import type { ModelBuilder, StepPart } from "../build.ts";
import { assign, decrement } from "../effect.ts";
import { and, eq, gt } from "../expression.ts";
import type { Field } from "../expression.ts";
import type { Check } from "../model.ts";
import { isQuiescent } from "./rcu.ts";
import type { Readers } from "./rcu.ts";

/**
 * A page table page that several processes share, as hugetlb's PMD sharing does: `huge_pmd_share()` and
 * `huge_pmd_unshare()` in `mm/hugetlb.c`; freeing: `tlb_remove_table()` in `mm/mmu_gather.c`, `pagetable_dtor()` and
 * `ptlock_free()` in `include/linux/mm.h`.
 */
export interface PageTable {
  readonly name: string;
  /** Upper entries that point here. */
  readonly refs: Field;
  readonly freed: Field;
  /** The split page table lock lives apart from the page and may be freed earlier. */
  readonly ptlFreed: Field;
  /** Waiting for a grace period to be freed. */
  readonly queued: Field;
}

const LIFE = { 0: "live", 1: "freed" };

export const pageTable = (model: ModelBuilder, name: string, refs: number): PageTable => ({
  name,
  refs: model.field(`${name}.refs`, refs),
  freed: model.field(name, 0, { labels: LIFE }),
  ptlFreed: model.field(`${name}.ptl`, 0, { labels: LIFE }),
  queued: model.field(`${name}.queued for RCU`, 0, { labels: { 0: "no", 1: "yes" } }),
});

/** The check of everything that reads or writes an entry in the table. */
export const tableLives = ({ name, freed }: PageTable): Check => ({
  holds: eq(freed, 0),
  property: "uaf",
  message: `an entry of ${name} is used after the table page was freed`,
});

/** The check of everything that takes the table's lock, for example `huge_pte_lock()`. */
export const tableLockLives = ({ name, ptlFreed }: PageTable): Check => ({
  holds: eq(ptlFreed, 0),
  property: "uaf",
  message: `the lock of ${name} is used after it was freed`,
});

/** A dereference of a pointer into the table. */
export const dereference = (table: PageTable): StepPart => ({ alternatives: [{ checks: [tableLives(table)] }] });

/** How the page and its lock go away with the last reference: at once, or after a grace period. */
export interface FreePolicy {
  readonly page: "now" | "rcu";
  readonly lock: "now" | "rcu";
}

const lastPut = ({ refs, freed, ptlFreed, queued }: PageTable, { page, lock }: FreePolicy) => [
  assign(refs, 0),
  ...(page === "now" ? [assign(freed, 1)] : []),
  ...(lock === "now" ? [assign(ptlFreed, 1)] : []),
  ...(page === "rcu" || lock === "rcu" ? [assign(queued, 1)] : []),
];

/** The check of every put: as for any page, `VM_BUG_ON_PAGE(page_ref_count(page) == 0)` in `put_page_testzero()`. */
const freedOnce = ({ name, refs }: PageTable): Check => ({
  holds: gt(refs, 0),
  property: "double-free",
  message: `a reference to ${name} is put that nobody took: the table is freed twice`,
});

/** Gives up one reference; the last one frees. */
export const putTable = (table: PageTable, policy: FreePolicy): StepPart => ({
  alternatives: [
    { guard: gt(table.refs, 1), effect: [decrement(table.refs)] },
    { guard: eq(table.refs, 1), effect: lastPut(table, policy), note: "last reference" },
    { guard: eq(table.refs, 0), checks: [freedOnce(table)], note: "no reference is left" },
  ],
});

/** The grace period ends, for a daemon thread: what was queued is freed once no reader is inside. */
export const endGracePeriod = ({ queued, freed, ptlFreed }: PageTable, readers: Readers): StepPart => ({
  alternatives: [
    {
      guard: and(eq(queued, 1), isQuiescent(readers)),
      effect: [assign(queued, 0), assign(freed, 1), assign(ptlFreed, 1)],
    },
  ],
});
