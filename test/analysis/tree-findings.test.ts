// SPDX-License-Identifier: GPL-2.0-only
import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ENGINE } from "../../server/cli/engine.ts";
import { patchwalk } from "../cli/run-command.ts";
import { hasTree, tree, treeRelease } from "../kernel-tree.ts";

/**
 * What is known to be wrong in released kernels, as `file function rule`: everything else that is reported is a false alarm.
 * `change_huge_pmd()` and `qib_user_sdma_pin_pages()` are as reported, and accepted: no event for a page that is pinned, and a pin
 * that lasts as long as one transfer.
 */
const KNOWN: Readonly<Record<string, readonly string[]>> = {
  "6.1": [
    "drivers/infiniband/hw/qib/qib_user_sdma.c qib_user_sdma_pin_pages gup-readonly-longterm",
    "drivers/vfio/vfio_iommu_type1.c vaddr_get_pfns gup-readonly-longterm",
    "fs/userfaultfd.c userfaultfd_huge_must_wait hugetlb-walk-unlocked",
    "mm/huge_memory.c change_huge_pmd write-protect-ignores-pins",
    "mm/hugetlb.c follow_huge_pmd_pte hugetlb-walk-unlocked",
    "mm/hugetlb.c follow_hugetlb_page hugetlb-walk-unlocked",
    "mm/hugetlb.c hugetlb_fault hugetlb-walk-unlocked",
    "mm/hugetlb.c hugetlb_unshare_pmds hugetlb-walk-unlocked",
    "mm/mmap.c __vma_adjust assert-not-held",
    "mm/mprotect.c change_pmd_range pgtable-alloc-failure-lost",
    "mm/pagewalk.c walk_hugetlb_range hugetlb-walk-unlocked",
  ],
  "6.12": [],
};
const known = KNOWN[/^\d+\.\d+/.exec(treeRelease)?.[0] ?? ""];

/** Code around mm/ takes locks in more ways; a tree that was unpacked for a scan of mm/ has less of it. */
const paths = ["mm", "fs", "kernel", "block", "virt/kvm", "drivers/infiniband", "drivers/vfio", "io_uring"].filter((path) => hasTree && existsSync(join(tree, path)));

test.skipIf(known === undefined)("what is reported of a kernel tree (needs PATCHWALK_KERNEL_TREE, 6.1 or 6.12)", async () => {
  const { out } = await patchwalk(["scan", tree, ...paths, "--no-cache", "--format", "json", "--min-tier", "contract"], { engine: ENGINE });
  const inputs = JSON.parse(out).inputs as { findings: { function: string; ruleId: string; location: { file: string } }[] }[];
  const found = inputs.flatMap(({ findings }) => findings.map((one) => `${one.location.file} ${one.function} ${one.ruleId}`));
  expect([...new Set(found)].toSorted()).toEqual(known);
}, 1_200_000);
