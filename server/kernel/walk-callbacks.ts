// SPDX-License-Identifier: GPL-2.0-only
import type { LockClass, LockMode } from "./effect.ts";
import { atLeast, type Release } from "./release.ts";

/** A lock that a page walk holds, or asserts, over a callback; `of`: the field of struct mm_walk that it belongs to. */
export interface WalkLock {
  readonly lock: LockClass;
  readonly mode: LockMode | "any";
  readonly of: "mm" | "vma";
}

/**
 * Callbacks of struct mm_walk_ops that run between its pre_vma() and post_vma(), and whether the VMA is one of hugetlb;
 * null: of either kind. mm/pagewalk.c, __walk_page_range() (6.1.192, 6.12.117).
 */
const CALLBACKS: ReadonlyMap<string, boolean | null> = new Map([
  ["pgd_entry", false],
  ["p4d_entry", false],
  ["pud_entry", false],
  ["pmd_entry", false],
  ["pte_entry", false],
  ["pte_hole", null],
  ["hugetlb_entry", true],
]);

/** null where the field is no such callback. */
export function walkCallback(field: string): { readonly isHugetlb: boolean | null } | null {
  const isHugetlb = CALLBACKS.get(field);
  return isHugetlb === undefined ? null : { isHugetlb };
}

/** The condition that decides between hugetlb_entry() and the others, and with it what pre_vma() saw. */
export const HUGETLB_TEST = "is_vm_hugetlb_page";

/** Walks the tables of a file's mappings under i_mmap_rwsem, without mmap_lock: mm/pagewalk.c (6.12.117). */
export const WALK_OF_MAPPING = "walk_page_mapping";

/**
 * What is held over a callback. `walkLock` is what the table says (from 6.5 on; nothing means PGWALK_RDLOCK): mm/pagewalk.c,
 * process_mm_walk_lock() (6.12.117), mmap_assert_locked() before (6.1.192). walk_hugetlb_range() locks the VMA since 6.3.
 */
export function walkLocks(field: string, walkLock: string | null, release: Release): readonly WalkLock[] {
  const mode = walkLock?.startsWith("PGWALK_WRLOCK") === true ? "write" : "any";
  const locks: WalkLock[] = [{ lock: "mmap_lock", mode, of: "mm" }];
  if (field === "hugetlb_entry" && atLeast(release, "6.3")) locks.push({ lock: "hugetlb_vma_lock", mode: "read", of: "vma" });
  return locks;
}
