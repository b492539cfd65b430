// SPDX-License-Identifier: GPL-2.0-only
import type { LockClass } from "./effect.ts";

/** A documented nesting: each class is taken while the one before it is held. */
interface LockChain {
  readonly outerFirst: readonly LockClass[];
  readonly source: string;
}

/**
 * The two main chains disagree about the folio lock on purpose: for hugetlb folios it is the innermost sleeping lock,
 * for all others it is taken before `i_mmap_rwsem`. `nestsInside()` answers only where no chain says the opposite.
 */
const CHAINS: readonly LockChain[] = [
  {
    outerFirst: ["mmap_lock", "folio_lock", "vma_lock", "i_mmap_rwsem", "anon_vma", "ptl"],
    source: "mm/rmap.c, lock order at the top (vma_lock: vma_start_write())",
  },
  {
    outerFirst: ["mmap_lock", "hugetlb_fault_mutex", "hugetlb_vma_lock", "i_mmap_rwsem", "folio_lock", "ptl"],
    source: "mm/rmap.c, order for hugetlb folios",
  },
  {
    outerFirst: ["mmap_lock", "vma_lock", "hugetlb_fault_mutex", "hugetlb_vma_lock"],
    source: "7c43a553792a, hugetlb faults under the VMA lock",
  },
  { outerFirst: ["vma_lock", "folio_lock", "ptl"], source: "mm/memory.c, faults under the VMA lock" },
];

const pairKey = (outer: LockClass, inner: LockClass): string => `${outer}>${inner}`;

const DOCUMENTED: ReadonlySet<string> = new Set(
  CHAINS.flatMap(({ outerFirst }) =>
    outerFirst.flatMap((outer, at) => outerFirst.slice(at + 1).map((inner) => pairKey(outer, inner))),
  ),
);

/** True where it is documented that `inner` is taken while `outer` is held, and never the other way round. */
export const nestsInside = (inner: LockClass, outer: LockClass): boolean =>
  DOCUMENTED.has(pairKey(outer, inner)) && !DOCUMENTED.has(pairKey(inner, outer));

const FIELDS = {
  mmap_lock: "mmap_lock",
  mmap_sem: "mmap_lock",
  vm_lock: "vma_lock",
  hugetlb_fault_mutex_table: "hugetlb_fault_mutex",
  rw_sema: "hugetlb_vma_lock",
  i_mmap_rwsem: "i_mmap_rwsem",
  i_mmap_mutex: "i_mmap_rwsem",
  rwsem: "anon_vma",
  page_table_lock: "ptl",
  ptl: "ptl",
} satisfies Record<string, LockClass>;

/**
 * Field (or table) name to the class of the lock that lives there: resolves the generic calls, for example
 * `down_read(&mm->mmap_sem)` or `mutex_lock(&hugetlb_fault_mutex_table[hash])`. `rwsem` is the field of
 * `struct anon_vma`; other structures in mm/ do not use that name for a lock that a caller takes directly.
 * Without a prototype: field names come from the patch, and `constructor` is a possible one.
 */
export const LOCK_FIELDS: Readonly<Record<string, LockClass>> = Object.assign(Object.create(null), FIELDS);

const SPINNING: ReadonlySet<LockClass> = new Set<LockClass>(["ptl", "spinlock"]);

/** True for locks that spin: whoever holds one is in atomic context, however it was taken. */
export const spins = (lock: LockClass): boolean => SPINNING.has(lock);
