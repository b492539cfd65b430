// SPDX-License-Identifier: GPL-2.0-only
import { describe, expect, test } from "vitest";
import { said } from "./said.ts";

/** What mm/ does around locks that a reader takes for granted; each once misled a tool. */
describe("guard idioms", () => {
  test("1. a boolean remembers what was taken", () => {
    expect(said(`
static void toy_move(struct vm_area_struct *vma, bool need_rmap_locks)
{
	bool notified = false;

	if (need_rmap_locks) {
		i_mmap_lock_write(vma->vm_file->f_mapping);
		anon_vma_lock_write(vma->anon_vma);
	}
	toy_copy(vma); //?
	if (!notified && toy_wants(vma)) {
		mutex_lock(&toy_mutex);
		notified = true;
	}
	if (notified)
		mutex_unlock(&toy_mutex);
	if (need_rmap_locks) {
		toy_last(vma); //?
		anon_vma_unlock_write(vma->anon_vma);
		i_mmap_unlock_write(vma->vm_file->f_mapping);
	}
	toy_done(vma); //?
}`)).toEqual([
      "on some paths: i_mmap_rwsem(W) anon_vma(W)",
      "held here: i_mmap_rwsem(W) anon_vma(W)",
      "",
    ]);
  });

  test("2. the second lock only where it is another one", () => {
    expect(said(`
static void toy_two(struct mm_struct *mm, pmd_t *src_pmd, pmd_t *dst_pmd)
{
	spinlock_t *src_ptl = pmd_lock(mm, src_pmd);
	spinlock_t *dst_ptl = pmd_lockptr(mm, dst_pmd);

	if (src_ptl != dst_ptl)
		spin_lock_nested(dst_ptl, SINGLE_DEPTH_NESTING);
	toy_copy(dst_pmd, src_pmd); //?
	if (src_ptl != dst_ptl)
		spin_unlock(dst_ptl);
	toy_half(src_pmd); //?
	spin_unlock(src_ptl);
	toy_done(src_pmd); //?
}`)).toEqual(["atomic: ptl(src_pmd); on some paths: ptl(dst_pmd)", "atomic: ptl(src_pmd)", ""]);
  });

  test("4. a lock function that has nothing to lock for some VMAs", () => {
    expect(said(`
static void toy_hugetlb(struct vm_area_struct *vma)
{
	hugetlb_vma_lock_read(vma);
	toy_look(vma); //?
	hugetlb_vma_unlock_read(vma);
	toy_done(vma); //?
}`)).toEqual(["held here: hugetlb_vma_lock(R)", ""]);
  });

  test("5. ladders of goto, and macros that return from their caller", () => {
    expect(said(`
#define toy_prepare(vma, ret)				\\
	do {						\\
		if (toy_missing(vma)) {			\\
			ret = -EAGAIN;			\\
			goto out_unlock;		\\
		}					\\
	} while (0)

static int toy_ladder(struct mm_struct *mm, struct vm_area_struct *vma)
{
	int ret = 0;

	if (mmap_write_lock_killable(mm))
		return -EINTR; //?
	ret = mutex_lock_killable(&toy_mutex);
	if (ret)
		goto out_mm; //?
	toy_prepare(vma, ret);
	spin_lock(&mm->page_table_lock);
	if (toy_fails(mm)) {
		ret = -EINVAL;
		goto out_ptl; //?
	}
out_ptl:
	spin_unlock(&mm->page_table_lock);
out_unlock:
	mutex_unlock(&toy_mutex); //?
out_mm:
	mmap_write_unlock(mm); //?
	return ret; //?
}`)).toEqual([
      "",
      "held here: mmap_lock(W)",
      "held here: mmap_lock(W) toy_mutex · atomic: ptl(mm)",
      "held here: mmap_lock(W) toy_mutex",
      "held here: mmap_lock(W)",
      "",
    ]);
  });

  test("7. the entry that is unmapped is the last one looked at", () => {
    expect(said(`
static int toy_range(struct mm_struct *mm, pmd_t *pmd, unsigned long addr, unsigned long end)
{
	spinlock_t *ptl;
	pte_t *pte = pte_offset_map_lock(mm, pmd, addr, &ptl);

	arch_enter_lazy_mmu_mode();
	do {
		toy_entry(pte, addr); //?
	} while (pte++, addr += PAGE_SIZE, addr != end);
	arch_leave_lazy_mmu_mode();
	pte_unmap_unlock(pte - 1, ptl);
	return 0; //?
}`)).toEqual(["atomic: ptl(pmd) lazy_mmu · mapped: pte", ""]);
  });

  test("8. whether vmf->pte is NULL says whether it is mapped", () => {
    expect(said(`
static vm_fault_t toy_fault(struct vm_fault *vmf)
{
	vmf->pte = NULL;
	if (toy_has_table(vmf))
		vmf->pte = pte_offset_map(vmf->pmd, vmf->address);
	toy_look(vmf); //?
	if (vmf->pte) {
		toy_entry(vmf->pte); //?
		pte_unmap(vmf->pte);
	}
	return 0; //?
}`)).toEqual(["on some paths: vmf->pte", "mapped: vmf->pte", ""]);
  });

  test("9. functions that return with locks held", () => {
    expect(said(`
static int toy_returns(struct mm_struct *mm, struct vm_area_struct *vma, pmd_t *pmd, struct page *hpage, unsigned long addr)
{
	struct address_space *mapping;
	spinlock_t *ptl;
	pte_t *pte;

	if (follow_pte(mm, addr, &pte, &ptl))
		return -EFAULT; //?
	toy_entry(pte); //?
	pte_unmap_unlock(pte, ptl);

	pte = get_locked_pte(mm, addr, &ptl);
	if (!pte)
		return -ENOMEM; //?
	toy_entry(pte); //?
	pte_unmap_unlock(pte, ptl);

	ptl = pmd_trans_huge_lock(pmd, vma);
	if (ptl) {
		toy_huge(pmd); //?
		spin_unlock(ptl);
	}
	mapping = hugetlb_page_mapping_lock_write(hpage);
	if (!mapping)
		return -EBUSY; //?
	toy_mapping(mapping); //?
	i_mmap_unlock_write(mapping);
	return 0; //?
}`)).toEqual([
      "",
      "atomic: ptl(addr) · mapped: pte",
      "",
      "atomic: ptl(addr) · mapped: pte",
      "atomic: ptl(pmd)",
      "",
      "held here: i_mmap_rwsem(W)",
      "",
    ]);
  });
});
