// SPDX-License-Identifier: GPL-2.0-only
import type { ApiFact } from "../effect.ts";
import { SAME_FOLIO } from "../same-folio.ts";
import { values } from "./make.ts";

const PGTABLE = "include/linux/pgtable.h, arch/x86/include/asm/pgtable.h (6.1.192)";
const MM = "include/linux/mm.h (6.1.192)";

/**
 * Calls without effects whose value can be decided on model state. In the model an entry's value is the page that it
 * maps (or none, or a swap entry), so whatever turns an entry into a page or builds one from a page is `identity`.
 */
export const pureFacts: readonly ApiFact[] = [
  ...values("pte_none huge_pte_none pmd_none pud_none p4d_none pgd_none", "entry-none", [0], PGTABLE, { arity: 1 }),
  ...values("pte_present pmd_present pud_present p4d_present pgd_present", "entry-present", [0], PGTABLE, { arity: 1 }),
  ...values("pte_same pmd_same pud_same", "entry-same", [0, 1], PGTABLE, { arity: 2 }),
  ...values("pte_write huge_pte_write pmd_write pud_write", "entry-write", [0], PGTABLE, { arity: 1 }),
  ...values("pte_dirty huge_pte_dirty pmd_dirty pud_dirty", "entry-dirty", [0], PGTABLE, { arity: 1 }),

  ...values("pte_val pmd_val pud_val pte_page pmd_page pte_pfn pmd_pfn pfn_to_page", "identity", [0], PGTABLE, { arity: 1 }),
  ...values("is_device_private_entry is_device_exclusive_entry", "entry-device", [0], "include/linux/swapops.h (6.1.192): not present for the CPU, present for a device", { arity: 1 }),
  ...values("is_migration_entry is_pmd_migration_entry", "entry-migration", [0], "include/linux/swapops.h (6.1.192)", { arity: 1 }),
  ...values("is_swap_pte is_swap_pmd", "entry-swapped", [0], "include/linux/swapops.h, include/linux/huge_mm.h (6.1.192): !none && !present", { arity: 1 }),
  ...values("non_swap_entry", "entry-not-swap", [0], "include/linux/swapops.h (6.1.192): a type that is no swap device's", { arity: 1 }),
  ...values("pte_to_swp_entry swp_entry_to_pte", "identity", [0], "include/linux/swapops.h (6.1.192)", { arity: 1 }),
  ...values("pfn_swap_entry_to_page", "identity", [0], "include/linux/swapops.h (6.1.192)", { arity: 1 }),
  ...values("vm_normal_folio vm_normal_page vm_normal_page_pmd vm_normal_folio_pmd", "identity", [2], "mm/memory.c (6.1.192)", { arity: 3 }),
  ...values([...SAME_FOLIO].join(" "), "identity", [0], "include/linux/page-flags.h, include/linux/pagemap.h (6.1.192)"),
  ...values("mk_pte mk_pmd mk_huge_pmd folio_mk_pte mk_huge_pte pte_modify pmd_modify", "identity", [0], PGTABLE, { arity: 2 }),
  ...values("maybe_mkwrite maybe_pmd_mkwrite", "identity", [0], MM, { arity: 2 }),
  ...values("pte_mkwrite pmd_mkwrite", "identity", [0], PGTABLE, { arity: 1, until: "6.7" }),
  ...values("pte_mkwrite pmd_mkwrite", "identity", [0], "include/linux/pgtable.h, vma from 6.7", { arity: 2, since: "6.7", certainty: "plausible" }),
  ...values(
    "pte_mkdirty pte_mkclean pte_mkyoung pte_mkold pte_wrprotect pte_mksoft_dirty pte_clear_soft_dirty pte_mkuffd_wp pte_clear_uffd_wp pte_mkspecial pte_mkhuge pmd_mkdirty pmd_mkclean pmd_mkyoung pmd_mkold pmd_wrprotect pmd_mkhuge pmd_mksoft_dirty pmd_mkuffd_wp huge_pte_mkdirty huge_pte_mkwrite huge_pte_wrprotect huge_pte_mkuffd_wp pte_swp_mksoft_dirty pte_swp_mkuffd_wp pte_swp_clear_uffd_wp pte_swp_clear_exclusive pte_swp_mkexclusive arch_make_huge_pte",
    "identity",
    [0],
    PGTABLE,
  ),
  ...values(
    "pte_sw_mkyoung pte_mkdevmap pmd_mkdevmap pmd_clear_soft_dirty pmd_clear_uffd_wp pmd_swp_mkuffd_wp pmd_swp_clear_uffd_wp pmd_swp_mksoft_dirty huge_pte_clear_uffd_wp pmd_mk_savedwrite pte_mk_savedwrite pte_clear_savedwrite pmd_to_swp_entry swp_entry_to_pmd pfn_pud pud_mkdirty pud_wrprotect pud_mkyoung pud_mkclean pud_mkhuge pud_mkwrite pud_mkold pud_mkdevmap pmd_mkinvalid pmd_folio pfn_folio",
    "identity",
    [0],
    "include/linux/pgtable.h, include/linux/swapops.h (6.1.192, 6.12.117)",
  ),
  ...values("READ_ONCE ACCESS_ONCE rcu_dereference smp_load_acquire", "identity", [0], "include/asm-generic/rwonce.h (6.1.192)", { arity: 1 }),
  ...values("untagged_addr", "identity", [0], MM, { arity: 1 }),
  ...values("untagged_addr_remote", "identity", [1], "include/linux/uaccess.h (6.4)", { arity: 2, certainty: "plausible" }),

  ...values("folio_mapcount page_mapcount total_mapcount", "folio-mapcount", [0], MM, { arity: 1 }),
  ...values("folio_estimated_sharers", "folio-mapcount", [0], "include/linux/mm.h, until 6.9", { arity: 1, since: "6.0", until: "6.9", certainty: "plausible" }),
  ...values("folio_test_anon PageAnon", "folio-anon", [0], "include/linux/page-flags.h (6.1.192)", { arity: 1 }),
  ...values("PageAnonExclusive", "anon-exclusive", [0], "include/linux/page-flags.h (6.1.192)", { arity: 1, since: "5.19" }),
  ...values("is_cow_mapping", "cow-mapping", [0], "include/linux/mm.h:1276-1279 (6.1.192)", { arity: 1 }),
  ...values("is_vm_hugetlb_page", "hugetlb-vma", [0], "include/linux/hugetlb_inline.h (6.1.192)", { arity: 1 }),
  ...values("IS_ERR", "error-pointer", [0], "include/linux/err.h (6.1.192)", { arity: 1 }),
  ...values("IS_ERR_OR_NULL", "null-or-error-pointer", [0], "include/linux/err.h (6.1.192)", { arity: 1 }),
  ...values("gup_must_unshare", "must-unshare", [0, 1], "include/linux/mm.h:3189-3224 (6.1.192)", { arity: 2, since: "5.19", until: "6.2" }),
  ...values("gup_must_unshare", "must-unshare", [1, 2, 0], "84209e87c696", { arity: 3, since: "6.2" }),

  /** Known calls whose value the model does not decide. */
  ...values("follow_page_pte can_follow_write_pte can_follow_write_pmd", "other", [], "mm/gup.c, mm/huge_memory.c (6.1.192)"),
  ...values("arch_make_page_accessible", "other", [], "include/linux/mm.h (6.1.192): 0 but on s390"),
  ...values("page_is_secretmem folio_is_secretmem gup_fast_folio_allowed", "other", [], "include/linux/secretmem.h, mm/gup.c (6.1.192, 6.12)"),
  ...values("pte_offset_kernel pmd_offset pud_offset p4d_offset pgd_offset mm_find_pmd", "other", [], PGTABLE),
];
