// SPDX-License-Identifier: GPL-2.0-only
import { HELPERS_BY_THEME } from "./quiet-helpers.ts";

/**
 * Calls that have no effect which any rule sees: not worth an assumption. Their values stay open.
 * One line per theme; read from the kernel's headers (6.1.192) and from the code of patches.
 */
const BY_THEME: readonly string[] = [
  // Counters and statistics.
  "inc_mm_counter dec_mm_counter add_mm_counter inc_mm_counter_fast dec_mm_counter_fast get_mm_counter add_mm_rss_vec sync_mm_rss",
  "count_vm_event count_vm_events count_vm_vma_lock_event count_memcg_event_mm count_memcg_events count_memcg_folio_events __count_vm_event",
  "hugetlb_count_add hugetlb_count_sub mod_lruvec_page_state __mod_lruvec_page_state mod_node_page_state update_hiwater_rss mm_inc_nr_ptes mm_dec_nr_ptes mm_inc_nr_pmds mm_dec_nr_pmds mm_counter mm_counter_file",
  // Caches and TLB.
  "flush_tlb_fix_spurious_fault flush_tlb_batched_pending",
  "flush_cache_page flush_cache_range flush_cache_mm flush_cache_dup_mm flush_anon_page flush_dcache_page flush_dcache_folio flush_icache_page flush_icache_pages flush_kernel_dcache_page",
  "update_mmu_cache update_mmu_cache_range update_mmu_cache_pmd update_mmu_tlb update_mmu_tlb_range tlb_gather_mmu tlb_gather_mmu_fullmm tlb_gather_mmu_vma tlb_start_vma tlb_remove_tlb_entry tlb_remove_tlb_entries tlb_remove_huge_tlb_entry tlb_remove_pmd_tlb_entry tlb_remove_check_page_size_change tlb_change_page_size __tlb_remove_page_size tlb_flush_pmd_range tlb_flush_pte_range",
  "inc_tlb_flush_pending dec_tlb_flush_pending mm_tlb_flush_pending mm_tlb_flush_nested should_defer_flush set_tlb_ubc_flush_pending",
  "mmu_notifier_invalidate_range mmu_notifier_arch_invalidate_secondary_tlbs mmu_notifier_range_blockable mmu_notifier_range_update_to_read_only mm_has_notifiers",
  // Entries: questions that the model does not answer, and soft state.
  "pmd_trans_huge pud_trans_huge pmd_devmap pud_devmap pmd_leaf pud_leaf pmd_large pud_huge pmd_huge pgd_huge pmd_bad pud_bad pgd_bad p4d_bad pmd_protnone pte_protnone pte_special pte_devmap pte_young pmd_young pte_soft_dirty pte_uffd_wp pmd_uffd_wp huge_pte_uffd_wp pte_access_permitted pmd_access_permitted pud_access_permitted pte_none_mostly huge_pte_none_mostly pte_accessible pte_swp_exclusive pte_swp_uffd_wp pte_swp_soft_dirty pte_swp_uffd_wp_any pte_marker_get pte_marker_uffd_wp is_pte_marker is_pte_marker_entry is_uffd_pte_marker",
  "pmd_none_or_trans_huge_or_clear_bad pmd_none_or_clear_bad pud_none_or_clear_bad p4d_none_or_clear_bad pgd_none_or_clear_bad pmd_none_or_clear_bad_unless_trans_huge pmd_trans_unstable pmd_devmap_trans_unstable is_huge_zero_pmd is_zero_pfn is_huge_zero_page is_huge_zero_folio my_zero_pfn",
  "is_writable_migration_entry is_readable_migration_entry is_hwpoison_entry is_hugetlb_entry_migration is_hugetlb_entry_hwpoisoned is_pfn_swap_entry make_migration_entry make_readable_migration_entry make_writable_migration_entry make_swp_entry swp_type swp_offset swp_entry swap_type swp_swapcount swap_swapcount __swap_count swap_free swap_duplicate free_swap_and_cache",
  "is_hugepd __hugepd hugepd_ok pgd_val pgd_page pud_page pud_pfn p4d_val pgprot_val pgprot_modify __pte __pmd __pgprot pte_pgprot vm_get_page_prot vma_set_page_prot pfn_pte pfn_pmd pte_advance_pfn pte_next_pfn pte_batch_hint folio_pte_batch",
  "pmd_populate pud_populate p4d_populate pmd_install",
  // Addresses and offsets.
  "pgd_addr_end p4d_addr_end pud_addr_end pmd_addr_end pte_index pmd_index pud_index pgd_index linear_page_index linear_hugepage_index vma_hugecache_offset hugetlb_entry_end hugetlb_fault_mutex_hash page_address_in_vma vma_address offset_in_page PAGE_ALIGN ALIGN ALIGN_DOWN IS_ALIGNED round_up round_down PFN_DOWN PFN_UP PHYS_PFN folio_pfn virt_to_page folio_address pfn_valid",
  "hstate_vma hstate_inode hstate_file page_hstate folio_hstate huge_page_size huge_page_mask huge_page_shift huge_page_order pages_per_huge_page hstate_is_gigantic huge_pte_shift",
  "min max min_t max_t clamp clamp_t swap abs DIV_ROUND_UP BIT ilog2 fls ffs order_base_2 access_ok check_add_overflow check_mul_overflow array_index_nospec",
  // VMAs and address spaces.
  "find_vma_prev vma_lookup vma_next vma_prev vma_find vma_iter_init vma_iter_load vma_pages vma_start_pgoff vma_is_anonymous vma_is_shmem vma_is_dax vma_is_foreign vma_is_temporary_stack vma_is_secretmem vma_is_fsdax vma_has_reserves is_vma_temporary_stack vma_migratable vma_soft_dirty_enabled vma_wants_writenotify vma_permits_fault arch_vma_access_permitted vma_set_anonymous is_mergeable_vma can_vma_merge_before",
  "userfaultfd_wp userfaultfd_missing userfaultfd_minor userfaultfd_armed userfaultfd_pte_wp userfaultfd_huge_pmd_wp userfaultfd_wp_async uffd_disable_huge_pmd_share uffd_disable_fault_around vma_can_userfault want_pmd_share vma_shareable __vma_shareable_lock __vma_private_lock vm_flags_set vm_flags_clear vm_flags_reset vm_flags_init vm_flags_mod get_gate_page in_gate_area",
  "find_task_by_vpid pid_task mm_is_oom_victim mm_forbids_zeropage mm_access_ok mmap_lock_is_contended rwsem_is_contended rwsem_is_locked need_resched spin_needbreak fatal_signal_pending signal_pending test_bit",
  // Pages and folios: flags, maps and LRU.
  "PageCompound PageHuge PageHead PageTail PageTransHuge PageTransCompound PageKsm PageReserved PageLRU PageSwapCache PageSwapBacked PageUptodate PageDirty PageWriteback PageLocked PageHWPoison PageMlocked SetPageAnonExclusive ClearPageAnonExclusive SetPageReferenced ClearPageDirty SetPageUptodate __SetPageUptodate ClearPageUptodate SetPageSwapBacked",
  "folio_test_large folio_test_hugetlb folio_test_ksm folio_test_lru folio_test_swapcache folio_test_swapbacked folio_test_dirty folio_test_locked folio_test_uptodate folio_test_writeback folio_test_referenced folio_test_pmd_mappable folio_test_hwpoison folio_test_mlocked folio_is_longterm_pinnable is_longterm_pinnable_page folio_set_dirty folio_mark_accessed folio_set_referenced folio_clear_referenced folio_mark_uptodate __folio_mark_uptodate mark_page_accessed",
  "folio_mapping page_mapping folio_index page_index page_rmapping folio_anon_vma page_anon_vma folio_nr_pages folio_order folio_size folio_shift compound_order compound_nr thp_nr_pages thp_size page_size page_count folio_ref_count page_mapped folio_mapped folio_entire_mapcount page_needs_cow_for_dma folio_needs_cow_for_dma folio_likely_mapped_shared folio_maybe_mapped_shared can_split_folio can_split_huge_page folio_expected_ref_count reuse_swap_page page_trans_huge_mapcount folio_page_idx",
  "page_dup_rmap page_dup_file_rmap page_try_dup_anon_rmap page_try_share_anon_rmap folio_try_dup_anon_rmap_pte folio_try_dup_anon_rmap_ptes folio_try_share_anon_rmap_pte folio_try_share_anon_rmap_pmd __folio_set_anon",
  "lru_cache_add lru_cache_add_inactive_or_unevictable folio_add_lru folio_add_lru_vma activate_page folio_activate deactivate_page lru_add_drain mlock_page munlock_page mlock_vma_page munlock_vma_page mlock_vma_folio munlock_vma_folio mem_cgroup_uncharge mem_cgroup_commit_charge mem_cgroup_cancel_charge cgroup_throttle_swaprate folio_throttle_swaprate",
  "clear_user_highpage copy_user_highpage kunmap pagefault_disable pagefault_enable pagefault_disabled folio_zero_user",
  // Barriers, assertions and messages.
  "WRITE_ONCE smp_mb smp_rmb smp_wmb smp_mb__after_atomic smp_mb__before_atomic smp_store_release barrier cpu_relax prefetch prefetchw rcu_access_pointer",
  "VM_BUG_ON_PAGE VM_BUG_ON_FOLIO VM_BUG_ON_VMA VM_BUG_ON_MM VM_BUG_ON_PGFLAGS WARN WARN_ONCE VM_WARN_ON_FOLIO VM_WARN_ON_ONCE_PAGE VM_WARN_ON_ONCE_FOLIO VM_WARN_ONCE BUILD_BUG_ON BUILD_BUG dump_page dump_vma dump_stack lockdep_is_held lockdep_assert lockdep_set_class spin_is_locked rcu_read_lock_held mmap_lock_is_held",
  "printk pr_emerg pr_alert pr_crit pr_err pr_warn pr_warn_once pr_notice pr_info pr_debug pr_err_ratelimited pr_warn_ratelimited pr_info_once trace_printk dev_err dev_warn dev_dbg print_bad_pte pmd_clear_bad pud_clear_bad pgd_clear_bad __WARN add_taint",
  // Atomics, lists, errors and the rest of the C library of the kernel.
  "atomic_read atomic_set atomic_inc atomic_dec atomic_add atomic_sub atomic_inc_return atomic_dec_return atomic_dec_and_test atomic_inc_not_zero atomic_add_return atomic_long_read atomic_long_inc atomic_long_dec atomic_long_add atomic64_read refcount_read refcount_inc refcount_set xchg cmpxchg try_cmpxchg raw_seqcount_begin raw_read_seqcount read_seqcount_begin read_seqcount_retry mmu_interval_read_begin mmu_interval_read_retry",
  "list_del list_del_init list_splice list_splice_init list_empty list_first_entry list_last_entry list_entry INIT_LIST_HEAD LIST_HEAD container_of hlist_del_init_rcu hlist_empty rb_entry offsetof sizeof ARRAY_SIZE",
  "PTR_ERR ERR_PTR ERR_CAST IS_ERR_VALUE PTR_ERR_OR_ZERO IS_ENABLED defined likely unlikely __builtin_expect xchg_relaxed memcmp strlen strcmp strncmp snprintf sprintf kfree kvfree kmem_cache_free kfree_rcu call_rcu free_page free_pages smp_processor_id raw_smp_processor_id num_online_cpus task_pid_nr current_cred wake_up wake_up_all wake_up_interruptible complete queue_work schedule_work mod_timer jiffies_to_msecs msecs_to_jiffies time_after time_before ktime_get sg_init_table file_inode inode_init_always i_size_read xa_load xa_mk_value xa_is_value xas_load xas_next xas_retry xas_set xa_erase ptlock_init ptlock_free pgtable_pte_page_dtor pgtable_pmd_page_dtor",
  // Userfaultfd, NUMA balancing, KSM and huge pages.
  "vmf_can_call_fault vmf_anon_prepare fault_flag_allow_retry_first fault_signal_pending vma_policy_mof mpol_misplaced mpol_cond_put get_vma_policy numa_migrate_prep should_numa_migrate task_numa_fault khugepaged_enter_vma khugepaged_enter hugepage_vma_check thp_vma_allowable_order transhuge_vma_suitable thp_vma_suitable_order transparent_hugepage_enabled hugepage_vma_revalidate vma_adjust_trans_huge restore_reserve_on_error restore_exclusive_pte resv_map_release set_huge_swap_pte_at hugetlb_set_vma_policy hugetlb_vma_lock_alloc hugetlb_vma_lock_free",
  // Maple tree, VMA iterators, accounting, cgroups, SRCU and other helpers seen in patches to mm/.
  "mas_next mas_prev mas_find mas_set mas_reset mas_pause mas_walk mas_empty_area mas_empty_area_rev mas_state MA_STATE VMA_ITERATOR vma_iter_set vma_iter_next_range vma_iter_end vma_iter_addr vma_mark_detached vma_mark_attached vma_interval_tree_insert vma_interval_tree_remove flush_dcache_mmap_lock flush_dcache_mmap_unlock vm_stat_account may_expand_vm accountable_mapping range_in_vma vm_end_gap vm_start_gap validate_mm can_vma_merge_after is_mergeable_vm_userfaultfd_ctx",
  "vma_policy mpol_put mpol_get mpol_equal vma_mmu_pagesize vma_kernel_pagesize vma_is_anon_shmem vma_has_reserves arch_validate_flags mapping_gfp_mask mapping_unmap_writable mapping_map_writable mapping_allow_writable mapping_set_gfp_mask mapping_set_unevictable mapping_unevictable shmem_mapping secretmem_mapping mapping_cap_writeback_dirty",
  "folio_nid page_to_nid page_zone page_pgdat folio_pgdat folio_zonenum node_page_state lruvec_memcg mem_cgroup_lruvec folio_memcg add_page_to_lru_list del_page_from_lru_list lruvec_add_folio lruvec_del_folio PageUnevictable PageActive folio_test_unevictable folio_test_active folio_test_idle folio_test_slab folio_test_head page_is_idle page_is_active page_private set_page_private set_page_idle set_page_young folio_is_file_lru page_is_file_lru page_lru compound_pincount_ptr folio_pincount_ptr page_ref_count lru_gen_enabled",
  "folio_isolate_hugetlb move_hugetlb_state set_hugetlb_cgroup hugetlb_cgroup_migrate hugetlb_cgroup_disabled hugetlb_cgroup_uncharge_page hugetlb_cgroup_uncharge_folio hugetlb_cgroup_charge_cgroup hugetlb_cgroup_commit_charge make_huge_pte hstate_index hugetlb_page_subpool hugetlb_folio_subpool hugetlb_set_page_subpool hugetlb_set_folio_subpool SetHPageMigratable folio_set_hugetlb_migratable set_page_refcounted",
  "srcu_read_lock srcu_read_unlock srcu_read_lock_held lockdep_assert_irqs_disabled static_branch_unlikely static_branch_likely list_next_entry list_splice_tail_init atomic64_set atomic64_add kstrtoul sysfs_emit sysfs_streq seq_printf seq_puts seq_putc wq_has_sleeper wake_up_poll userfaultfd_set_vm_flags no_page_table gup_can_follow_protnone gup_fast_permitted check_vma_flags damon_ptep_mkold damon_pmdp_mkold damon_get_page folio_free_raw_hwp assert_fault_locked",
];

/** Each name once. */
export const QUIET_NAMES: ReadonlySet<string> = new Set([...BY_THEME, ...HELPERS_BY_THEME].flatMap((names) => names.split(" ")));

/**
 * Families of names that macros make, so that no text has their definitions: tracepoints (which must not sleep), and
 * flags of pages and folios (include/linux/page-flags.h, include/linux/hugetlb.h).
 */
const FAMILIES: readonly RegExp[] = [
  /^trace_\w+$/,
  /^(?:__)?(?:Test)?(?:Set|Clear)?H?Page[A-Z]\w*$/,
  /^(?:__)?folio_(?:test|set|clear|test_set|test_clear)_\w+$/,
];

export const isOfQuietFamily = (name: string): boolean => FAMILIES.some((family) => family.test(name));
