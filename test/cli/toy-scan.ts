// SPDX-License-Identifier: GPL-2.0-only

/** A file in kernel style of which a patch shows a part: a helper, and a caller at the end of the file. */
interface ToyScan {
  /** Lines at the top of the helper and at its end. */
  readonly top?: readonly string[];
  readonly bottom?: readonly string[];
  /** Lines of the helper's middle. */
  readonly middle?: readonly string[];
  /** Locks of the caller. */
  readonly lock?: readonly string[];
  readonly unlock?: readonly string[];
  readonly linkage?: string;
  /** Lines at the top of the file. */
  readonly head?: readonly string[];
}

const filler = (word: string, count: number): string[] => Array.from({ length: count }, (_, index) => `\ttoy_trace("${word}", ${index});`);

export const WALK: readonly string[] = ["\tptep = huge_pte_offset(vma->vm_mm, addr, sz);", "\tif (ptep && huge_pte_none(huge_ptep_get(ptep)))", "\t\tscan->empty++;"];

export const VMA_LOCK = { lock: ["\thugetlb_vma_lock_read(vma);"], unlock: ["\thugetlb_vma_unlock_read(vma);"] } as const;
export const MMAP_LOCK = { lock: ["\tmmap_read_lock(vma->vm_mm);"], unlock: ["\tmmap_read_unlock(vma->vm_mm);"] } as const;

export const toyScan = ({ top = [], bottom = [], middle = [], lock = [], unlock = [], linkage = "static ", head = [] }: ToyScan): string => [
  "// SPDX-License-Identifier: GPL-2.0", ...head, "",
  `${linkage}int toy_scan_one(struct toy_scan *scan, struct vm_area_struct *vma, unsigned long addr, unsigned long sz)`,
  "{", "\tpte_t *ptep = NULL;", "\tint ret = 0;", "", ...top, ...filler("above", 8), "\tscan->seen++;", ...middle, "\tscan->size = sz;", ...filler("below", 8), ...bottom, "\treturn ret;", "}",
  "",
  "int toy_scan_range(struct toy_scan *scan, struct vm_area_struct *vma, unsigned long addr)", "{", "\tint ret;", "",
  ...lock, "\tret = toy_scan_one(scan, vma, addr, huge_page_size(hstate_vma(vma)));", ...unlock, "\treturn ret;", "}", "",
].join("\n");

export const MAKEFILE = "# SPDX-License-Identifier: GPL-2.0\nVERSION = 6\nPATCHLEVEL = 1\nSUBLEVEL = 7\n";
