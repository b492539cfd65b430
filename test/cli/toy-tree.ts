// SPDX-License-Identifier: GPL-2.0-only

/** A small tree in kernel style: a walk in one file, a caller that is right in another, one that is wrong in a third. */
export const TOY_TREE: Readonly<Record<string, string>> = {
  Makefile: "# SPDX-License-Identifier: GPL-2.0\nVERSION = 6\nPATCHLEVEL = 1\nSUBLEVEL = 7\n",
  "mm/toy_walk.c": `void toy_walk(struct hstate *h, struct vm_area_struct *vma, unsigned long addr)
{
	pte_t *ptep;

	ptep = huge_pte_offset(vma->vm_mm, addr, huge_page_size(h));
	if (ptep)
		huge_ptep_get(ptep);
}
`,
  "mm/toy_right.c": `int toy_right(struct hstate *h, struct vm_area_struct *vma, unsigned long addr)
{
	hugetlb_vma_lock_read(vma);
	toy_walk(h, vma, addr);
	hugetlb_vma_unlock_read(vma);
	return 0;
}
`,
  "virt/kvm/toy_wrong.c": `int toy_wrong(struct hstate *h, struct vm_area_struct *vma, unsigned long addr)
{
	mmap_read_lock(vma->vm_mm);
	toy_walk(h, vma, addr);
	mmap_read_unlock(vma->vm_mm);
	return 0;
}
`,
};
