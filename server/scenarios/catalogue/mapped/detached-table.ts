// SPDX-License-Identifier: GPL-2.0-only
import { atLeast } from "../../../kernel/release.ts";
import { together } from "../../../simulator/combine.ts";
import { eq, ne } from "../../../simulator/expression.ts";
import { dereference } from "../../../simulator/objects/page-table.ts";
import { rcuReadUnlock } from "../../../simulator/objects/rcu.ts";
import { spinLock, spinUnlock } from "../../../simulator/objects/spinlock.ts";
import type { CatalogueScenario } from "../scenario.ts";
import { addRemover, mapTable, tableWithOwner, type TableWithOwner } from "./table-and-owner.ts";

function addWriter(on: TableWithOwner, variant: string): void {
  const { model, table, pmd, ptl, readers } = on;
  const thread = model.thread("move_pages_pte()", "review");
  thread.step({ text: "dst_pte = pte_offset_map_nolock(dst_mm, dst_pmd, dst_addr, &dst_ptl)", ...mapTable(on, "gone") });
  thread.step({ text: "spin_lock(dst_ptl)", ...spinLock(ptl) });
  thread.step({ text: "pte_same(ptep_get(dst_pte), orig_dst_pte): both none", ...dereference(table) });
  if (variant === "checked")
    thread.step({
      text: "pmd_same(dst_pmdval, pmdp_get_lockless(dst_pmd))", isFix: true,
      alternatives: [{ guard: eq(pmd, 1), note: "same" }, { guard: ne(pmd, 1), to: "out", note: "changed: err = -EAGAIN" }],
    });
  const set = thread.step({
    text: "set_pte_at(mm, dst_addr, dst_pte, orig_dst_pte)",
    ...together(dereference(table), {
      alternatives: [
        {
          checks: [
            {
              holds: eq(pmd, 1),
              property: "detached-table",
              message: "an entry is written into a table that the page directory no longer points to: the page is lost",
            },
          ],
        },
      ],
    }),
  });
  thread.label("out");
  thread.step({ text: "spin_unlock(dst_ptl)", ...spinUnlock(ptl) });
  thread.step({ text: "pte_unmap(dst_pte)", ...rcuReadUnlock(readers) });
  thread.label("gone");
  model.reach(thread, set, "the entry is set");
}

/** An entry that was none and is none says nothing about its table: empty tables are reclaimed with the mmap lock held for reading. */
export const detachedTable: CatalogueScenario = {
  id: "pte-table-detached",
  rules: ["pte-recheck-missing", "bug-on-racy-state"],
  title: "an empty table is reclaimed between map and lock, and an entry is written into it",
  sources: ["66efef9b1a7d (6.13): pte_offset_map_rw_nolock() returns the PMD that it read", "mm/pt_reclaim.c: try_to_free_pte() (6.14)"],
  properties: ["detached-table", "uaf"],
  deadlock: true,
  livelock: null,
  variants: [
    { id: "unchecked", what: "only the entry is compared", isFixed: false },
    { id: "checked", what: "the PMD is compared with what the map read, under the lock", isFixed: true },
  ],
  axes: { eras: [], releases: ["6.14"], byArchitecture: false },
  build({ variant, release }) {
    // Before, no table goes away with the mmap lock held for reading.
    if (!atLeast(release, "6.14")) return null;
    const on = tableWithOwner(`pte-table-detached, ${variant}`);
    addWriter(on, variant);
    addRemover(on, "MADV_DONTNEED of the rest of the table", "try_to_free_pte(): all none: pmd_clear(pmd)");
    return on.model.finish();
  },
  expected: ({ variant }) => (variant === "unchecked" ? { fails: "detached-table" } : "pass"),
};
