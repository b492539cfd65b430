// SPDX-License-Identifier: GPL-2.0-only
import type { ReleaseRange } from "./effect.ts";
import { covers, type Release } from "./release.ts";

/**
 * C that stands for the part of a well-known function that a hunk does not show, so that what the hunk decides can be
 * followed to where it matters. Our own words for what the function does around it, not its text.
 */
export interface Frame extends ReleaseRange {
  readonly name: string;
  /** First line of the definition; parameters are what may differ from one turn of an unseen loop to the next. */
  readonly header: string;
  readonly head: readonly string[];
  /** Blocks around the middle of the function, outermost first: what an unmatched `}` of the hunk closes. */
  readonly blocks: readonly string[];
  /** `RETRY` is the function's own label where the hunk shows it, else one of the frame's. */
  readonly tail: readonly string[];
  readonly source: string;
}

const SLOW_GUP = {
  name: "__get_user_pages",
  header:
    "long __get_user_pages(struct task_struct *tsk, struct mm_struct *mm, struct vm_area_struct *vma, unsigned long start, unsigned int gup_flags, struct page *page)",
  head: ["unsigned int foll_flags = gup_flags;"],
  blocks: ["if (!vma || start >= vma->vm_end) { vma = find_extend_vma(mm, start);"],
} as const;

const FRAMES: readonly Frame[] = [
  {
    ...SLOW_GUP,
    until: "5.9",
    tail: [
      "page = follow_page_mask(vma, start, foll_flags, &page_mask);",
      "if (!page) { faultin_page(tsk, vma, start, &foll_flags, nonblocking); goto RETRY; }",
      "return 1;",
    ],
    source: "mm/gup.c, __get_user_pages() up to 5.8: lookup, fault, lookup again",
  },
  {
    ...SLOW_GUP,
    header:
      "long __get_user_pages(struct mm_struct *mm, struct vm_area_struct *vma, unsigned long start, unsigned int gup_flags, struct page *page, int *locked)",
    since: "5.9",
    until: "5.19",
    tail: [
      "page = follow_page_mask(vma, start, foll_flags, &ctx);",
      "if (!page) { faultin_page(vma, start, &foll_flags, locked); goto RETRY; }",
      "return 1;",
    ],
    source: "mm/gup.c, __get_user_pages() from 5.9 (64019a2e467a) to 5.18",
  },
  {
    ...SLOW_GUP,
    header:
      "long __get_user_pages(struct mm_struct *mm, struct vm_area_struct *vma, unsigned long start, unsigned int gup_flags, struct page *page, int *locked)",
    since: "5.19",
    until: "6.5",
    tail: [
      "page = follow_page_mask(vma, start, foll_flags, &ctx);",
      "if (!page || PTR_ERR(page) == -EMLINK) { faultin_page(vma, start, &foll_flags, PTR_ERR(page) == -EMLINK, locked); goto RETRY; }",
      "return 1;",
    ],
    source: "mm/gup.c:1179-1302 (6.1.192)",
  },
];

/** The frame of a function in a release, or null where none is known. */
export const frameFor = (name: string, release: Release): Frame | null =>
  FRAMES.find((frame) => frame.name === name && covers(frame, release)) ?? null;
