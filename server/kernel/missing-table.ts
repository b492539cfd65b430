// SPDX-License-Identifier: GPL-2.0-only

/*
 * What it means that a page table entry could not be mapped. Since 6.5 (0d940a9b270b) NULL says that the table went away or
 * became a huge page in the meantime: whoever looks again finds something else.
 */

/**
 * Error codes that tell of a fault where there is none. Not -EINVAL, which follow_pfnmap_start() answers so that its caller
 * faults the page in; nor VM_FAULT_SIGBUS: do_fault() has it for VMAs without a handler, whose tables stay (6.12.117).
 */
const HARD: ReadonlySet<string> = new Set(["EFAULT", "EIO"]);

/** True for an answer after which nobody looks again. */
export const isHardAnswer = (code: string): boolean => HARD.has(code);

/** The code that asks the caller to look again. */
export const TRANSIENT = "EAGAIN";

/** Who names one of these walks tables of the kernel, which stay: mm/gup.c, get_gate_page() (6.12.117). */
const KERNEL_TABLES: ReadonlySet<string> = new Set(["pgd_offset_k", "pgd_offset_gate", "pmd_off_k", "init_mm"]);

export const namesKernelTable = (name: string): boolean => KERNEL_TABLES.has(name);

/**
 * What allocates the table for the map that follows, as pte_alloc_map_lock() does: mm/memory.c, insert_pages() (6.12.117)
 * answers -EFAULT behind it, for tables of drivers, which nobody takes away.
 */
const MAKES_TABLE: ReadonlySet<string> = new Set(["pte_alloc", "__pte_alloc", "pmd_populate", "pmd_install"]);

export const makesTable = (name: string): boolean => MAKES_TABLE.has(name);
