// SPDX-License-Identifier: GPL-2.0-only
import type { ApiFact, Effect } from "../effect.ts";
import { facts, maySleep, returnsReference } from "./make.ts";

const MM = "include/linux/mm.h, include/linux/sched/mm.h (6.1.192)";

const get = (held?: "zero" | "nonzero"): Effect => ({ kind: "getReference", object: 0, ...(held === undefined ? {} : { held }) });
const put: Effect = { kind: "putReference", object: 0 };

const COUNTS: readonly ApiFact[] = [
  ...facts("get_page folio_get folio_ref_inc page_ref_inc get_anon_vma mmget mmgrab get_file get_task_struct folio_ref_add page_ref_add", MM, [get()]),
  ...facts("userfaultfd_ctx_get", "fs/userfaultfd.c (6.1.192)", [get()]),
  ...facts("kref_get", "include/linux/kref.h:43 (6.1.192)", [get()], { arity: 1 }),
  ...facts("css_get obj_cgroup_get dget ihold", "include/linux/cgroup.h, include/linux/fs.h (6.1.192)", [get()]),
  ...facts("get_page_unless_zero try_get_page folio_try_get mmget_not_zero try_get_folio folio_try_get_rcu page_cache_get_speculative", MM, [get("nonzero")]),
  ...facts("page_cache_add_speculative", "include/linux/pagemap.h (5.13)", [get("nonzero")], { arity: 2, until: "5.18", certainty: "plausible" }),
  ...facts("folio_ref_try_add_rcu", "include/linux/page_ref.h:266 (6.1.192)", [get("nonzero")], { arity: 2, since: "5.16", until: "6.11", certainty: "plausible" }),
  ...facts("folio_ref_try_add", "include/linux/page_ref.h:267 (6.12.117)", [get("nonzero")], { arity: 2, since: "6.11", certainty: "plausible" }),
  ...facts("kref_get_unless_zero", "include/linux/kref.h:109 (6.1.192)", [get("nonzero")], { arity: 1 }),
  ...facts("css_tryget css_tryget_online igrab", "include/linux/cgroup.h, include/linux/fs.h (6.1.192)", [get("nonzero")]),
  ...facts("put_page folio_put mmdrop put_task_struct userfaultfd_ctx_put free_page_and_swap_cache", MM, [put]),
  ...facts("folio_put_refs", MM, [put], { arity: 2 }),
  ...facts("put_page_refs", "mm/gup.c (5.14)", [put], { arity: 2, since: "5.14", until: "5.17", certainty: "plausible" }),
  ...facts("kref_put", "include/linux/kref.h:62 (6.1.192): runs the release function with the last one", [{ kind: "maySleep", onlyIf: "last-reference" }, put], {
    arity: 2,
  }),
  ...facts("css_put obj_cgroup_put mem_cgroup_put", "include/linux/cgroup.h (6.1.192)", [put]),
  ...facts("free_pages_and_swap_cache", "mm/swap_state.c:306 (6.1.192)", [{ kind: "unpin", reference: "get", pages: 0, count: 1 }], { arity: 2 }),
  ...facts("put_swap_device", "include/linux/swap.h (6.1.192): the reference of get_swap_device()", [put], { arity: 1 }),
  ...facts("put_anon_vma", "include/linux/rmap.h, mm/rmap.c:130 (6.1.192)", [{ kind: "maySleep", onlyIf: "last-reference" }, put]),
  ...facts("mmput iput dput", "kernel/fork.c, fs/ (6.1.192)", [maySleep, put]),
  ...facts("fput", "fs/file_table.c:369 (6.1.192), 517 (6.12.117): the last one is left to task work or a work queue", [put], { arity: 1 }),
  ...facts("mmput_async", "kernel/fork.c (6.1.192)", [put]),
  ...facts("put_pid", "kernel/pid.c (6.1.192)", [put]),
];

/** Values that carry a reference. `filemap_get_folio()` and its kin are with the page cache. */
const VALUES: readonly ApiFact[] = [
  ...facts("folio_get_anon_vma page_get_anon_vma", "mm/rmap.c (6.1.192): the anon_vma or NULL", [{ kind: "getAnonVma", folio: 0 }]),
  ...facts("get_swap_device", "mm/swapfile.c:1264 (6.1.192)", [returnsReference("swap-device", "null")], { arity: 1 }),
  ...facts("get_task_mm", "kernel/fork.c (6.1.192)", [returnsReference("mm", "null")], { arity: 1 }),
  ...facts("mm_access", "kernel/fork.c (6.1.192): waits for exec_update_lock", [maySleep, returnsReference("mm", "null-or-error")], { arity: 2 }),
  ...facts("get_pid_task find_get_task_by_vpid", "kernel/pid.c (6.1.192)", [returnsReference("task", "null")]),
  ...facts("fget", "fs/file.c (6.1.192)", [returnsReference("file", "null")], { arity: 1, certainty: "plausible" }),
];

