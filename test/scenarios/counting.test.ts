// SPDX-License-Identifier: GPL-2.0-only
import { describe, expect, test } from "vitest";
import { DEFAULT_OPTIONS } from "../../server/review/options.ts";
import { review } from "../../server/review/review.ts";

/** What is found in a function that pins n pages and gives them back in some way. */
function found(release: string): readonly string[] {
  const text = `static int toy(unsigned long addr, int nr)
{
	struct page *pages[16];
	int got, i;

	got = pin_user_pages_fast(addr, nr, FOLL_WRITE, pages);
	if (got <= 0)
		return -EFAULT;
${release}
	return 0;
}
`;
  const reviews = review({ path: "mm/toy.c", text, kind: "c" }, { ...DEFAULT_OPTIONS, release: "6.1" });
  return reviews.flatMap(({ findings }) => findings.map(({ ruleId, messageId }) => `${ruleId} ${messageId}`));
}

const LEAK = "gup-partial-leak leaked";
const UNTAKEN = "gup-partial-leak untaken";

describe("pointers that walk through the pages: which one they point to is not followed, so that nothing is said", () => {
  test.each([
    "while (got--) unpin_user_page(*p++);",
    "for (p = pages; p < pages + got; p++) unpin_user_page(*p);",
    "for (p = pages + got - 1; p >= pages; p--) unpin_user_page(*p);",
    "p = &pages[got]; while (p != pages) unpin_user_page(*--p);",
    "for (i = 0; i < got; i++, p += 1) unpin_user_page(p[0]);",
    "unpin_user_page(*p); p = pages + 1; unpin_user_pages(p, got - 1);",
  ])("%s", (text) => {
    expect(found(`	struct page **p = pages;\n\n	${text}`)).toEqual([]);
  });
});

describe("loops that give pages back", () => {
  test.each([
    ["for (i = 0; i < got; i++) unpin_user_page(pages[i]);", []],
    ["for (i = got - 1; i >= 0; i--) unpin_user_page(pages[i]);", []],
    ["while (got--) unpin_user_page(pages[got]);", []],
    ["while (got > 0) unpin_user_page(pages[--got]);", []],
    ["i = got; do { i -= 1; unpin_user_page(pages[i]); } while (i > 0);", []],
    ["i = got; while (i-- != 0) unpin_user_page(pages[i]);", []],
    ["i = got; while (i-- >= 1) unpin_user_page(pages[i]);", []],
    ["i = got; while (0 != i--) unpin_user_page(pages[i]);", []],
    ["for (i = got - 1; i > -1; i--) unpin_user_page(pages[i]);", []],
    ["for (i = got; i-- > 0; ) unpin_user_page(pages[i]);", []],
    ["for (i = got; i != 0; i--) unpin_user_page(pages[i - 1]);", []],
    ["i = got; do { unpin_user_page(pages[--i]); } while (i != 0);", []],
    ["i = 0; while (i++ != got) unpin_user_page(pages[i - 1]);", []],
    ["i = 0; while (i < got) unpin_user_page(pages[i++]);", []],
    ["for (i = 0; got - i > 0; i++) unpin_user_page(pages[i]);", []],
    ["for (i = -got; i + got != got; i++) unpin_user_page(pages[i + got]);", []],
    ["for (i = 1; i + 1 <= got + 1; i++) unpin_user_page(pages[i - 1]);", []],
    ["unpin_user_pages(pages, got);", []],
    ["i = got; while (i-- != 1) unpin_user_page(pages[i]);", [LEAK]],
    ["i = got; while (i-- > 1) unpin_user_page(pages[i]);", [LEAK]],
    ["unpin_user_pages(pages, 1); unpin_user_pages(pages + 1, got - 1);", []],
    ["for (i = 1; i < got; i++) unpin_user_page(pages[i]);", [LEAK]],
    ["for (i = 0; i < got - 1; i++) unpin_user_page(pages[i]);", [LEAK]],
    ["while (--got) unpin_user_page(pages[got]);", [LEAK]],
    ["for (i = 0; i < nr; i++) unpin_user_page(pages[i]);", [UNTAKEN]],
    ["for (i = 0; i <= got; i++) unpin_user_page(pages[i]);", [UNTAKEN]],
    ["unpin_user_pages(pages, got); unpin_user_page(pages[0]);", [UNTAKEN]],
  ])("%s", (text, rules) => {
    expect(found(`	${text}`)).toEqual(rules);
  });
});
