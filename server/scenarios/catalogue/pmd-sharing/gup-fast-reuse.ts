// SPDX-License-Identifier: GPL-2.0-only
import { atLeast } from "../../../kernel/release.ts";
import { modelBuilder } from "../../../simulator/build.ts";
import { assign } from "../../../simulator/effect.ts";
import { eq, ne, type Field } from "../../../simulator/expression.ts";
import { tableLives } from "../../../simulator/objects/page-table.ts";
import { rcuReadLock, rcuReadUnlock } from "../../../simulator/objects/rcu.ts";
import { downWrite, upWrite } from "../../../simulator/objects/rwsem.ts";
import { addHolePunch } from "../../environment/hole-punch.ts";
import { hugetlbTable, type HugetlbTable } from "../../environment/hugetlb-table.ts";
import { tableFreeing } from "../../environment/table-freeing.ts";
import type { CatalogueScenario } from "../scenario.ts";

const FILE_PAGE = 1;
const FOREIGN = 2;

/** `gup_fast_fallback()` of A's own thread: interrupts off from the first look at the tables to the page. */
function addGupFast({ model, pudA, table, irqsOff }: HugetlbTable, pmd: Field): void {
  const thread = model.thread("GUP-fast in A", "review");
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
function addRemap({ model, mapping, table }: HugetlbTable, pmd: Field): void {
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

/** GUP-fast goes on in a table that has become the other process's own, and has other things in it now. */
export const gupFastReuse: CatalogueScenario = {
  id: "hugetlb-pmd-unshare-gup-fast",
  title: "GUP-fast walks a table that was unshared and reused by the other process",
  sources: ["1013af4f585f (6.16): mm/hugetlb: fix huge_pmd_unshare() vs GUP-fast race", "include/asm-generic/tlb.h:234, 745-747 (6.1.192)"],
  properties: ["info-leak", "uaf"],
  deadlock: true,
  livelock: null,
  variants: [
    { id: "flush-only", what: "unsharing ends with the TLB flush", isFixed: false },
    { id: "synced", what: "unsharing ends with tlb_remove_table_sync_one()", isFixed: true },
  ],
  axes: { eras: [], releases: ["6.6"], byArchitecture: true },
  build({ variant, architecture, release }) {
    const { flushInterrupts } = tableFreeing(architecture, release);
    // riscv64 has no GUP-fast before it frees tables by RCU, and an interrupting flush needs no fix.
    if (!atLeast(release, "6.1") || !architecture.hugePmdShare || architecture.tableFree === "at-once" || (variant === "synced" && flushInterrupts)) return null;
    const model = modelBuilder(`hugetlb-pmd-unshare-gup-fast, ${variant}`);
    const objects = hugetlbTable(model, true);
    const pmd = model.field("pmd in P", FILE_PAGE, { labels: { 0: "none", [FILE_PAGE]: "page of the file", [FOREIGN]: "private page of B" } });
    addGupFast(objects, pmd);
    addHolePunch(objects, { flushWaits: flushInterrupts, sync: variant === "synced" ? "fix" : "none" });
    addRemap(objects, pmd);
    return model.finish();
  },
  expected({ variant, architecture, release }) {
    if (variant === "synced") return "pass";
    if (architecture.certainty === "plausible") return "uncertain";
    return tableFreeing(architecture, release).flushInterrupts ? "pass" : { fails: "info-leak" };
  },
};
