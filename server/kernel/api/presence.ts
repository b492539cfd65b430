// SPDX-License-Identifier: GPL-2.0-only
import type { ReleaseRange } from "../effect.ts";

/**
 * From which release to which a name exists. Not the same as the range of a fact, which says from when on a call behaves so: here
 * are only names whose coming or going was read, and a name that is not here is not known to be absent from anywhere.
 */
export interface Presence extends ReleaseRange {
  readonly name: string;
  readonly kind: "function" | "flag";
  /** Where a tree that has it defines it. */
  readonly headers: readonly string[];
  /** What the releases without it have for the same purpose. */
  readonly instead?: string;
  /** Commits, or the files that were read. */
  readonly source: string;
}

type Bounds = ReleaseRange & { readonly instead?: string };

const named = (kind: Presence["kind"], headers: string) => (names: string, source: string, bounds: Bounds): Presence[] =>
  names.split(" ").map((name) => ({ name, kind, headers: headers.split(" "), source, ...bounds }));

const MM = "include/linux/mm.h";
const flag = named("flag", `${MM} include/linux/mm_types.h mm/internal.h`);
const gup = named("function", MM);
const notifier = named("function", "include/linux/mmu_notifier.h");
const table = named("function", `${MM} include/linux/pgtable.h include/asm-generic/pgtable.h`);
const rmap = named("function", `include/linux/rmap.h ${MM}`);
const hugetlb = named("function", "include/linux/hugetlb.h");
const vmaLock = named("function", `${MM} include/linux/mmap_lock.h`);
const pageFlag = named("function", `include/linux/page-flags.h ${MM}`);

