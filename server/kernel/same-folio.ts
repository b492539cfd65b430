// SPDX-License-Identifier: GPL-2.0-only

/**
 * Calls whose value is memory of the same folio as their first argument: a page of it, its first one, or the folio. References
 * are counted for all of it together, and it is anonymous or not as a whole. include/linux/page-flags.h, include/linux/mm.h,
 * include/linux/pagemap.h (6.1.192); `find_subpage()` and `mem_map_offset()` until folios came.
 */
export const SAME_FOLIO: ReadonlySet<string> = new Set(["page_folio", "compound_head", "folio_page", "folio_file_page", "nth_page", "find_subpage", "mem_map_offset"]);
