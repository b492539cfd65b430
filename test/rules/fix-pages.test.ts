// SPDX-License-Identifier: GPL-2.0-only
import { describe, expect, test } from "vitest";
import { DEFAULT_OPTIONS } from "../../server/review/options.ts";
import { review } from "../../server/review/review.ts";
import { applied } from "../document-edits.ts";

/** A function of a driver that takes pages; declarations first. */
const driver = (...lines: readonly string[]): string => ["static int toy_run(struct toy_dev *td, unsigned long addr, int nr, bool write)", "{", ...lines, "}", ""].join("\n");

/** What the fixes of a rule's findings make of a text: the lines that they add. */
function offeredFor(rule: string, text: string, release = "6.6"): readonly (readonly string[])[] {
  const findings = review({ path: "drivers/toy.c", text, kind: "c" }, { ...DEFAULT_OPTIONS, release, fixes: true }).flatMap((one) => one.findings);
  const mine = findings.filter((one) => one.ruleId === rule);
  expect(mine.length).toBeGreaterThan(0);
  const before = text.split("\n");
  return mine.flatMap((one) => one.fixes ?? []).map((fix) => {
    expect(fix.isProved).toBe(true);
    const left = [...before];
    return applied(text, fix.edits).split("\n").filter((line) => {
      const at = left.indexOf(line);
      if (at >= 0) left.splice(at, 1);
      return at < 0;
    });
  });
}

const ARRAY = ["\tstruct page **pages;", "\tint i, err, got;", "", "\tpages = kmalloc_array(nr, sizeof(*pages), GFP_KERNEL);", "\tif (!pages)", "\t\treturn -ENOMEM;"];

describe("pages that are forgotten", () => {
  test("are given back before their number is lost", () => {
    const text = driver(...ARRAY, "\tgot = get_user_pages_fast(addr, nr, 0, pages);", "\tif (got < nr) {", "\t\ttd->short_reads++;", "\t\tgot = -EFAULT;", "\t\tgoto out;", "\t}", "\tfor (i = 0; i < got; i++)", "\t\tput_page(pages[i]);", "out:", "\tkfree(pages);", "\treturn got;");
    expect(offeredFor("gup-partial-leak", text)).toEqual([["\t\tif (got > 0)", "\t\t\trelease_pages(pages, got);"]]);
  });

  test("are given back on all jumps where all of them forget", () => {
    const text = driver(...ARRAY, "\tgot = pin_user_pages_fast(addr, nr, FOLL_WRITE, pages);", "\tif (got < nr) {", "\t\terr = -EFAULT;", "\t\tgoto free;", "\t}", "\terr = toy_check(td);", "\tif (err)", "\t\tgoto free;", "\tunpin_user_pages(pages, got);", "free:", "\tkfree(pages);", "\treturn err;");
    const [[...lines] = []] = offeredFor("gup-partial-leak", text);
    expect(lines.filter((line) => line.includes("unpin_user_pages("))).toHaveLength(2);
  });

  test("are left alone where an object has them", () => {
    const text = driver(...ARRAY, "\tgot = pin_user_pages_fast(addr, nr, FOLL_WRITE | FOLL_LONGTERM, pages);", "\tif (got != nr) {", "\t\tkfree(pages);", "\t\treturn -EFAULT;", "\t}", "\ttd->pages = pages;", "\treturn 0;");
    expect(offeredFor("gup-partial-leak", text)).toEqual([["\t\tif (got > 0)", "\t\t\tunpin_user_pages(pages, got);"]]);
  });
});

test("a loop that gives back too many ends at the number that was taken", () => {
  const text = driver(...ARRAY, "\tgot = get_user_pages_fast(addr, nr, 0, pages);", "\tif (got < 0)", "\t\tgoto out;", "\tfor (i = 0; i < nr; i++)", "\t\tput_page(pages[i]);", "out:", "\tkfree(pages);", "\treturn got;");
  expect(offeredFor("gup-partial-leak", text)).toEqual([["\tfor (i = 0; i < got; i++)"]]);
});

