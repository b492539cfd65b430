// SPDX-License-Identifier: GPL-2.0-only
import { unshareInterrupts, type ArchitectureRow } from "../../kernel/architecture.ts";
import type { Release } from "../../kernel/release.ts";

/**
 * What freeing a page table does in one architecture and release, as mechanisms: what they protect is for the simulator to
 * find out.
 */
export interface TableFreeing {
  /** A TLB flush interrupts the CPUs that run the mm, and waits for them. Elsewhere it is a broadcast or a hypercall. */
  readonly flushInterrupts: boolean;
  /** Unsharing ends with `tlb_remove_table_sync_one()`, which interrupts all CPUs (a no-op without MMU_GATHER_RCU_TABLE_FREE). */
  readonly unshareSyncs: boolean;
  /** `rcu`: after a grace period, unless the batch page cannot be allocated; `now`: with the last put. */
  readonly page: "rcu" | "now";
}

export const tableFreeing = (row: ArchitectureRow, release: Release): TableFreeing => {
  const rcuTableFree = row.tableFree === "rcu" || row.tableFree === "rcu-or-immediate" || row.config["PARAVIRT"] === true;
  return {
    flushInterrupts: row.tableFree === "after-ipi",
    unshareSyncs: unshareInterrupts(release) && rcuTableFree,
    page: row.tableFree === "rcu" || row.tableFree === "rcu-or-immediate" ? "rcu" : "now",
  };
};
