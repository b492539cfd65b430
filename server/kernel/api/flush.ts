// SPDX-License-Identifier: GPL-2.0-only
import type { ApiFact, Effect } from "../effect.ts";
import { facts, maySleep } from "./make.ts";

const flush: Effect = { kind: "flushTlb" };

/** Flushes of user translations. Which range a call flushes is not said: it is taken to be the one that matters. */
export const flushFacts: readonly ApiFact[] = [
  ...facts("flush_tlb_page flush_tlb_range flush_tlb_mm flush_tlb_all flush_pmd_tlb_range flush_pud_tlb_range", "Documentation/core-api/cachetlb.rst, include/linux/pgtable.h (6.1.192)", [flush]),
  ...facts("flush_hugetlb_tlb_range", "include/linux/hugetlb.h (6.1.192)", [flush]),
  ...facts("tlb_flush_mmu_tlbonly tlb_end_vma", "include/asm-generic/tlb.h (6.1.192)", [flush]),
  ...facts("tlb_finish_mmu tlb_flush_mmu", "mm/mmu_gather.c:64 (6.1.192): cond_resched() when batches are flushed", [maySleep, flush]),
];
