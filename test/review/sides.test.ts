// SPDX-License-Identifier: GPL-2.0-only
import { describe, expect, test } from "vitest";
import { ENGINE } from "../../server/cli/engine.ts";
import { DEFAULT_OPTIONS } from "../../server/review/options.ts";
import { review } from "../../server/review/review.ts";
import { explorations } from "../../server/simulator/remembered.ts";
import { folderOf, patchwalk } from "../cli/run-command.ts";

/** A patch of one hunk from its lines, which begin with a blank, `+` or `-`. */
function patchOf(body: string): string {
  const lines = body.replace(/^\n/, "").trimEnd().split("\n").map((line) => (line === "" ? " " : line));
  const count = (sign: string): number => lines.filter((line) => line.startsWith(" ") || line.startsWith(sign)).length;
  return `From: Example Developer <dev@example.org>
Date: Mon, 16 Jan 2023 10:20:00 +0000
Subject: [PATCH 6.1] mm/toy: change a function

---
diff --git a/mm/toy.c b/mm/toy.c
index 2d8e4d9..009a231 100644
--- a/mm/toy.c
+++ b/mm/toy.c
@@ -1,${count("-")} +1,${count("+")} @@
${lines.join("\n")}
--${" "}
2.39.5
`;
}

/** The lines between the locks of a function that looks at a huge entry under mmap_lock alone. */
const walker = (body: string): string => patchOf(`
 static bool toy_is_none(struct mm_struct *mm, struct vm_area_struct *vma, unsigned long addr)
 {
 	bool none = true;
 	pte_t *ptep;
 
 	mmap_read_lock(mm);
${body.replace(/^\n/, "").trimEnd()}
 	mmap_read_unlock(mm);
 	return none;
 }`);

/** A function that moves entries under a start that may be refused. */
const mover = (body: string): string => patchOf(`
 static int toy_move(struct mm_struct *mm, struct vm_area_struct *vma, pte_t *ptep, unsigned long addr)
 {
 	struct mmu_notifier_range range;
 	pte_t pte;
 
 	mmu_notifier_range_init(&range, MMU_NOTIFY_UNMAP, 0, vma, mm, addr, addr + PAGE_SIZE);
${body.replace(/^\n/, "").trimEnd()}
 	pte = ptep_clear_flush(vma, addr, ptep);
 	mmu_notifier_invalidate_range_end(&range);
 	return 0;
 }`);

const PATCHES = {
  "the use of an old lookup is written anew": walker(`
 	ptep = huge_pte_offset(mm, addr, huge_page_size(hstate_vma(vma)));
-	if (ptep)
-		none = huge_pte_none(huge_ptep_get(ptep));
+	if (ptep && addr)
+		none = !!huge_pte_none(huge_ptep_get(ptep));`),
  "the lookup is replaced by another one": walker(`
-	ptep = huge_pte_offset(mm, addr, huge_page_size(hstate_vma(vma)));
+	ptep = huge_pte_offset(vma->vm_mm, addr, PMD_SIZE);
 	if (ptep)
 		none = huge_pte_none(huge_ptep_get(ptep));`),
  "something else in the function is changed": walker(`
 	ptep = huge_pte_offset(mm, addr, huge_page_size(hstate_vma(vma)));
 	if (ptep)
 		none = huge_pte_none(huge_ptep_get(ptep));
+	toy_count++;`),
  "the lines are indented": walker(`
+	if (vma) {
-	ptep = huge_pte_offset(mm, addr, huge_page_size(hstate_vma(vma)));
-	if (ptep)
-		none = huge_pte_none(huge_ptep_get(ptep));
+		ptep = huge_pte_offset(mm, addr, huge_page_size(hstate_vma(vma)));
+		if (ptep)
+			none = huge_pte_none(huge_ptep_get(ptep));
+	}`),
  "the lock is given up": walker(`
-	hugetlb_vma_lock_read(vma);
 	ptep = huge_pte_offset(mm, addr, huge_page_size(hstate_vma(vma)));
 	if (ptep)
 		none = huge_pte_none(huge_ptep_get(ptep));
-	hugetlb_vma_unlock_read(vma);`),
  "the lookup is new": walker(`
+	ptep = huge_pte_offset(mm, addr, huge_page_size(hstate_vma(vma)));
+	if (ptep)
+		none = huge_pte_none(huge_ptep_get(ptep));`),
  "the lock is taken": walker(`
+	hugetlb_vma_lock_read(vma);
 	ptep = huge_pte_offset(mm, addr, huge_page_size(hstate_vma(vma)));
 	if (ptep)
 		none = huge_pte_none(huge_ptep_get(ptep));
+	hugetlb_vma_unlock_read(vma);`),
  "the refusal is no longer looked at": mover(`
-	if (mmu_notifier_invalidate_range_start_nonblock(&range))
-		return -EAGAIN;
+	mmu_notifier_invalidate_range_start_nonblock(&range);`),
  "the refusal is looked at now": mover(`
-	mmu_notifier_invalidate_range_start_nonblock(&range);
+	if (mmu_notifier_invalidate_range_start_nonblock(&range))
+		return -EAGAIN;`),
} as const;

