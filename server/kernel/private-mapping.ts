// SPDX-License-Identifier: GPL-2.0-only

/**
 * What tells that a mapping is private (PMD tables of hugetlb are shared between MAP_SHARED mappings only), as far as
 * code says it without asking the VMA's flags.
 */

/** Tests of a folio or page that hold for anonymous memory only, and anonymous memory is in private mappings only. */
export const ANON_TESTS: readonly string[] = ["folio_test_anon", "PageAnon"];

/**
 * Tests of a VMA without which hugetlb does not share its tables (false: not shared with anyone), and tests that a
 * shared mapping fails. mm/hugetlb.c, vma_shareable(), __vma_shareable_lock() (6.1.192), __vma_private_lock() (6.6);
 * uffd_disable_huge_pmd_share(): want_pmd_share() refuses, and registration has unshared what was shared (6.1.192).
 */
export const SHARE_TESTS: readonly string[] = ["vma_shareable", "__vma_shareable_lock", "want_pmd_share"];
export const PRIVATE_TESTS: readonly string[] = ["__vma_private_lock", "vma_is_anonymous", "uffd_disable_huge_pmd_share"];

/**
 * Fields that name a VMA with anonymous memory: a VMA gets an `anon_vma` with its first anonymous page, and the VMAs
 * of hugetlb that have one are private. mm/rmap.c, __anon_vma_prepare(); include/linux/rmap.h (6.1.192).
 */
export const VMA_OF_ANON: readonly { readonly type: string; readonly field: string }[] = [{ type: "anon_vma_chain", field: "vma" }];

/**
 * Calls that are made for VMAs with an anon_vma, or for folios in them, and for no others. mm/rmap.c,
 * include/linux/rmap.h (6.1.192); folio_get_anon_vma() of a folio that is no anonymous one is NULL.
 */
export const ANON_VMA_CALLS: readonly string[] = ["anon_vma_prepare", "vmf_anon_prepare", "folio_get_anon_vma", "page_get_anon_vma", "folio_lock_anon_vma_read", "page_lock_anon_vma_read"];

/** A macro that declares a structure and fills it: position of the structure's name and of what its fields get. */
export interface FillingMacro {
  readonly name: string;
  readonly structure: number;
  /** Field -> position of the argument that it gets. */
  readonly fields: Readonly<Record<string, number>>;
  /** Positions of the folio or page, and of the VMA in which it is looked for. */
  readonly page: number;
  readonly vma: number;
}

/** include/linux/rmap.h:384-402 (6.1.192). */
export const PAGE_WALKS: readonly FillingMacro[] = ["DEFINE_PAGE_VMA_WALK", "DEFINE_FOLIO_VMA_WALK"].map((name) => ({
  name,
  structure: 0,
  fields: { vma: 2, address: 3 },
  page: 1,
  vma: 2,
}));

/** Prefixes of flags that decide about locks or references and so are followed bit by bit. */
export const FOLLOWED_FLAGS: readonly string[] = ["FOLL_", "TTU_"];
