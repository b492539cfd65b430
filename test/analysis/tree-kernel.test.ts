// SPDX-License-Identifier: GPL-2.0-only
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ENGINE } from "../../server/cli/engine.ts";
import { releaseOfMakefile } from "../../server/source/tree-release.ts";
import { patchwalk } from "../cli/run-command.ts";

/** Set it to a kernel tree, 6.1.y or 6.12.y, to compare with what is known of its hugetlb walks. */
const tree = process.env["PATCHWALK_KERNEL_TREE"] ?? "";
const makefile = join(tree, "Makefile");
const release = tree !== "" && existsSync(makefile) ? (releaseOfMakefile(readFileSync(makefile, "utf8")) ?? "") : "";

/** The walks of Linux 6.1 that nothing protects; the other nine calls of huge_pte_offset() are right. 6.3 mended them. */
const KNOWN: Readonly<Record<string, readonly string[]>> = {
  "6.1": [
    "fs/userfaultfd.c userfaultfd_huge_must_wait", "mm/hugetlb.c follow_huge_pmd_pte", "mm/hugetlb.c follow_hugetlb_page", "mm/hugetlb.c hugetlb_fault",
    "mm/hugetlb.c hugetlb_unshare_pmds", "mm/pagewalk.c walk_hugetlb_range",
  ],
  "6.12": [],
};
const known = KNOWN[/^\d+\.\d+/.exec(release)?.[0] ?? ""];

test.skipIf(known === undefined)("walks of a kernel tree (needs PATCHWALK_KERNEL_TREE, 6.1 or 6.12)", async () => {
  const { out } = await patchwalk(["scan", tree, "--no-cache", "--no-simulate", "--format", "json", "--types", "hugetlb-walk-unlocked"], { engine: ENGINE });
  const inputs = JSON.parse(out).inputs as { findings: { function: string; location: { file: string } }[] }[];
  expect(inputs.flatMap(({ findings }) => findings.map((one) => `${one.location.file} ${one.function}`)).toSorted()).toEqual(known);
}, 300_000);