const takesOver = (object: number, to: Extract<Effect, { kind: "transfersReference" }>["to"], when: "always" | "zero" | "nonzero" = "always"): Effect => ({
  kind: "transfersReference",
  object,
  to,
  when,
});

const RMAP = "include/linux/rmap.h, mm/rmap.c (6.1.192, 6.12.117): the mapping holds the reference from now on";

/** The entry is about to go, or has gone; the reference of the mapping is the caller's again. */
const UNMAPPED: readonly ApiFact[] = [
  ...facts("page_remove_rmap", "mm/rmap.c:1421 (6.1.192)", [{ kind: "removesRmap", page: 0 }], { until: "6.8" }),
  ...facts("folio_remove_rmap_pte folio_remove_rmap_ptes folio_remove_rmap_pmd hugetlb_remove_rmap", "include/linux/rmap.h (6.12.117)", [{ kind: "removesRmap", page: 0 }], {
    since: "6.7",
    certainty: "plausible",
  }),
];

/** Who owns the reference afterwards. A mapping gives it back where the page is unmapped. */
const TRANSFERS: readonly ApiFact[] = [
  ...facts("page_add_anon_rmap page_add_new_anon_rmap page_add_file_rmap hugepage_add_anon_rmap hugepage_add_new_anon_rmap", RMAP, [takesOver(0, "mapping")], {
    until: "6.8",
  }),
  ...facts(
    "folio_add_anon_rmap_pte folio_add_anon_rmap_ptes folio_add_anon_rmap_pmd folio_add_new_anon_rmap folio_add_file_rmap_pte folio_add_file_rmap_ptes",
    RMAP,
    [takesOver(0, "mapping")],
    { since: "6.7", certainty: "plausible" },
  ),
  ...facts("isolate_lru_page folio_isolate_lru", "mm/vmscan.c:2319 (6.1.192): 0 is isolated, with a reference", [get("zero")], { arity: 1, until: "6.4" }),
  ...facts("isolate_lru_page folio_isolate_lru", "mm/vmscan.c (6.12.117): true is isolated, with a reference", [get("nonzero")], {
    arity: 1,
    since: "6.4",
    certainty: "plausible",
  }),
  ...facts("isolate_hugetlb", "mm/hugetlb.c (6.1.192): 0 is isolated, with a reference", [get("zero")], { arity: 2, since: "6.0", until: "6.4", certainty: "plausible" }),
  ...facts("isolate_hugetlb", "mm/hugetlb.c:7493 (6.12.117): true is isolated, with a reference", [get("nonzero")], { arity: 2, since: "6.4", certainty: "plausible" }),
  ...facts("putback_active_hugepage putback_active_hugetlb_folio folio_putback_hugetlb", "mm/hugetlb.c (6.1.192): the reference of isolate_hugetlb()", [put], { arity: 1 }),
  ...facts("putback_lru_page folio_putback_lru", "mm/vmscan.c (6.1.192)", [put], { arity: 1 }),
  ...facts("sg_set_page sg_alloc_table_from_pages", "include/linux/scatterlist.h (6.1.192)", [takesOver(1, "scatterlist")]),
  ...facts("bio_add_page", "block/bio.c (6.1.192): 0 where it did not fit", [takesOver(1, "bio", "nonzero")], { arity: 4 }),
  ...facts("bvec_set_page", "include/linux/bvec.h", [takesOver(1, "bio")], { arity: 4, since: "6.3", certainty: "plausible" }),
  ...facts("add_to_pipe", "fs/splice.c:1209-1214 (6.1.192): consumed on failure too", [takesOver(1, "pipe")], { arity: 2 }),
  ...facts("memory_failure soft_offline_page", "mm/memory-failure.c:2017,2597 (6.1.192): with MF_COUNT_INCREASED", [maySleep, takesOver(0, "callee")], {
    arity: 2,
    since: "5.7",
    certainty: "plausible",
  }),
];

/** Where an object is found again by somebody else: the reference stays with it until it is taken out. */
const KEPT: readonly ApiFact[] = [
  ...facts("list_add list_add_tail list_add_rcu list_add_tail_rcu list_move list_move_tail hlist_add_head hlist_add_head_rcu llist_add", "include/linux/list.h, llist.h (6.1.192)", [
    takesOver(0, "list"),
  ], { arity: 2 }),
  ...facts("pagevec_add folio_batch_add", "include/linux/pagevec.h (6.1.192)", [takesOver(1, "list")], { arity: 2 }),
  ...facts("__tlb_remove_page", "mm/mmu_gather.c (6.1.192): put when the gather is flushed", [takesOver(1, "list")]),
  ...facts("xas_store", "lib/xarray.c (6.1.192)", [takesOver(1, "mapping")], { arity: 2 }),
  ...facts("rcu_assign_pointer", "include/linux/rcupdate.h (6.1.192)", [takesOver(1, "callee")], { arity: 2 }),
];

export const referenceFacts: readonly ApiFact[] = [...COUNTS, ...VALUES, ...UNMAPPED, ...TRANSFERS, ...KEPT];
