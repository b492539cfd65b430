// SPDX-License-Identifier: GPL-2.0-only
import type { ModelBuilder } from "../../simulator/build.ts";
import { endGracePeriod, type PageTable } from "../../simulator/objects/page-table.ts";
import type { Readers } from "../../simulator/objects/rcu.ts";

/** `call_rcu()` of a page table comes due once no reader is inside. A daemon: it may take as long as it likes. */
export function addGracePeriod(model: ModelBuilder, table: PageTable, readers: Readers): void {
  model.thread("RCU", "daemon").step({ text: `a grace period ends: ${table.name} is freed`, ...endGracePeriod(table, readers) });
}
