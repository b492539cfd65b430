// SPDX-License-Identifier: GPL-2.0-only
import type { EraBehavior } from "../../kernel/era.ts";

/** How a private page is mapped: by a PTE, by a PMD, by hugetlb. */
export type PageKind = "order-0" | "thp" | "hugetlb";

/** What one era does about one kind of page. */
export interface PageBehavior {
  readonly reuse: EraBehavior["anonReuse"];
  readonly readOnlyGup: EraBehavior["readOnlyGup"];
  readonly forkProtection: EraBehavior["forkProtection"];
  /** What the kernel's functions are called, for the texts of steps. */
  readonly names: KernelNames;
}

export interface KernelNames {
  readonly writeFault: string;
  readonly copy: string;
  readonly fork: string;
  /** Where fork decides about a pinned page. */
  readonly earlyCopy: string;
  readonly follow: string;
  /** A write fault where nothing is mapped. */
  readonly firstWrite: string;
  readonly zap: string;
}

const namesOf = ({ forkProtection }: EraBehavior, kind: PageKind): KernelNames => {
  const exclusive = forkProtection === "exclusive";
  const names: Record<PageKind, KernelNames> = {
    "order-0": {
      writeFault: "do_wp_page()",
      copy: "wp_page_copy()",
      fork: forkProtection === "none" ? "copy_one_pte()" : "copy_present_pte()",
      earlyCopy: exclusive ? "page_try_dup_anon_rmap()" : "copy_present_page()",
      follow: "follow_page_pte()",
      firstWrite: "do_cow_fault()",
      zap: "zap_pte_range()",
    },
    thp: {
      writeFault: "do_huge_pmd_wp_page()",
      copy: "do_huge_pmd_wp_page()",
      fork: "copy_huge_pmd()",
      earlyCopy: exclusive ? "page_try_dup_anon_rmap()" : "copy_huge_pmd()",
      follow: "follow_trans_huge_pmd()",
      firstWrite: "do_huge_pmd_anonymous_page()",
      zap: "zap_huge_pmd()",
    },
    hugetlb: {
      writeFault: exclusive ? "hugetlb_wp()" : "hugetlb_cow()",
      copy: exclusive ? "hugetlb_wp()" : "hugetlb_cow()",
      fork: "copy_hugetlb_page_range()",
      earlyCopy: exclusive ? "page_try_dup_anon_rmap()" : "copy_hugetlb_page_range()",
      follow: "follow_hugetlb_page()",
      firstWrite: "hugetlb_no_page()",
      zap: "__unmap_hugepage_range()",
    },
  };
  return names[kind];
};

/** Sources: `mm/memory.c`, `mm/huge_memory.c`, `mm/hugetlb.c`; which era does what is in `kernel/era.ts`. */
export function pageBehavior(era: EraBehavior, kind: PageKind): PageBehavior {
  const reuse: Record<PageKind, EraBehavior["anonReuse"]> = { "order-0": era.anonReuse, thp: era.thpReuse, hugetlb: era.hugetlbReuse };
  return {
    reuse: reuse[kind],
    readOnlyGup: era.readOnlyGup,
    forkProtection: kind === "hugetlb" ? era.hugetlbForkProtection : era.forkProtection,
    names: namesOf(era, kind),
  };
}
