// SPDX-License-Identifier: GPL-2.0-only

/**
 * One row a fact: `release name/arguments [CONFIG=y|n ...]: effect key=value ...; effect ...`. Each effect that is named must be there
 * with the members that are named; `no effect` must not be. `as of R` says that the fact is of another release;
 * nothing said: it is of this one.
 */
export const ROWS: readonly string[] = [
  // Locks: try and killable forms, and which value means held.
  "6.1 mmap_write_lock_killable/1: acquire lock=mmap_lock mode=write held=zero sleeps=true",
  "6.1 mmap_read_trylock/1: acquire lock=mmap_lock mode=read held=nonzero sleeps=false",
  "6.1 hugetlb_vma_trylock_write/1: acquire lock=hugetlb_vma_lock mode=write held=nonzero",
  "6.6 vma_start_read/1: acquire lock=vma_lock mode=read held=nonzero",
  "6.17 vma_start_read/2: acquire lock=vma_lock objectIsValue=true",
  "6.6 vma_start_write/1: maySleep; requiresHeld lock=mmap_lock mode=write; no acquire",
  "6.1 folio_lruvec_lock_irq/1: enterAtomic reason=irq; acquire lock=spinlock objectIsValue=true held=always",
  "6.1 pgdat_kswapd_lock/1: acquire lock=mutex mode=exclusive object=0",
  "6.1 pgdat_kswapd_lock/1 MEMORY_HOTPLUG=n: no acquire",
  "6.1 lock_page_or_retry/3: sleepsIf flag=2 word=retry-nowait; acquire held=nonzero; dropsLock lock=mmap_lock object=1 when=zero onReturn=released",
  "6.6 folio_lock_or_retry/2: sleepsIf flag=1; acquire held=zero; dropsLock lock=mmap_lock when=nonzero unless=FAULT_FLAG_RETRY_NOWAIT",

  // References on the head of a page, that may fail.
  "5.13 page_cache_add_speculative/2: getReference object=0 held=nonzero",
  "6.1 folio_ref_try_add_rcu/2: getReference object=0 held=nonzero",
  "6.12 folio_ref_try_add/2: getReference object=0 held=nonzero",

  // Who puts the last one may sleep, unless that is put off.
  "6.1 iput/1: maySleep; putReference object=0",
  "6.1 fput/1: putReference object=0; no maySleep",
  "6.12 fput/1: putReference object=0; no maySleep",

  // Control does not come back.
  "6.1 BUG/0: bugIf how=bug condition=null; neverReturns",
  "6.1 BUG_ON/1: bugIf condition=0; no neverReturns",
  "6.1 panic/2: neverReturns",
  "6.1 do_exit/1: neverReturns",

  // Bits of words.
  "5.15 clear_bit/2: changesBit bit=0 word=1 to=clear",
  "6.1 test_and_set_bit/2: changesBit to=set",

  // Assertions: what stops the kernel, and what only warns.
  "6.1 BUG_ON/1: bugIf condition=0 how=bug",
  "6.1 BUG/0: bugIf how=bug",
  "6.12 VM_BUG_ON/1: bugIf condition=0 how=debug-bug",
  "6.12 WARN_ON_ONCE/1: bugIf condition=0 how=warn",

  // Maps of page tables by release and configuration.
  "6.1 pte_offset_map/2: mapPte mayFail=false rcu=false; no enterAtomic",
  "6.1 pte_offset_map/2 HIGHPTE=y: mapPte mayFail=false; enterAtomic reason=preempt",
  "6.5 pte_offset_map/2 HIGHPTE=y: mapPte mayFail=true rcu=false; localMap step=push; no enterAtomic",
  "6.6 pte_unmap/1 HIGHPTE=y: unmapPte rcu=true; localMap step=pop",
  "6.1 pte_unmap/1 HIGHPTE=n: unmapPte rcu=false; no leaveAtomic",
  "6.12 folio_walk_start/4: acquire lock=ptl held=nonzero; requiresHeld object=1",
  "6.1 page_vma_mapped_walk/1: walkMapped walk=0 step=next",

  // What a callee takes from its caller.
  "6.1 migration_entry_wait_on_locked/3: consumes pte=1 ptl=2 when=always; maySleep",
  "6.6 migration_entry_wait_on_locked/2: consumes pte=null ptl=1; release lock=ptl; maySleep",
  "6.1 __migration_entry_wait/3: requiresNotHeld lock=ptl object=2; consumes pte=1 ptl=null",
  "6.1 hmm_vma_handle_pte/6: consumes pte=4 when=nonzero",
  "6.1 do_wp_page/1: consumes pte=0 ptl=0 through=vm_fault",
  "6.1 do_swap_page/1: consumes pte=0 ptl=null through=vm_fault; dropsLock when=retry",
  "6.1 hugetlb_no_page/8: dropsLock lock=hugetlb_vma_lock object=1 onReturn=released",
  "6.6 migration_entry_wait_huge/2: release lock=hugetlb_vma_lock object=0",

  // mmap_lock that is dropped.
  "6.1 handle_mm_fault/4: dropsLock lock=mmap_lock when=retry-or-completed onReturn=released allowedBy=2",
  "5.10 handle_mm_fault/4: dropsLock when=retry",
  "6.6 handle_mm_fault/4: requiresHeld lock=mmap_lock or=vma_lock",
  "6.1 fixup_user_fault/4: dropsLock when=sometimes onReturn=held tells=3",
  "6.1 madvise_willneed/4: dropsLock when=sometimes onReturn=held tells=1",
  "6.6 expand_stack/2: dropsLock when=always onReturn=held",
  "6.1 expand_stack/2: no dropsLock",
  "6.1 userfaultfd_remove/3: dropsLock when=zero onReturn=released",
  "6.1 userfaultfd_remove/3 USERFAULTFD=n: no dropsLock",

  // GUP: entry, drops, flags, positions.
  "6.1 get_user_pages/5: requiresHeld lock=mmap_lock object=null; maySleep; gup flags=2 pages=3 implies=FOLL_GET,FOLL_TOUCH",
  "6.1 pin_user_pages/5: gup reference=pin implies=FOLL_PIN",
  "6.1 get_user_pages_remote/7: requiresHeld object=0; dropsLock object=0 when=locked-cleared tells=6; gup locked=6",
  "6.6 pin_user_pages_remote/6: dropsLock tells=5; gup implies=FOLL_PIN,FOLL_TOUCH,FOLL_REMOTE",
  "6.1 get_user_pages_unlocked/4: requiresNotHeld lock=mmap_lock; gup flags=3 pages=2",
  "6.1 get_user_pages_fast_only/4: no maySleep; no requiresHeld; gup returns=count",
  "6.1 get_user_page_fast_only/3: gup flags=1 pages=2 returns=bool",
  "6.1 follow_page/3: requiresHeld lock=mmap_lock; returnsReference reference=by-flags flags=2 failure=null-or-error",
  "6.1 unpin_user_pages_dirty_lock/3: sleepsIf flag=2 word=boolean; unpin count=1 dirty=2 asserts=exclusive",
  "6.1 unpin_user_pages/2: unpin reference=pin asserts=exclusive",
  "6.1 io_pin_pages/3: requiresNotHeld lock=mmap_lock; returnsReference reference=pin failure=error-pointer",
  "6.1 dax_lock_page/2: returnsReference reference=pin out=1",
  "6.1 dax_lock_page/1: maySleep; no returnsReference",

  // References, errors and sleepers.
  "6.3 filemap_get_folio/2: returnsReference failure=null",
  "6.4 filemap_get_folio/2: returnsReference failure=error-pointer",
  "6.1 find_lock_page/2: returnsReference locks=always; maySleep",
  "6.1 get_task_mm/1: returnsReference to=mm failure=null",
  "6.1 folio_isolate_lru/1: getReference held=zero",
  "6.6 folio_isolate_lru/1: getReference held=nonzero",
  "6.1 add_to_pipe/2: transfersReference object=1 to=pipe when=always",
  "6.1 change_protection/6: no returnsError",
  "6.3 change_pmd_range/7: returnsError form=negative errors=ENOMEM allocates=true flags=6 onlyWith=MM_CP_UFFD_WP",
  "6.3 change_protection_range/6: returnsError flags=5",
  "6.6 change_pte_range/7: returnsError errors=ENOMEM,EAGAIN",
  "6.1 uffd_wp_range/5: no returnsError",
  "6.6 uffd_wp_range/4: returnsError errors=ENOMEM",
  "6.1 alloc_pages_node/3: sleepsIf flag=1 word=gfp",
  "6.1 mmu_notifier_invalidate_range_end/1: maySleep onlyIf=blockable; notifierEnd",
  "6.1 mmu_notifier_invalidate_range_end/1 MMU_NOTIFIER=n: no maySleep; no notifierEnd",
  "6.1 put_anon_vma/1: maySleep onlyIf=last-reference; putReference",

  // Modifications and preconditions.
  "6.1 ptep_clear_flush/3: modifyEntry pte=2 address=1 space=0 level=pte how=clear onlyPresent=false",
  "6.1 set_pte_at/4: modifyEntry how=set onlyPresent=true",
  "6.1 ptep_set_access_flags/5: no modifyEntry",
  "6.1 huge_pmd_unshare/4: unshareTable pte=3 vma=1",
  "5.4 huge_pmd_unshare/3: unshareTable pte=2 vma=null",
  "6.1 huge_pmd_unshare/4: modifyEntry pte=3 address=2 space=1 how=unshare",
  "6.1 tlb_finish_mmu/1: maySleep; flushTlb",
  "6.1 flush_hugetlb_tlb_range/3: flushTlb; no maySleep",
  "6.1 pmd_clear/1: modifyEntry pte=0 address=null space=null level=pmd",
  "6.1 tlb_remove_table/2: freesTable table=1 how=by-architecture",
  "6.6 pte_free_defer/2: freesTable how=rcu",
  "6.1 find_vma/2: requiresHeld lock=mmap_lock mode=any object=0",
  "6.1 copy_page_range/2: requiresHeld lock=mmap_lock mode=write object=1",
  "6.1 folio_mkclean/1: requiresHeld lock=folio_lock",
];
