// SPDX-License-Identifier: GPL-2.0-only
import { atLeast } from "../../../kernel/release.ts";
import { modelBuilder } from "../../../simulator/build.ts";
import { addHolePunch } from "../../environment/hole-punch.ts";
import { hugetlbTable } from "../../environment/hugetlb-table.ts";
import { addRemap, addTableWalk, entryOfTable } from "../../environment/table-reuse.ts";
import { tableFreeing } from "../../environment/table-freeing.ts";
import type { CatalogueScenario } from "../scenario.ts";

/** GUP-fast goes on in a table that has become the other process's own, and has other things in it now. */
export const gupFastReuse: CatalogueScenario = {
  id: "hugetlb-pmd-unshare-gup-fast",
  rules: ["hugetlb-unshare-locking"],
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
    const pmd = entryOfTable(model);
    addTableWalk(objects, pmd, "review");
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
