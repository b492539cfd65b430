// SPDX-License-Identifier: GPL-2.0-only
import { expect, test } from "vitest";
import { statesAt } from "../../server/analysis/unit.ts";
import { programOf, unitOfText } from "../program/dump.ts";

/** A page walk of toys; `fields` goes into its table. */
const walkOf = (fields: string, more = ""): string => `static int toy_pre_vma(unsigned long start, unsigned long end, struct mm_walk *walking)
{
	struct vm_area_struct *vma = walking->vma;

	if (toy_bad(vma))
		return -EINVAL;
	if (is_vm_hugetlb_page(vma))
		hugetlb_vma_lock_read(vma);
	return 0;
}

static void toy_post_vma(struct mm_walk *walk)
{
	if (is_vm_hugetlb_page(walk->vma))
		hugetlb_vma_unlock_read(walk->vma);
}

static int toy_hugetlb(pte_t *pte, unsigned long hmask, unsigned long addr, unsigned long next, struct mm_walk *walk)
{
	return toy_count(walk->vma, addr);
}

static int toy_pmd(pmd_t *pmd, unsigned long addr, unsigned long next, struct mm_walk *walk)
{
	return toy_count(walk->vma, addr);
}

static const struct mm_walk_ops toy_ops = {
	.hugetlb_entry	= toy_hugetlb,
	.pmd_entry	= toy_pmd,
${fields}
};
${more}`;

/** The locks that a callback of the walk is entered with, one text for each way. */
function heldIn(name: string, text: string, release = "6.1"): string[] {
  const unit = unitOfText(text, release);
  const program = programOf(unit, name);
  const node = program.nodes.findIndex((one) => one.kind === "call" && one.name === "toy_count");
  return statesAt(unit.analyze(program), node).map(({ state }) => state.held.map((one) => `${one.mode} ${one.lock} ${one.object}`).join(", "));
}

const PRE = "\t.pre_vma\t= toy_pre_vma,\n\t.post_vma\t= toy_post_vma,";

test("what pre_vma() takes for such a VMA is held in the callbacks", () => {
  expect(heldIn("toy_hugetlb", walkOf(PRE))).toEqual(["any mmap_lock walk->mm, read hugetlb_vma_lock walk->vma"]);
  expect(heldIn("toy_pmd", walkOf(PRE))).toEqual(["any mmap_lock walk->mm"]);
});

test("walk_lock says how mmap_lock is held", () => {
  expect(heldIn("toy_pmd", walkOf("\t.walk_lock\t= PGWALK_RDLOCK,"), "6.12")).toEqual(["any mmap_lock walk->mm"]);
  expect(heldIn("toy_pmd", walkOf("\t.walk_lock\t= PGWALK_WRLOCK_VERIFY,"), "6.12")).toEqual(["write mmap_lock walk->mm"]);
});

test("since 6.3 the walk itself locks a VMA of hugetlb", () => {
  expect(heldIn("toy_hugetlb", walkOf(""), "6.2")).toEqual(["any mmap_lock walk->mm"]);
  expect(heldIn("toy_hugetlb", walkOf(""), "6.3")).toEqual(["any mmap_lock walk->mm, read hugetlb_vma_lock walk->vma"]);
});

test("a walk of a file's mappings holds no mmap_lock", () => {
  expect(heldIn("toy_pmd", walkOf("", "int toy_walk(struct address_space *m)\n{\n\treturn walk_page_mapping(m, 0, 1, &toy_ops, NULL);\n}\n"))).toEqual([""]);
});

test("a function that no table names is entered as ever", () => {
  expect(heldIn("toy_pmd", walkOf("").replace(".pmd_entry\t= toy_pmd", ".test_walk = toy_test"))).toEqual([""]);
});