const reviewed = (name: keyof typeof PATCHES, showRefuted = false) => review({ path: "a.patch", text: PATCHES[name], kind: "patch" }, { ...DEFAULT_OPTIONS, showRefuted })[0]!;

describe("origin by the verdicts of both sides", () => {
  test.each([
    ["the use of an old lookup is written anew", [["incomplete-fix", "proved", "fail"]]],
    ["the lookup is replaced by another one", [["incomplete-fix", "proved", "fail"]]],
    ["something else in the function is changed", []],
    ["the lines are indented", []],
    ["the lock is given up", [["interaction", "proved", undefined]]],
    ["the lookup is new", [["introduced", "proved", undefined]]],
    ["the lock is taken", []],
    ["the refusal is no longer looked at", [["introduced", "proved", "pass"], ["introduced", "proved", undefined]]],
    ["the refusal is looked at now", []],
  ] as const)("%s", (name, expected) => {
    const { findings, aside } = reviewed(name);
    expect(findings.map(({ origin, tier, evidence }) => [origin, tier, evidence?.old?.verdict])).toEqual(expected);
    expect(aside).toBeUndefined();
  });

  test.each([
    ["the lock is taken", ["hugetlb-walk-unlocked"]],
    ["the refusal is looked at now", ["notifier-nonblock-outside-oom", "notifier-nonblock-unchecked"]],
  ] as const)("a patch that mends a defect: %s", (name, ruleIds) => {
    const { findings, aside } = reviewed(name, true);
    expect(findings).toEqual([]);
    expect(aside?.refuted).toEqual([]);
    expect(aside?.fixed.map((one) => [one.ruleId, one.origin, one.tier, one.evidence?.verdict])).toEqual(ruleIds.map((ruleId) => [ruleId, "fixed", "proved", "fail"]));
  });

  test("what is there on both sides, or only on the new one, is not mended", () => {
    for (const name of ["the use of an old lookup is written anew", "something else in the function is changed", "the lines are indented", "the lookup is new", "the refusal is no longer looked at"] as const)
      expect([name, reviewed(name, true).aside?.fixed]).toEqual([name, []]);
  });

  test("the old side costs nothing where nothing is found, or where the patch does not write what fails", () => {
    const before = explorations();
    const again = PATCHES["something else in the function is changed"].replaceAll("toy_is_none", "toy_of_its_own");
    expect(review({ path: "a.patch", text: again, kind: "patch" }, DEFAULT_OPTIONS)[0]?.findings).toEqual([]);
    expect(review({ path: "a.patch", text: PATCHES["the lock is taken"].replaceAll("toy_is_none", "toy_of_its_own"), kind: "patch" }, DEFAULT_OPTIONS)[0]?.findings).toEqual([]);
    expect(explorations()).toBe(before);
  });

  test("both verdicts are shown", async () => {
    const folder = folderOf({ "twice.patch": PATCHES["the use of an old lookup is written anew"], "mended.patch": PATCHES["the lock is taken"] });
    const { out, status } = await patchwalk(["lint", `${folder}/twice.patch`], { engine: ENGINE });
    expect(status).toBe(1);
    expect(out.replace(/\s+/g, " ")).toMatch(/origin incomplete fix: .* explored uaf: the schedule above breaks it .* the old code: uaf: a schedule breaks it too \(\d+ states\)/);
    const mended = await patchwalk(["lint", "--show-refuted", `${folder}/mended.patch`], { engine: ENGINE });
    expect(mended.status).toBe(0);
    expect(mended.out).toMatch(/mended\.patch:\d+: fixed: .* \[hugetlb-walk-unlocked\]\n/);
    expect(mended.out).toMatch(/no findings in 1 input in 1 file; 0 refuted, 1 fixed\n$/);
    const { inputs, summary } = JSON.parse((await patchwalk(["lint", "--show-refuted", "--format", "json", `${folder}/mended.patch`], { engine: ENGINE })).out);
    expect(inputs[0]).toMatchObject({ findings: [], refuted: [], fixed: [{ origin: "fixed", tier: "proved" }] });
    expect(summary).toEqual({ proved: 0, contract: 0, pattern: 0, files: 1, refuted: 0, fixed: 1 });
    expect((await patchwalk(["lint", `${folder}/mended.patch`], { engine: ENGINE })).out).toBe("patchwalk: no findings in 1 input in 1 file\n");
  });
});
