// SPDX-License-Identifier: GPL-2.0-only
import type { ModelBuilder } from "../../simulator/build.ts";
import { assign } from "../../simulator/effect.ts";
import { eq, ne, type Field } from "../../simulator/expression.ts";
import type { ThreadSpec } from "../../simulator/model.ts";
import { tableLives } from "../../simulator/objects/page-table.ts";
import { rcuReadLock, rcuReadUnlock } from "../../simulator/objects/rcu.ts";
import { downWrite, upWrite } from "../../simulator/objects/rwsem.ts";
import type { HugetlbTable } from "./hugetlb-table.ts";

/*
 * A table that is unshared becomes the other process's own, and gets other things in it, while somebody still walks it.
 */

const FILE_PAGE = 1;
const FOREIGN = 2;

/** What the table has at the address. */
export const entryOfTable = (model: ModelBuilder): Field =>
  model.field("pmd in P", FILE_PAGE, { labels: { 0: "none", [FILE_PAGE]: "page of the file", [FOREIGN]: "private page of B" } });

/** `gup_fast_fallback()` of A's own thread: interrupts off from the first look at the tables to the page. */
export function addTableWalk({ model, pudA, table, irqsOff }: HugetlbTable, pmd: Field, role: ThreadSpec["role"]): void {
  const thread = model.thread("GUP-fast in A", role);
  const walked = thread.local("pud", 0, { labels: { 0: "none", 1: "P" } });
  thread.step({ text: "local_irq_save(flags)", ...rcuReadLock(irqsOff) });
  thread.step({ text: "pud = READ_ONCE(*pudp)", effect: [assign(walked, pudA)] });
  thread.step({ text: "if (!pud_present(pud))", hidden: true, alternatives: [{ guard: eq(walked, 1) }, { guard: eq(walked, 0), to: "out" }] });
  const grab = thread.step({
    text: "pmd = READ_ONCE(*pmdp); try_grab_folio()",
    checks: [
      tableLives(table),
      { holds: ne(pmd, FOREIGN), property: "info-leak", message: "A gets a page of an unrelated mapping of B: the table is B's alone by now" },
    ],
  });
  thread.label("out");
  thread.step({ text: "local_irq_restore(flags)", ...rcuReadUnlock(irqsOff) });
  model.reach(thread, grab, "a page is returned");
}

/** B replaces part of the range by a mapping of something else: the table stays, what is in it changes. */
export function addRemap({ model, mapping, table }: HugetlbTable, pmd: Field): void {
  const thread = model.thread("munmap() and mmap() in B", "environment");
  thread.step({ text: "i_mmap_lock_write(mapping)", ...downWrite(mapping) });
  thread.step({
    text: "__unmap_hugepage_range(B), part of the range",
    alternatives: [
      { guard: eq(table.refs, 1), effect: [assign(pmd, 0)], note: "last user: zaps the entries" },
      { guard: ne(table.refs, 1), to: "unshared", note: "still shared: unshares" },
    ],
  });
  thread.step({ text: "i_mmap_unlock_write(mapping)", ...upWrite(mapping) });
  const fault = thread.step({ text: "do_huge_pmd_anonymous_page(): another mapping of B in the same table", effect: [assign(pmd, FOREIGN)], to: "END" });
  thread.label("unshared");
  thread.step({ text: "i_mmap_unlock_write(mapping)", ...upWrite(mapping) });
  model.reach(thread, fault, "the table gets another use");
}
