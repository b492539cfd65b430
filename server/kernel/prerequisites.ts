// SPDX-License-Identifier: GPL-2.0-only
import type { ReleaseRange } from "./effect.ts";

/** Something that a mechanism needs of the tree it is brought to. The range: releases that lack it. */
export interface Prerequisite extends ReleaseRange {
  /** What the patch brings in. */
  readonly mechanism: "forced-cow-break" | "copy-on-fork-attribute";
  /** A word without which the mechanism is not brought in. */
  readonly word: string;
  readonly commits: readonly { readonly commit: string; readonly title: string | null; readonly release: string }[];
  /** Words in a file of the tree that tell whether it is there. */
  readonly evidence: { readonly path: string; readonly words: RegExp; readonly means: "missing" | "there" };
  /** What happens without. */
  readonly consequence: string;
  readonly source: string;
}

export const PREREQUISITES: readonly Prerequisite[] = [
  {
    mechanism: "forced-cow-break",
    word: "should_force_cow_break",
    until: "4.9",
    commits: [{ commit: "38e088546522", title: "mm: check VMA flags to avoid invalid PROT_NONE NUMA balancing", release: "4.9" }],
    evidence: { path: "mm/memory.c", words: /\bBUG_ON\s*\(\s*!\s*\(\s*vma->vm_flags\s*&\s*\(\s*VM_READ\s*\|\s*VM_EXEC\s*\|\s*VM_WRITE\s*\)\s*\)\s*\)/, means: "missing" },
    consequence: "a FOLL_FORCE read of private PROT_NONE memory becomes a write fault, which do_numa_page() takes for a NUMA hint and stops at its BUG_ON()",
    source: "review of the backports of 17839856fd58 to 4.4 and 4.9",
  },
  {
    mechanism: "copy-on-fork-attribute",
    word: "RDMA_NLDEV_SYS_ATTR_COPY_ON_FORK",
    until: "5.12",
    commits: [{ commit: "70e806e4e645", title: null, release: "5.9" }, { commit: "4eae4efa2c29", title: null, release: "5.12" }],
    evidence: { path: "mm/hugetlb.c", words: /\bpage_(?:needs_cow_for_dma|maybe_dma_pinned)\b/, means: "there" },
    consequence: "user space is told that fork() copies pinned pages and gives MADV_DONTFORK up, while the fork of this release takes pinned pages of hugetlb away",
    source: "message of the commit that adds the attribute: not to be backported without these two",
  },
];
