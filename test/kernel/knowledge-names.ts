// SPDX-License-Identifier: GPL-2.0-only

/** Where a name stands in the knowledge tables, and what its fact must say at least. */
export interface NamedSection {
  readonly section: string;
  readonly names: readonly string[];
}

const section = (title: string, ...names: readonly string[]): NamedSection => ({ section: title, names: names.flatMap((line) => line.split(" ")) });

/** Function names of the tables about notifiers, page tables, hugetlb and userfaultfd. */
export const NOTIFIER_NAMES: readonly NamedSection[] = [
  section(
    "error-returning set",
    "change_pte_range change_pmd_range change_pud_range change_p4d_range change_protection_range change_protection",
    "hugetlb_change_protection uffd_wp_range mwriteprotect_range mprotect_fixup change_prot_numa",
  ),
  section(
    "sleeping locks",
    "mmap_write_lock mmap_write_lock_nested mmap_write_unlock mmap_write_downgrade mmap_write_lock_killable mmap_write_trylock",
    "mmap_read_lock mmap_read_unlock mmap_read_unlock_non_owner mmap_read_lock_killable mmap_read_trylock",
    "vma_start_read lock_vma_under_rcu vma_end_read vma_start_write vma_end_write_all",
    "hugetlb_vma_lock_read hugetlb_vma_unlock_read hugetlb_vma_lock_write hugetlb_vma_unlock_write",
    "__hugetlb_vma_unlock_write_free hugetlb_vma_trylock_write",
    "i_mmap_lock_write i_mmap_unlock_write i_mmap_trylock_write i_mmap_lock_read i_mmap_unlock_read i_mmap_trylock_read",
    "hugetlb_page_mapping_lock_write rmap_walk_file rmap_walk_locked",
    "anon_vma_lock_write anon_vma_unlock_write anon_vma_trylock_write anon_vma_lock_read anon_vma_unlock_read",
    "anon_vma_trylock_read folio_lock_anon_vma_read page_lock_anon_vma_read page_unlock_anon_vma_read",
    "folio_lock lock_page __folio_lock folio_unlock unlock_page folio_trylock trylock_page folio_lock_killable",
    "lock_page_killable folio_lock_or_retry mutex_lock mutex_unlock down_read down_write up_read up_write",
    "down_read_trylock down_write_trylock mutex_trylock down_read_killable down_write_killable down_read_interruptible",
    "mutex_lock_killable mutex_lock_interruptible",
  ),
  section(
    "spinning and atomic contexts",
    "spin_lock spin_unlock spin_lock_nested spin_trylock pte_offset_map_lock pte_unmap_unlock pte_unmap pte_alloc_map_lock",
    "get_locked_pte __get_locked_pte follow_pte page_vma_mapped_walk page_vma_mapped_walk_done pte_offset_map_nolock",
    "pte_offset_map_ro_nolock pte_offset_map_rw_nolock pte_offset_map pmd_lock pmd_lockptr pmd_trans_huge_lock",
    "__pmd_trans_huge_lock pud_lock pud_trans_huge_lock huge_pte_lock huge_pte_lockptr double_pt_lock double_pt_unlock",
    "folio_lruvec_lock folio_lruvec_lock_irq folio_lruvec_lock_irqsave unlock_page_lruvec unlock_page_lruvec_irq",
    "unlock_page_lruvec_irqrestore xas_lock_irq xa_lock_irq xa_lock xas_unlock_irq xa_unlock_irq xa_unlock",
    "local_irq_save local_irq_disable local_irq_restore local_irq_enable spin_lock_irq spin_lock_irqsave spin_unlock_irq",
    "spin_unlock_irqrestore preempt_disable preempt_enable get_cpu put_cpu kmap_atomic kunmap_atomic local_lock local_unlock",
    "rcu_read_lock rcu_read_unlock srcu_read_lock srcu_read_unlock arch_enter_lazy_mmu_mode arch_leave_lazy_mmu_mode",
    "raw_write_seqcount_begin raw_write_seqcount_end mmu_notifier_invalidate_range_start",
    "mmu_notifier_invalidate_range_start_nonblock mmu_notifier_invalidate_range_end mmu_notifier_invalidate_range_only_end",
  ),
  section(
    "locks that a callee releases for its caller",
    "migration_entry_wait_on_locked __migration_entry_wait migration_entry_wait __migration_entry_wait_huge",
    "migration_entry_wait_huge hmm_vma_handle_pte do_swap_page do_wp_page finish_fault do_numa_page hugetlb_no_page",
    "hugetlb_handle_userfault",
  ),
  section(
    "functions that drop mmap_lock",
    "handle_mm_fault filemap_fault __folio_lock_or_retry lock_page_maybe_drop_mmap lock_folio_maybe_drop_mmap do_swap_page",
    "handle_userfault hugetlb_handle_userfault __get_user_pages follow_hugetlb_page faultin_page fixup_user_fault",
    "collapse_huge_page __collapse_huge_page_swapin madvise_willneed madvise_dontneed_free madvise_remove mcopy_atomic",
    "__mcopy_atomic_hugetlb expand_stack find_extend_vma __vm_munmap mmap_write_downgrade migrate_pages",
  ),
  section(
    "may sleep",
    "mmu_notifier_invalidate_range_start mmu_notifier_invalidate_range_end mmu_notifier_invalidate_range_only_end",
    "mmu_interval_notifier_insert mmu_interval_notifier_remove mmu_notifier_register wait_on_page_bit wait_on_page_locked",
    "wait_on_page_writeback folio_wait_locked folio_wait_writeback folio_wait_bit wait_event wait_event_interruptible schedule",
    "io_schedule msleep synchronize_rcu synchronize_srcu flush_work lru_add_drain_all stop_machine",
    "kmalloc kzalloc kvmalloc kmem_cache_alloc alloc_pages vma_alloc_folio alloc_page_vma folio_alloc mem_cgroup_charge",
    "pte_alloc pte_alloc_map pte_alloc_map_lock __pte_alloc pmd_alloc pud_alloc p4d_alloc huge_pte_alloc anon_vma_prepare",
    "vm_area_alloc vm_area_dup add_swap_count_continuation alloc_huge_page alloc_huge_page_vma xa_store radix_tree_preload",
    "copy_from_user copy_to_user get_user put_user clear_user copy_huge_page_from_user access_process_vm get_user_pages_fast",
    "get_user_pages_fast_only faultin_page faultin_vma_page_range fault_in_readable fault_in_writeable fault_in_safe_writeable",
    "swap_readpage read_swap_cache_async swapin_readahead swap_cluster_readahead try_to_free_buffers filemap_get_folio",
    "handle_mm_fault migrate_pages migration_entry_wait split_huge_page split_folio split_huge_page_to_list __split_huge_pmd",
    "split_huge_pmd split_huge_pud try_to_unmap try_to_migrate rmap_walk page_mkclean folio_mkclean unmap_mapping_range",
    "unmap_mapping_pages zap_page_range zap_page_range_single tlb_finish_mmu tlb_flush_mmu tlb_remove_page",
    "tlb_remove_page_size pte_alloc_one tlb_remove_table free_pgtables unlink_anon_vmas cond_resched might_sleep mmput iput",
    "fput put_anon_vma anon_vma_free lock_page invalidate_mapping_pages invalidate_inode_pages2 invalidate_inode_pages2_range",
  ),
  section(
    "references",
    "folio_get get_page folio_try_get get_page_unless_zero try_get_page folio_put put_page folio_put_refs",
    "free_pages_and_swap_cache release_pages try_grab_page try_grab_folio follow_page unpin_user_page unpin_user_pages",
    "find_get_page find_lock_page filemap_get_folio folio_get_anon_vma page_get_anon_vma get_anon_vma put_anon_vma mmget",
    "mmget_not_zero mmgrab mmput mmdrop get_swap_device put_swap_device userfaultfd_ctx_get userfaultfd_ctx_put kref_get",
    "kref_get_unless_zero kref_put list_add lru_cache_add page_add_anon_rmap page_add_new_anon_rmap page_add_file_rmap",
    "set_pte_at ClearPageLRU isolate_lru_page",
  ),
  section(
    "assertions",
    "mmap_assert_locked mmap_assert_write_locked i_mmap_assert_write_locked hugetlb_vma_assert_locked lockdep_assert_held",
    "lockdep_assert_held_write assert_spin_locked page_needs_cow_for_dma might_sleep",
  ),
  section(
    "functions that assert what their caller holds",
    "populate_vma_page_range faultin_vma_page_range hmm_range_fault madvise_collapse anon_vma_name zap_pud_range",
    "find_vma_intersection find_vma walk_page_range walk_page_range_vma walk_page_vma userfaultfd_huge_must_wait",
    "userfaultfd_must_wait handle_userfault hugetlb_split copy_hugetlb_page_range set_huge_pmd collapse_and_free_pmd",
    "collapse_pte_mapped_thp copy_page_range mm_take_all_locks mm_drop_all_locks walk_page_range_novma",
    "__mmu_notifier_register mmu_notifier_get_locked mmu_interval_notifier_insert_locked __account_locked_vm",
    "__huge_pmd_unshare huge_pmd_unshare_flush hugetlb_unshare_pmds walk_page_mapping lru_gen_look_around",
    "follow_devmap_pmd follow_devmap_pud follow_trans_huge_pmd pgtable_trans_huge_deposit pgtable_trans_huge_withdraw",
    "folio_mkclean page_move_anon_rmap rmap_walk_file move_to_new_folio unmap_mapping_folio rmap_walk_ksm",
    "folio_migrate_ksm __split_huge_pmd split_huge_page_to_list page_cache_delete filemap_remove_folio",
    "__filemap_add_folio folio_unlock add_to_swap_cache __delete_from_swap_cache add_to_swap folio_free_swap",
    "mem_cgroup_migrate mem_cgroup_swap_full enqueue_huge_page",
  ),
  section(
    "modifications of entries",
    "ptep_clear_flush ptep_get_and_clear ptep_get_and_clear_full ptep_clear pte_clear pte_clear_not_present_full",
    "ptep_set_wrprotect ptep_modify_prot_start ptep_modify_prot_commit set_pte_at pmdp_huge_get_and_clear",
    "pmdp_huge_get_and_clear_full pmdp_huge_clear_flush pmdp_invalidate pmdp_invalidate_ad pmdp_collapse_flush",
    "pmdp_set_wrprotect pmd_clear pud_clear pudp_huge_get_and_clear pudp_huge_clear_flush pudp_set_wrprotect",
    "huge_ptep_get_and_clear huge_ptep_clear_flush huge_ptep_set_wrprotect huge_ptep_modify_prot_start",
    "huge_ptep_modify_prot_commit huge_pte_clear set_huge_pte_at huge_pmd_unshare tlb_unshare_pmd_ptdesc",
  ),
];

