// SPDX-License-Identifier: GPL-2.0-only
import { atLeast } from "../../../kernel/release.ts";
import { dereference } from "../../../simulator/objects/page-table.ts";
import { rcuReadUnlock } from "../../../simulator/objects/rcu.ts";
import { spinLock, spinUnlock } from "../../../simulator/objects/spinlock.ts";
import type { CatalogueScenario } from "../scenario.ts";
import { addRemover, mapTable, tableWithOwner, type TableWithOwner } from "./table-and-owner.ts";

function addReader(on: TableWithOwner, variant: string): void {
  const { model, table, ptl, readers } = on;
  const thread = model.thread("reader", "review");
  const read = (): void => model.reach(thread, thread.step({ text: "ptent = ptep_get(pte)", ...dereference(table) }), "the entry is read");
  thread.step({ text: "pte = pte_offset_map(pmd, addr)", ...mapTable(on, "out") });
  if (variant === "before-the-unmap") {
    thread.step({ text: "spin_lock(ptl)", ...spinLock(ptl) });
    read();
    thread.step({ text: "spin_unlock(ptl)", ...spinUnlock(ptl) });
  }
  thread.step({ text: "pte_unmap(pte)", ...rcuReadUnlock(readers) });
  if (variant === "after-the-unmap") read();
  thread.label("out");
}

/** From 6.6 on pte_unmap() ends the RCU section that keeps the table. */
export const usedAfterUnmap: CatalogueScenario = {
  id: "pte-used-after-unmap",
  rules: ["pte-use-after-unmap"],
  title: "an entry is read after pte_unmap()",
  sources: ["146b42e07494 (6.6)", "mm/khugepaged.c: retract_page_tables(), pte_free_defer() (6.6)"],
  properties: ["uaf"],
  deadlock: true,
  livelock: null,
  variants: [
    { id: "after-the-unmap", what: "ptep_get() after pte_unmap()", isFixed: false },
    { id: "before-the-unmap", what: "the entry is copied under its lock, then unmapped", isFixed: true, undone: "after-the-unmap" },
  ],
  axes: { eras: [], releases: ["6.6"], byArchitecture: false },
  build({ variant, release }) {
    // Before, the mmap lock keeps the table, not pte_offset_map().
    if (!atLeast(release, "6.6")) return null;
    const on = tableWithOwner(`pte-used-after-unmap, ${variant}`);
    addReader(on, variant);
    addRemover(on, "khugepaged", "retract_page_tables(): pmdp_collapse_flush()");
    return on.model.finish();
  },
  expected: ({ variant }) => (variant === "after-the-unmap" ? { fails: "uaf" } : "pass"),
};
