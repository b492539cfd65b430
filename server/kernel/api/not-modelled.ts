// SPDX-License-Identifier: GPL-2.0-only

/** Functions of the knowledge tables that have no fact on purpose, and why. Name -> reason. */
export const NOT_MODELLED: Readonly<Record<string, string>> = {
  vma_end_write_all: "locks for writing go away with mmap_write_unlock() as a whole; no code but that calls it",
  srcu_read_lock: "a section in which sleeping is allowed; no rule asks for what it protects",
  srcu_read_unlock: "ends a section that no rule asks for",
  list_add: "a call does not tell which lists own what stands on them",
  lru_cache_add: "takes and drops a reference of its own; the caller's stays where it was (mm/swap.c, 6.1.192)",
  ClearPageLRU: "a flag of the page; the reference comes with isolate_lru_page()",
  enqueue_huge_page: "asserts hugetlb_lock, a global spin lock that no lock class stands for",
  page_needs_cow_for_dma: "asserts that write_protect_seq is odd, which no lock class stands for",
  tlb_unshare_pmd_ptdesc: "newer than the releases that were read",
  bio_iov_add_page: "static to block/bio.c in all releases that were read; bio_add_page() has the fact",
};
