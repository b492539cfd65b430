// SPDX-License-Identifier: GPL-2.0-only
import type { ApiFact } from "../effect.ts";
import { facts, maySleep } from "./make.ts";

const sleepers = (source: string, names: string): ApiFact[] => facts(names, source, [maySleep]);

/** Calls behind which a user access does not fault, and so does not sleep, until page faults are enabled again. */
export const PAGE_FAULTS_OFF: ReadonlySet<string> = new Set(["pagefault_disable", "kmap_atomic"]);

/** Calls that may sleep whatever their arguments are. Sleeping locks, notifiers and GUP have their own tables. */
export const sleepFacts: readonly ApiFact[] = [
  ...sleepers(
    "include/linux/kernel.h, include/linux/sched.h (6.1.192)",
    "might_sleep",
  ),
  ...facts(
    "wait_event wait_event_interruptible wait_event_killable wait_event_timeout wait_for_completion " +
      "wait_for_completion_interruptible wait_for_completion_killable wait_for_completion_timeout",
    "include/linux/wait.h, include/linux/completion.h (6.1.192)",
    [maySleep, { kind: "waitsForOthers" }],
  ),
  ...sleepers(
    "kernel/rcu, kernel/workqueue.c (6.1.192)",
    "synchronize_rcu synchronize_rcu_expedited synchronize_srcu rcu_barrier flush_work flush_workqueue " +
      "cancel_work_sync stop_machine",
  ),
  ...sleepers(
    "mm/filemap.c (6.1.192)",
    "wait_on_page_bit wait_on_page_locked wait_on_page_writeback folio_wait_bit folio_wait_locked folio_wait_writeback " +
      "folio_wait_stable",
  ),
  ...sleepers(
    "mm/swap.c (6.1.192)",
    "lru_add_drain_all lru_cache_disable",
  ),
  ...sleepers(
    "mm/vmalloc.c (6.1.192): GFP_KERNEL",
    "vmalloc vzalloc vmap vfree vunmap",
  ),
  ...sleepers(
    "include/linux/highmem.h (6.1.192): GFP_HIGHUSER_MOVABLE",
    "alloc_zeroed_user_highpage_movable vma_alloc_zeroed_movable_folio",
  ),
  ...sleepers(
    "mm/rmap.c, kernel/fork.c (6.1.192)",
    "anon_vma_prepare __anon_vma_prepare anon_vma_fork anon_vma_clone anon_vma_free unlink_anon_vmas vm_area_alloc " +
      "vm_area_dup",
  ),
  ...sleepers(
    "mm/hugetlb.c (6.1.192)",
    "alloc_huge_page alloc_huge_page_vma alloc_hugetlb_folio alloc_hugetlb_folio_vma",
  ),
  ...facts(
    "copy_to_user __copy_to_user get_user put_user __get_user __put_user clear_user " +
      "strncpy_from_user strnlen_user might_fault",
    "include/linux/uaccess.h, mm/memory.c, __might_fault() (6.1.192)",
    [{ kind: "maySleep", onlyIf: "page-faults" }],
  ),
  ...sleepers("mm/memory.c (6.1.192): cond_resched()", "copy_user_huge_page copy_user_large_folio clear_huge_page"),
  ...sleepers(
    "mm/memory.c:6026 (6.1.192): cond_resched() with either flag",
    "copy_huge_page_from_user copy_folio_from_user",
  ),
  ...sleepers(
    "mm/gup.c, mm/memory.c (6.1.192)",
    "fault_in_readable fault_in_writeable fault_in_safe_writeable mm_populate __mm_populate",
  ),
  ...sleepers(
    "mm/page_io.c, mm/swap_state.c (6.1.192)",
    "read_swap_cache_async swapin_readahead swap_cluster_readahead " +
      "swapin_folio",
  ),
  ...sleepers(
    "mm/memory.c (6.1.192)",
    "zap_page_range zap_page_range_single zap_vma_ptes zap_vma_pages unmap_vmas unmap_mapping_range " +
      "unmap_mapping_pages free_pgtables free_pgd_range apply_to_page_range remap_pfn_range vm_insert_page",
  ),
  ...sleepers(
    "mm/migrate.c (6.1.192)",
    "migrate_pages migrate_vma_setup migrate_vma_pages migrate_vma_finalize",
  ),
  ...sleepers(
    "mm/huge_memory.c (6.1.192): anon_vma lock, notifiers",
    "split_huge_pmd split_huge_pmd_address split_huge_pud __split_huge_pud do_huge_pmd_wp_page " +
      "do_huge_pmd_anonymous_page",
  ),
  ...sleepers(
    "mm/rmap.c (6.1.192): notifiers and locks",
    "try_to_unmap try_to_migrate folio_referenced page_referenced remove_migration_ptes",
  ),
  ...sleepers(
    "mm/mmu_gather.c:64 (6.1.192): cond_resched() when batches are flushed",
    "tlb_remove_page tlb_remove_page_size",
  ),
  ...sleepers(
    "mm/ (6.1.192)",
    "do_munmap __do_munmap do_vmi_munmap vm_munmap vm_mmap do_mmap mmap_region exit_mmap split_vma __split_vma " +
      "vma_merge vma_expand copy_vma move_page_tables move_vma",
  ),
  ...sleepers(
    "mm/truncate.c, mm/page-writeback.c (6.1.192)",
    "invalidate_mapping_pages invalidate_inode_pages2 invalidate_inode_pages2_range truncate_inode_pages " +
      "truncate_inode_pages_range truncate_pagecache truncate_setsize filemap_write_and_wait " +
      "filemap_fdatawait",
  ),
  ...sleepers(
    "mm/khugepaged.c, mm/ksm.c, mm/mlock.c (6.1.192)",
    "hpage_collapse_scan_pmd hpage_collapse_scan_file ksm_madvise mlock_vma_pages_range munlock_vma_pages_range",
  ),
  ...sleepers(
    "mm/userfaultfd.c, mm/mmap.c, mm/hugetlb.c (6.1.192)",
    "move_pages vma_adjust __vma_adjust vmi_split_vma __vmi_split_vma unmap_region " +
      "hugetlb_unshare_all_pmds move_hugetlb_page_tables unmap_ref_private filemap_fdatawait_range",
  ),
  ...sleepers(
    "drivers/infiniband/core/umem.c, fs/ (6.1.192)",
    "kernel_read kernel_write vfs_fsync kthread_stop call_usermodehelper request_module",
  ),
];
