// SPDX-License-Identifier: GPL-2.0-only

/** What is analyzed of a kernel tree unless the user names something else. */
export const SCANNED_PATHS: readonly string[] = ["mm", "fs/userfaultfd.c", "fs/hugetlbfs", "fs/proc/task_mmu.c", "virt/kvm"];

/** Headers whose inline functions lie between callers and callees of the files above: indexed, not judged. */
export const LINKING_HEADERS: readonly string[] = [
  "include/linux/huge_mm.h",
  "include/linux/hugetlb.h",
  "include/linux/mm.h",
  "include/linux/mm_inline.h",
  "include/linux/mmu_notifier.h",
  "include/linux/pagemap.h",
  "include/linux/rmap.h",
  "include/linux/userfaultfd_k.h",
];
