// SPDX-License-Identifier: GPL-2.0-only

/*
 * What the questions of the kernel say of an anonymous page that one entry maps, that is pinned once, and that nobody else refers
 * to. A pin of a small page is GUP_PIN_COUNTING_BIAS references; of a large one it is one, and counted apart as well: mm/gup.c
 * (try_grab_folio()), include/linux/mm.h:1561-1605 (6.1.192), before 5.17 hpage_pincount_available() and compound_pincount().
 */

/** How a pin is counted. */
export type PinCount = "small" | "large";

type Answers = Readonly<Record<PinCount, number>>;

const BIAS = 1024;

const both = (value: number): Answers => ({ small: value, large: value });
const table = (rows: readonly (readonly [names: string, answers: Answers])[]): ReadonlyMap<string, Answers> =>
  new Map(rows.flatMap(([names, answers]) => names.split(" ").map((name) => [name, answers] as const)));

/** By the call that asks; the page is its only argument. */
const CALLS = table([
  ["page_maybe_dma_pinned folio_maybe_dma_pinned", both(1)],
  ["page_count page_ref_count folio_ref_count", { small: 1 + BIAS, large: 2 }],
  ["page_mapcount folio_mapcount total_mapcount page_trans_huge_mapcount", both(1)],
  ["compound_pincount head_compound_pincount compound_pincount_ptr folio_pincount_ptr", { small: 0, large: 1 }],
  ["hpage_pincount_available PageCompound PageHead PageTransHuge PageTransCompound folio_test_large", { small: 0, large: 1 }],
  ["PageTail PageHuge PageKsm folio_test_hugetlb folio_test_ksm is_zero_page is_zero_folio", both(0)],
  ["PageAnon folio_test_anon", both(1)],
  ["thp_nr_pages compound_nr folio_nr_pages", { small: 1, large: 512 }],
  ["compound_order folio_order", { small: 0, large: 9 }],
]);

/** By the field of the page that is read. */
const FIELDS = table([
  ["_refcount", { small: 1 + BIAS, large: 2 }],
  ["_pincount", { small: 0, large: 1 }],
]);

const CONSTANTS: ReadonlyMap<string, number> = new Map([["GUP_PIN_COUNTING_BIAS", BIAS], ["true", 1], ["false", 0]]);

export const answerOf = (call: string, count: PinCount): number | null => CALLS.get(call)?.[count] ?? null;
export const fieldOfPinned = (field: string, count: PinCount): number | null => FIELDS.get(field)?.[count] ?? null;
export const constantOf = (name: string): number | null => CONSTANTS.get(name) ?? null;

/** Tests that fork() asks of the parent's mapping and a page, and tests of a page alone. */
export const ASKED_BY_FORK: ReadonlySet<string> = new Set(["page_needs_cow_for_dma", "folio_needs_cow_for_dma"]);
export const PIN_TESTS: ReadonlySet<string> = new Set([...ASKED_BY_FORK, "page_maybe_dma_pinned", "folio_maybe_dma_pinned"]);

/** Its value says whether the child shares the page (1) or has a copy (0); from 5.19 on it copies whatever it is given. */
export const COPIES_OR_SHARES = "copy_present_page";
