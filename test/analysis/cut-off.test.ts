// SPDX-License-Identifier: GPL-2.0-only
import { describe, expect, test } from "vitest";
import { summaryLines } from "../../server/report/held.ts";
import { parseRelease } from "../../server/kernel/release.ts";
import { heldInFile } from "../../server/review/held.ts";
import { DEFAULT_OPTIONS } from "../../server/review/options.ts";
import { review } from "../../server/review/review.ts";
import { said } from "./said.ts";

const rows = (count: number, row: (index: number) => string): string => Array.from({ length: count }, (_, index) => `\t${row(index)}`).join("\n");

/** More sets of held locks than are followed, before the lock of the caller is given up and the loop turns. */
const manyLocks = `
static void toy_many(struct toy *t)
{
again:
	toy_work(t); //?
${rows(40, (index) => `if (t->f${index})\n\t\tmutex_lock(&t->m${index});`)}
	mutex_unlock(&t->m);
	if (t->more)
		goto again;
}
void toy_top(struct toy *t)
{
	mutex_lock(&t->m);
	toy_many(t);
	toy_last(t); //?
}
`;

const longFunction = (count: number): string => `static void toy_long(struct vm_area_struct *vma, unsigned long addr)
{
	pte_t *p = huge_pte_offset(vma->vm_mm, addr, sz);
${rows(count, (index) => `if (a${index}) foo${index}(b${index});`)}
	foo(*p); //?
}
`;

describe("a function with more paths than are followed", () => {
  test("nothing is certain in it, nor behind its calls", () => {
    expect(said(manyLocks)).toEqual(["on some paths: t->m", "on some paths: t->m"]);
    const summary = heldInFile("mm/x.c", manyLocks, parseRelease("6.1")!).summaryOf("toy_many");
    expect(summary?.complete).toBe(false);
    // What it does is a doubt for its callers, as the line behind its call says, and no claim of its own.
    expect(summary && summaryLines("toy_many", summary).filter((line) => /gives up|needs/.test(line))).toEqual([]);
  });

  test("a review says that it was not reviewed as a whole", () => {
    const [found] = review({ path: "mm/x.c", text: longFunction(8000), kind: "c" }, DEFAULT_OPTIONS);
    expect(found?.coverage.partial).toBe(1);
    expect(found?.problems.map(({ code, message }) => `${code}: ${message}`)).toEqual(["paths-cut-off: toy_long() has more paths than are followed: it was not reviewed as a whole"]);
    const [short] = review({ path: "mm/x.c", text: longFunction(10), kind: "c" }, DEFAULT_OPTIONS);
    expect([short?.coverage.partial, short?.problems.length]).toEqual([0, 0]);
  });

  test("one that is too large to begin with costs little, and nothing is said of its lines", () => {
    expect(said(longFunction(12_000))).toEqual(["no code"]);
  });
});
