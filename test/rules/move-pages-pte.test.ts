// SPDX-License-Identifier: GPL-2.0-only
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ENGINE } from "../../server/cli/engine.ts";
import { patchwalk } from "../cli/run-command.ts";
import { hasTree, tree, treeRelease } from "../kernel-tree.ts";

interface Place {
  readonly file: string;
  readonly newLine: number;
}

interface Shown {
  readonly function: string;
  readonly ruleId: string;
  readonly tier: string;
  readonly severity: string;
  readonly evidence: unknown;
  readonly location: Place;
  readonly related: readonly Place[];
}

const PATH = "mm/userfaultfd.c";

/** UFFDIO_MOVE is the merged form of the patch of thread 000: what it still has of that patch, and nothing else. */
test.skipIf(!hasTree || !treeRelease.startsWith("6.12."))("what the review of UFFDIO_REMAP left in the merged code (needs PATCHWALK_KERNEL_TREE, 6.12)", async () => {
  const { out } = await patchwalk(["scan", tree, PATH, "--no-cache", "--format", "json"], { engine: ENGINE });
  const inputs = JSON.parse(out).inputs as { findings: Shown[] }[];
  const lines = readFileSync(join(tree, PATH), "utf8").split("\n");
  const textAt = ({ file, newLine }: Place): string => (file === PATH ? (lines[newLine - 1] ?? "") : file);
  const found = inputs.flatMap(({ findings }) => findings);
  expect(found.map((one) => `${one.function} ${one.ruleId} ${one.tier} ${one.severity}`)).toEqual([
    "move_pages_pte pte-recheck-missing contract warning",
    ...Array<string>(4).fill("move_pages_pte bug-on-racy-state contract info"),
  ]);
  expect(found.map(({ evidence }) => evidence)).toEqual([null, null, null, null, null]);
  const [recheck, ...warnings] = found;
  // The map of the destination; helpers compare none with none, and write.
  expect(recheck && textAt(recheck.location)).toContain("dst_pte = pte_offset_map_nolock(");
  expect(recheck?.related.map(textAt)).toEqual([
    expect.stringContaining("pte_same(ptep_get(dst_pte), orig_dst_pte)"), expect.stringContaining("set_pte_at(mm, dst_addr, dst_pte,"),
    expect.stringContaining("pte_same(ptep_get(dst_pte), orig_dst_pte)"), expect.stringContaining("set_pte_at(mm, dst_addr, dst_pte,"),
  ]);
  for (const { location } of warnings) expect(textAt(location)).toMatch(/WARN_ON_ONCE\(pmd_(?:none|trans_huge)\(\*(?:dst|src)_pmd\)\)/);
}, 120_000);