describe("a reference becomes a pin", () => {
  const written = (...rest: readonly string[]): string =>
    driver("\tstruct page *page;", "\tvoid *kaddr;", "", "\tif (get_user_pages_fast(addr, 1, FOLL_WRITE, &page) != 1)", "\t\treturn -EFAULT;", "\tkaddr = kmap_local_page(page);", "\tmemcpy(kaddr, td->data, nr);", "\tkunmap_local(kaddr);", "\tset_page_dirty_lock(page);", ...rest, "\treturn 0;");

  test("with every release", () => {
    expect(offeredFor("gup-longterm-missing", written("\tif (write) {", "\t\tput_page(page);", "\t\treturn 1;", "\t}", "\tput_page(page);"))).toEqual([
      ["\tif (pin_user_pages_fast(addr, 1, FOLL_WRITE, &page) != 1)", "\t\tunpin_user_page(page);", "\tunpin_user_page(page);"],
    ]);
  });

  test("not where somebody else gives it back, or may", () => {
    expect(offeredFor("gup-longterm-missing", written("\tif (write) {", "\t\tput_page(page);", "\t\treturn 0;", "\t}", "\ttd->page = page;"))).toEqual([]);
    expect(offeredFor("gup-longterm-missing", written("\ttoy_note(td, page);", "\tput_page(page);"))).toEqual([]);
  });
});

describe("FOLL_FORCE goes", () => {
  const pinned = (...flags: readonly string[]): string => driver(...flags.slice(0, 1), "\tstruct page *page;", "", ...flags.slice(1), "\tif (pin_user_pages_fast(addr, 1, flags, &page) != 1)", "\t\treturn -EFAULT;", "\ttd->page = page;", "\treturn 0;");

  test("with FOLL_WRITE where the device may only read, too", () => {
    expect(offeredFor("gup-force-misuse", pinned("\tunsigned int flags = FOLL_WRITE | FOLL_FORCE | FOLL_LONGTERM;"))).toEqual([["\tunsigned int flags = FOLL_WRITE | FOLL_LONGTERM;"], ["\tunsigned int flags = FOLL_LONGTERM;"]]);
  });

  test("alone where the function knows who writes", () => {
    expect(offeredFor("gup-force-misuse", pinned("\tunsigned int flags = FOLL_FORCE | FOLL_LONGTERM;", "\tif (write)", "\t\tflags |= FOLL_WRITE;"))).toEqual([["\tunsigned int flags = FOLL_LONGTERM;"]]);
  });
});

describe("what sleeps at the edge of a section", () => {
  const visit = (...lines: readonly string[]): string => ["static int toy_visit(struct vm_area_struct *vma, pmd_t *pmd, unsigned long addr, struct folio *folio)", "{", "\tpte_t *pte;", "", "\tpte = pte_offset_map(pmd, addr);", "\tif (!pte)", "\t\treturn -EAGAIN;", ...lines, "\treturn 0;", "}", ""].join("\n");

  test("moves over it", () => {
    const text = visit("\tcond_resched(); /* let others run */", "\tpte_unmap(pte);");
    const [fix] = review({ path: "mm/toy.c", text, kind: "c" }, { ...DEFAULT_OPTIONS, release: "6.6", fixes: true }).flatMap((one) => one.findings.flatMap((finding) => finding.fixes ?? []));
    expect(applied(text, fix?.edits ?? [])).toContain("\tpte_unmap(pte);\n\tcond_resched(); /* let others run */\n");
  });

  test("stays where it works with what the section has found, or is not at the edge", () => {
    expect(offeredFor("sleep-in-atomic", visit("\tfolio = pfn_folio(pte_pfn(ptep_get(pte)));", "\tfolio_lock(folio);", "\tpte_unmap(pte);"))).toEqual([]);
    expect(offeredFor("sleep-in-atomic", visit("\tcond_resched();", "\tfolio_set_seen(folio, pte_pfn(ptep_get(pte)));", "\tpte_unmap(pte);"))).toEqual([]);
  });
});

test("no mark of dirt under the page lock where nothing may sleep", () => {
  const text = driver("\tstruct page *page;", "", "\tif (pin_user_pages_fast(addr, 1, FOLL_WRITE, &page) != 1)", "\t\treturn -EFAULT;", "\tspin_lock(&td->lock);", "\tmemzero_page(page, 0, PAGE_SIZE);", "\tunpin_user_page(page);", "\tspin_unlock(&td->lock);", "\treturn 0;");
  expect(offeredFor("gup-not-dirtied", text)).toEqual([]);
});
