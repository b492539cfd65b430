// SPDX-License-Identifier: GPL-2.0
#include <linux/mm.h>
#include <linux/mmu_notifier.h>
#include <linux/rmap.h>

/* The caller holds the mmap_lock for reading; both addresses lie in @vma. */
static int shift_one_pte(struct vm_area_struct *vma, pmd_t *dst_pmd,
			 pmd_t *src_pmd, unsigned long dst_addr,
			 unsigned long src_addr)
{
	struct mm_struct *mm = vma->vm_mm;
	struct mmu_notifier_range range;
	spinlock_t *src_ptl, *dst_ptl;
	pte_t *src_pte, *dst_pte;
	pte_t entry;
	int err = -EAGAIN;

	dst_pte = pte_offset_map_nolock(mm, dst_pmd, dst_addr, &dst_ptl);
	if (!dst_pte)
		return -EAGAIN;
	src_pte = pte_offset_map_nolock(mm, src_pmd, src_addr, &src_ptl);
	if (!src_pte) {
		pte_unmap(dst_pte);
		return -EAGAIN;
	}

	mmu_notifier_range_init(&range, MMU_NOTIFY_CLEAR, 0, mm,
				src_addr, src_addr + PAGE_SIZE);
	mmu_notifier_invalidate_range_start_nonblock(&range);

	spin_lock(dst_ptl);
	if (src_ptl != dst_ptl)
		spin_lock_nested(src_ptl, SINGLE_DEPTH_NESTING);

	if (!pte_none(ptep_get(dst_pte)) || !pte_present(ptep_get(src_pte)))
		goto unlock;

	entry = ptep_clear_flush(vma, src_addr, src_pte);
	set_pte_at(mm, dst_addr, dst_pte, entry);
	err = 0;

unlock:
	if (src_ptl != dst_ptl)
		spin_unlock(src_ptl);
	spin_unlock(dst_ptl);
	mmu_notifier_invalidate_range_end(&range);
	pte_unmap(src_pte);
	pte_unmap(dst_pte);
	return err;
}
