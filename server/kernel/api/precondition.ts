// SPDX-License-Identifier: GPL-2.0-only
import type { ApiFact, Effect } from "../effect.ts";
import { facts, maySleep, requires } from "./make.ts";

const heldForWrite = (object: number, ...more: readonly Effect[]): Effect[] => [maySleep, requires("mmap_lock", "write", object), ...more];
const folio = (object = 0): Effect => requires("folio_lock", "exclusive", object);
const own: Effect = { kind: "cowFault", does: "own" };
const tableLock = (object: number): Effect => requires("ptl", "exclusive", object);
const mappingLock = (object: number): Effect => requires("i_mmap_rwsem", "write", object);

/** Functions that assert what their caller holds (6.1.192). Where another table has the function, it says so there. */
const MMAP_LOCK: readonly ApiFact[] = [
  ...facts("find_vma find_exact_vma", "mm/mmap.c:1905 (6.1.192)", [requires("mmap_lock", "any")]),
  ...facts("find_vma_intersection", "mm/mmap.c:1888 (6.1.192)", [requires("mmap_lock", "any")], { arity: 3 }),
  ...facts("madvise_collapse", "mm/khugepaged.c:2697,2755 (6.1.192): drops and retakes it, as *prev says", [
    maySleep,
    requires("mmap_lock", "any"),
    { kind: "dropsLock", lock: "mmap_lock", object: 0, mode: "read", when: "sometimes", onReturn: "held", tells: 1 },
  ], { arity: 4, since: "6.1" }),
  ...facts("anon_vma_name", "mm/madvise.c:96 (6.1.192)", [requires("mmap_lock", "any")], { arity: 1, since: "5.17" }),
  ...facts("zap_pud_range", "mm/memory.c:1593 (6.1.192)", [maySleep, requires("mmap_lock", "any", 1)]),
  ...facts("userfaultfd_huge_must_wait userfaultfd_must_wait", "fs/userfaultfd.c:266,324 (6.1.192)", [requires("mmap_lock", "any")]),
  ...facts("hugetlb_split", "mm/hugetlb.c:4907 (6.1.192)", heldForWrite(0, mappingLock(0)), { arity: 2 }),
  ...facts("copy_hugetlb_page_range", "mm/hugetlb.c:5049 (6.1.192)", heldForWrite(1), { arity: 4, since: "5.18", certainty: "plausible" }),
  ...facts("copy_hugetlb_page_range", "mm/hugetlb.c (5.17)", [maySleep], { arity: 3, until: "5.18", certainty: "plausible" }),
  ...facts("set_huge_pmd", "mm/khugepaged.c:1388 (6.1.192)", heldForWrite(0), { since: "6.1", until: "6.6", certainty: "plausible" }),
  ...facts("collapse_and_free_pmd", "mm/khugepaged.c:1418-1426 (6.1.192)", heldForWrite(0, mappingLock(1), requires("anon_vma", "write", 1)), {
    arity: 4,
    since: "5.19",
    until: "6.6",
    certainty: "plausible",
  }),
  ...facts("collapse_pte_mapped_thp", "mm/khugepaged.c:1463 (6.1.192)", heldForWrite(0), { since: "5.4", until: "6.6", certainty: "plausible" }),
  ...facts("copy_page_range", "mm/memory.c:1321 (6.1.192)", heldForWrite(1), { arity: 2, since: "5.10", certainty: "plausible" }),
  ...facts("copy_page_range", "mm/memory.c (5.9)", [maySleep], { until: "5.10", certainty: "plausible" }),
  ...facts("mm_take_all_locks mm_drop_all_locks", "mm/mmap.c:3763,3846 (6.1.192)", heldForWrite(0), { arity: 1 }),
  ...facts("__mmu_notifier_register mmu_notifier_get_locked mmu_interval_notifier_insert_locked", "mm/mmu_notifier.c:635,780,1026 (6.1.192)", heldForWrite(1), {
    since: "5.5",
    certainty: "plausible",
  }),
  ...facts("__account_locked_vm", "mm/util.c:454 (6.1.192)", [requires("mmap_lock", "write")], { arity: 5 }),
];

const REVERSE_MAP: readonly ApiFact[] = [
  ...facts("huge_pmd_unshare_flush", "mm/hugetlb.c:7189 (6.1.192)", [mappingLock(1), { kind: "flushTlb", interrupts: true }], { arity: 2 }),
  ...facts("__huge_pmd_unshare", "mm/hugetlb.c:7138-7140 (6.1.192): where check_locks is true", [{ kind: "accessEntry", pte: 3, write: true }, mappingLock(1)], {
    arity: 5,
  }),
  ...facts("hugetlb_unshare_pmds", "mm/hugetlb.c:7613 (6.1.192): without take_locks", [maySleep, mappingLock(0)], { arity: 4 }),
  ...facts("hugetlb_unshare_pmds", "mm/hugetlb.c (6.0)", [maySleep], { arity: 3, certainty: "plausible" }),
];