/** Function names of the tables about GUP, copy-on-write, fork and pins. */
export const GUP_NAMES: readonly NamedSection[] = [
  section(
    "signatures",
    "get_user_pages get_user_pages_remote get_user_page_vma_remote get_user_pages_unlocked get_user_pages_locked",
    "get_user_pages_fast __get_user_pages_fast get_user_pages_fast_only get_user_page_fast_only get_user_pages_longterm",
    "pin_user_pages pin_user_pages_remote pin_user_pages_fast pin_user_pages_unlocked pin_user_pages_locked",
    "pin_user_pages_fast_only memfd_pin_folios unpin_folios follow_page follow_pfn follow_pte follow_pfnmap_start",
    "follow_pfnmap_end follow_hugetlb_page put_user_page put_user_pages put_user_pages_dirty_lock unpin_user_page",
    "unpin_user_pages_dirty_lock unpin_user_page_range_dirty_lock unpin_user_folio unpin_folio",
  ),
  section(
    "acquiring",
    "get_user_pages get_user_pages_remote get_user_pages_unlocked get_user_pages_fast get_user_pages_fast_only",
    "get_user_page_fast_only pin_user_pages pin_user_pages_remote pin_user_pages_unlocked pin_user_pages_fast",
    "pin_user_pages_fast_only get_dump_page follow_page populate_vma_page_range faultin_vma_page_range fixup_user_fault",
    "follow_pte follow_pfn access_process_vm access_remote_vm make_device_exclusive_range iov_iter_get_pages2",
    "iov_iter_get_pages_alloc2 bio_iov_iter_get_pages io_pin_pages ib_umem_get get_vaddr_frames hfi1_acquire_user_pages",
    "sev_pin_memory rds_pin_pages gntdev_get_page dax_lock_page tce_iommu_use_page",
  ),
  section(
    "releasing",
    "put_page folio_put release_pages unpin_user_page unpin_user_pages unpin_user_pages_dirty_lock",
    "unpin_user_page_range_dirty_lock gup_put_folio unpin_user_pages_lockless put_vaddr_frames ib_umem_release",
    "bio_release_pages __free_page memory_failure soft_offline_page set_page_dirty_lock set_page_dirty SetPageDirty",
    "sg_set_page sg_alloc_table_from_pages bio_add_page bvec_set_page bio_iov_add_page add_to_pipe",
  ),
];

/** Calls that the tables name as never sleeping: no fact may say otherwise. */
export const NEVER_SLEEPS: readonly string[] = section(
  "not sleeping",
  "set_pte_at ptep_get ptep_clear_flush ptep_get_and_clear ptep_set_wrprotect ptep_modify_prot_start flush_tlb_range",
  "flush_tlb_page page_remove_rmap page_add_anon_rmap page_add_file_rmap folio_get folio_put mmu_notifier_invalidate_range",
  "update_mmu_cache mem_cgroup_uncharge free_swap_and_cache get_swap_device put_swap_device swp_swapcount folio_trylock",
  "copy_user_highpage clear_highpage __tlb_remove_page __tlb_remove_page_size tlb_remove_tlb_entry tlb_flush_mmu_tlbonly",
  "spin_lock spin_unlock spin_trylock get_user_pages_fast_only pin_user_pages_fast_only follow_pte",
).names;