const ROWS: readonly Presence[] = [
  ...flag("FOLL_LONGTERM", "932f4a630a69", { since: "5.2", instead: "get_user_pages_longterm()" }),
  ...flag("FOLL_SPLIT_PMD", "include/linux/mm.h (5.4)", { since: "5.4" }),
  ...flag("FOLL_PIN", "eddb1c228f79", { since: "5.6" }),
  ...flag("FOLL_FAST_ONLY", "376a34efa4ee", { since: "5.8" }),
  ...flag("FOLL_NOFAULT", "55b8fe703bc5", { since: "5.16" }),
  ...flag("FOLL_MLOCK FOLL_POPULATE", "b67bf49ce7aa; not in 6.1.192", { until: "5.18" }),
  ...flag("FOLL_COW", "5535be309971", { until: "6.0" }),
  ...flag("FOLL_NUMA", "474098edac26", { until: "6.1" }),
  ...flag("FOLL_PCI_P2PDMA FOLL_INTERRUPTIBLE", "include/linux/mm.h: not in 6.1.192, in 6.12.117", { since: "6.2" }),
  ...flag("FOLL_MIGRATION", "include/linux/mm.h: in 6.1.192, not in 6.12.117; \"mm/gup: remove FOLL_MIGRATION\"", { until: "6.2" }),
  ...flag("FOLL_UNLOCKABLE", "f04740f54594", { since: "6.3" }),
  ...flag("FAULT_FLAG_UNSHARE", "a7f226604170 uses it", { since: "5.19" }),
  ...flag("FAULT_FLAG_VMA_LOCK", "the series of per-VMA locks; not in 6.1.192", { since: "6.4" }),

  ...gup("get_user_pages_longterm", "932f4a630a69", { until: "5.2", instead: "FOLL_LONGTERM" }),
  ...gup("put_user_page put_user_pages put_user_pages_dirty_lock", "f1f6a7dd9b53", { until: "5.6", instead: "the unpin_user_page() family" }),
  ...named("function", "mm/gup.c")("unpin_user_pages_lockless", "b6a2619c60b4; mm/gup.c: in 6.1.192, not in 6.12.117", { since: "5.19", until: "6.11", instead: "gup_fast_unpin_user_pages()" }),
  ...named("function", "mm/gup.c")("gup_fast_unpin_user_pages", "mm/gup.c: not in 6.1.192, in 6.12.117", { since: "6.11", instead: "unpin_user_pages_lockless()" }),
  ...named("function", "include/linux/hugetlb.h mm/hugetlb.c")("follow_hugetlb_page", "mm/hugetlb.c: in 6.1.192, not in 6.12.117", { until: "6.5" }),
  ...gup("pin_user_pages pin_user_pages_fast pin_user_pages_remote", "eddb1c228f79", { since: "5.6", instead: "the get_user_pages() family" }),
  ...gup("unpin_user_page unpin_user_pages unpin_user_pages_dirty_lock", "f1f6a7dd9b53", { since: "5.6", instead: "put_page(), or from 5.2 the put_user_page() family" }),
  ...gup("get_user_pages_fast_only get_user_page_fast_only", "376a34efa4ee", { since: "5.8", instead: "__get_user_pages_fast()" }),
  ...gup("__get_user_pages_fast", "376a34efa4ee", { until: "5.8", instead: "get_user_pages_fast_only()" }),
  ...gup("get_user_pages_locked pin_user_pages_locked", "removed as unused in February 2022; not in 6.1.192", { until: "5.18", instead: "the _unlocked() forms" }),
  ...named("function", `${MM} mm/internal.h`)("gup_must_unshare", "a7f226604170", { since: "5.19" }),
  ...gup("get_user_page_vma_remote", "ca5e863233e8", { since: "6.5", instead: "get_user_pages_remote() with vmas" }),
  ...gup("follow_pfnmap_start follow_pfnmap_end", "6da8e9634bb7", { since: "6.12", instead: "follow_pte()" }),
  ...gup("follow_page", "include/linux/mm.h: in 6.1.192, not in 6.12.117", { until: "6.12", instead: "folio_walk_start()" }),
  ...gup("follow_pte", "include/linux/mm.h: in 6.1.192, not in 6.12.117", { until: "6.12", instead: "follow_pfnmap_start()" }),
  ...gup("zap_page_range", "e9adcfecf572", { until: "6.3", instead: "zap_vma_pages(), zap_page_range_single()" }),
  ...gup("zap_vma_pages", "e9adcfecf572", { since: "6.3", instead: "zap_page_range()" }),

  ...notifier("mmu_notifier_range_init", "ac46d4f3c432", { since: "5.0" }),
  ...notifier("mmu_notifier_range_update_to_read_only", "7d4a8be0c4b2", { until: "6.3" }),
  ...notifier("mmu_notifier_invalidate_range_only_end", "ec8832d007cb", { until: "6.6", instead: "mmu_notifier_invalidate_range_end()" }),
  ...notifier("ptep_clear_flush_notify pmdp_huge_clear_flush_notify pudp_huge_clear_flush_notify", "ec8832d007cb", { until: "6.6", instead: "the forms without _notify" }),
  ...notifier("mmu_notifier_invalidate_range", "1af5a8109904", { until: "6.6", instead: "mmu_notifier_arch_invalidate_secondary_tlbs()" }),
  ...notifier("mmu_notifier_arch_invalidate_secondary_tlbs", "1af5a8109904", { since: "6.6", instead: "mmu_notifier_invalidate_range()" }),
  ...notifier("set_pte_at_notify", "f7842747d13d", { until: "6.10", instead: "set_pte_at()" }),

  ...table("pte_offset_map_nolock", "0d940a9b270b", { since: "6.5", instead: "pte_offset_map() and pte_lockptr()" }),
  ...table("pte_offset_map_ro_nolock pte_offset_map_rw_nolock", "66efef9b1a7d; not in 6.12.117", { since: "6.13", instead: "pte_offset_map_nolock()" }),
  ...table("pmd_trans_unstable", "feda5c393a6c", { until: "6.5", instead: "the test of what pte_offset_map_lock() returns" }),

  ...rmap("page_try_dup_anon_rmap", "fb3d824d1a46; not in 6.12.117", { since: "5.19", until: "6.8", instead: "from 6.8 the folio_try_dup_anon_rmap_pte() family" }),
  ...rmap("page_try_share_anon_rmap", "6c287605fd56; not in 6.12.117", { since: "5.19", until: "6.8", instead: "from 6.8 folio_try_share_anon_rmap_pte()" }),
  ...rmap("folio_try_dup_anon_rmap_pte folio_try_dup_anon_rmap_ptes folio_try_dup_anon_rmap_pmd", "the rmap series of 6.8; not in 6.1.192", { since: "6.8", instead: "page_try_dup_anon_rmap()" }),
  ...rmap("folio_try_share_anon_rmap_pte folio_try_share_anon_rmap_pmd", "the rmap series of 6.8; not in 6.1.192", { since: "6.8", instead: "page_try_share_anon_rmap()" }),
  ...rmap("anon_vma_trylock_write", "adef440691ba; not in 6.1.192", { since: "6.8" }),
  ...pageFlag("PageAnonExclusive SetPageAnonExclusive ClearPageAnonExclusive", "6c287605fd56", { since: "5.19" }),

  ...hugetlb("hugetlb_vma_lock_read hugetlb_vma_unlock_read hugetlb_vma_lock_write hugetlb_vma_unlock_write hugetlb_vma_trylock_write", "40549ba8f8e0", { since: "6.1" }),
  ...hugetlb("hugetlb_walk", "9c67a20704e7", { since: "6.3", instead: "huge_pte_offset()" }),

  ...vmaLock("lock_vma_under_rcu vma_start_read vma_end_read vma_start_write", "the series of per-VMA locks; not in 6.1.192", { since: "6.4" }),
  ...vmaLock("assert_fault_locked", "include/linux/mm.h: not in 6.1.192, in 6.12.117", { since: "6.6", instead: "mmap_assert_locked()" }),
];

const BY_NAME: ReadonlyMap<string, Presence> = new Map(ROWS.map((row) => [row.name, row]));

/** Every name whose coming or going is known, in table order. */
export const presences: readonly Presence[] = ROWS;

/** Where a name exists; null: nothing is known about that. */
export const presenceOf = (name: string): Presence | null => BY_NAME.get(name) ?? null;