const PAGE_TABLE: readonly ApiFact[] = [
  ...facts("lru_gen_look_around", "mm/vmscan.c:4635 (6.1.192): the lock of the walk", [requires("ptl", "exclusive", 0)], { arity: 1, since: "6.1" }),
  ...facts("follow_devmap_pmd follow_devmap_pud", "mm/huge_memory.c:1058,1216 (6.1.192)", [tableLock(2)], { arity: 5, until: "6.11", certainty: "plausible" }),
  ...facts("follow_trans_huge_pmd", "mm/huge_memory.c:1458 (6.1.192)", [tableLock(2)], { arity: 4, until: "6.11", certainty: "plausible" }),
  ...facts("pgtable_trans_huge_deposit", "mm/pgtable-generic.c:165 (6.1.192)", [tableLock(1)], { arity: 3 }),
  ...facts("pgtable_trans_huge_withdraw", "mm/pgtable-generic.c:182 (6.1.192)", [tableLock(1)], { arity: 2 }),
];

/** Asserted with VM_BUG_ON_FOLIO() and the like. */
const FOLIO_LOCK: readonly ApiFact[] = [
  ...facts("folio_mkclean page_mkclean", "mm/rmap.c:1045 (6.1.192)", [maySleep, folio()], { arity: 1 }),
  ...facts("page_move_anon_rmap", "mm/rmap.c:1107 (6.1.192)", [folio(), own], { arity: 2 }),
  ...facts("folio_move_anon_rmap", "mm/rmap.c (6.12.117)", [folio(), own], { arity: 2, since: "6.7", certainty: "plausible" }),
  ...facts("move_to_new_folio", "mm/migrate.c:942 (6.1.192)", [maySleep, folio(0), folio(1)], { arity: 3, since: "6.0" }),
  ...facts("unmap_mapping_folio", "mm/memory.c:3571 (6.1.192)", [maySleep, folio()], { arity: 1, since: "5.17" }),
  ...facts("folio_migrate_ksm", "mm/ksm.c:2800 (6.1.192)", [folio(1)], { arity: 2, since: "5.17" }),
  ...facts("__split_huge_pmd", "mm/huge_memory.c:2331 (6.1.192): of the folio where one is given", [maySleep, folio(4)], { arity: 5, until: "6.15", certainty: "plausible" }),
  ...facts("__split_huge_pmd", "mm/huge_memory.c (6.15)", [maySleep], { since: "6.15", certainty: "plausible" }),
  ...facts("split_huge_page_to_list", "mm/huge_memory.c:2701 (6.1.192)", [maySleep, folio()], { arity: 2 }),
  ...facts("split_huge_page", "include/linux/huge_mm.h (6.1.192)", [maySleep, folio()], { arity: 1 }),
  ...facts("split_huge_page_to_list_to_order", "mm/huge_memory.c (6.12.117)", [maySleep, folio()], { arity: 3, since: "6.9", certainty: "plausible" }),
  ...facts("split_folio split_folio_to_list", "include/linux/huge_mm.h (6.1.192)", [maySleep, folio()]),
  ...facts("page_cache_delete", "mm/filemap.c:138 (6.1.192)", [folio(1)], { arity: 3 }),
  ...facts("filemap_remove_folio", "mm/filemap.c:252 (6.1.192)", [folio()], { arity: 1, since: "5.17" }),
  ...facts("__filemap_add_folio", "mm/filemap.c:849 (6.1.192)", [{ kind: "sleepsIf", flag: 3, word: "gfp" }, folio(1)], { arity: 5, since: "5.16" }),
  ...facts("add_to_swap_cache", "mm/swap_state.c:97 (6.1.192)", [{ kind: "sleepsIf", flag: 2, word: "gfp" }, folio()], { arity: 4, since: "5.9", certainty: "plausible" }),
  ...facts("__delete_from_swap_cache", "mm/swap_state.c:148 (6.1.192)", [folio()], { arity: 3, since: "5.9", certainty: "plausible" }),
  ...facts("add_to_swap", "mm/swap_state.c:179 (6.1.192)", [maySleep, folio()], { arity: 1 }),
  ...facts("folio_free_swap", "mm/swapfile.c:1594 (6.1.192)", [folio()], { arity: 1, since: "6.1" }),
  ...facts("mem_cgroup_migrate", "mm/memcontrol.c:7167 (6.1.192); one folio is enough from 6.7 on", [folio(0), folio(1)], { arity: 2, until: "6.7", certainty: "plausible" }),
  ...facts("mem_cgroup_swap_full", "mm/memcontrol.c:7526 (6.1.192)", [folio()], { arity: 1 }),
];

export const preconditionFacts: readonly ApiFact[] = [...MMAP_LOCK, ...REVERSE_MAP, ...PAGE_TABLE, ...FOLIO_LOCK];
