// SPDX-License-Identifier: GPL-2.0-only
import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ENGINE } from "../../server/cli/engine.ts";
import { patchwalk } from "../cli/run-command.ts";
import { hasTree, tree, treeRelease } from "../kernel-tree.ts";

/**
 * What is known to be wrong in released kernels, as `file function rule tier severity`, one for each finding: everything else is a false
 * alarm. `change_huge_pmd()`, `clear_soft_dirty_pmd()` and `qib_user_sdma_pin_pages()` are as reported, and accepted: no event for a page that
 * is pinned, and a pin that lasts as long as one transfer.
 */
const KNOWN: Readonly<Record<string, readonly string[]>> = {
  "6.1": [
    "drivers/infiniband/hw/qib/qib_user_sdma.c qib_user_sdma_pin_pages gup-readonly-longterm contract warning",
    "drivers/vfio/vfio_iommu_type1.c vaddr_get_pfns gup-readonly-longterm proved warning",
    "fs/proc/task_mmu.c clear_soft_dirty_pmd write-protect-ignores-pins proved info",
    "fs/userfaultfd.c userfaultfd_huge_must_wait hugetlb-walk-unlocked proved error",
    "mm/huge_memory.c change_huge_pmd write-protect-ignores-pins proved info",
    "mm/hugetlb.c follow_huge_pmd_pte hugetlb-walk-unlocked proved error",
    "mm/hugetlb.c follow_hugetlb_page hugetlb-walk-unlocked proved error",
    "mm/hugetlb.c hugetlb_fault hugetlb-walk-unlocked proved error",
    "mm/hugetlb.c hugetlb_unshare_pmds hugetlb-walk-unlocked proved error",
    "mm/mmap.c __vma_adjust assert-not-held contract error",
    "mm/mmap.c __vma_adjust assert-not-held contract error",
    "mm/mprotect.c change_pmd_range pgtable-alloc-failure-lost proved error",
    "mm/mprotect.c change_pmd_range pgtable-alloc-failure-lost proved error",
    "mm/pagewalk.c walk_hugetlb_range hugetlb-walk-unlocked contract error",
  ],
  // UFFDIO_MOVE: the pmd of the destination is not compared under the lock (mended in 6.13 and 6.14), and four warnings look at pmds without theirs.
  "6.12": [
    "fs/proc/task_mmu.c clear_soft_dirty_pmd write-protect-ignores-pins proved info",
    ...Array<string>(4).fill("mm/userfaultfd.c move_pages_pte bug-on-racy-state contract info"),
    "mm/userfaultfd.c move_pages_pte pte-recheck-missing contract warning",
  ],
};
const known = KNOWN[/^\d+\.\d+/.exec(treeRelease)?.[0] ?? ""];

/** Code around mm/ takes locks in more ways; a tree that was unpacked for a scan of mm/ has less of it. */
const paths = ["mm", "fs", "kernel", "block", "virt/kvm", "drivers/infiniband", "drivers/vfio", "io_uring"].filter((path) => hasTree && existsSync(join(tree, path)));

interface Shown {
  readonly function: string;
  readonly ruleId: string;
  readonly tier: string;
  readonly severity: string;
  readonly location: { readonly file: string };
}

test.skipIf(known === undefined)("what is found in a kernel tree (needs PATCHWALK_KERNEL_TREE, 6.1 or 6.12)", async () => {
  const { out } = await patchwalk(["scan", tree, ...paths, "--no-cache", "--format", "json"], { engine: ENGINE });
  const inputs = JSON.parse(out).inputs as { findings: Shown[] }[];
  const found = inputs.flatMap(({ findings }) => findings.map((one) => `${one.location.file} ${one.function} ${one.ruleId} ${one.tier} ${one.severity}`));
  expect(found.toSorted()).toEqual(known);
}, 1_200_000);
