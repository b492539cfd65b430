// SPDX-License-Identifier: GPL-2.0-only
import type { ModelBuilder } from "../../simulator/build.ts";
import type { Field } from "../../simulator/expression.ts";
import { pageTable, type PageTable } from "../../simulator/objects/page-table.ts";
import { rcuReaders, type Readers } from "../../simulator/objects/rcu.ts";
import { rwsem, type Rwsem } from "../../simulator/objects/rwsem.ts";

/** A PMD table of hugetlb that processes A and B share, and what protects it. */
export interface HugetlbTable {
  readonly model: ModelBuilder;
  readonly mapping: Rwsem;
  readonly vmaLockA: Rwsem;
  readonly table: PageTable;
  readonly pudA: Field;
  readonly pudB: Field;
  readonly readers: Readers;
  /** CPUs that walk with interrupts off. */
  readonly irqsOff: Readers;
}

const PUD = { labels: { 0: "none", 1: "P" } };

/** `shared`: pt_share_count is 1; else A has the table alone, and B one of its own that plays no part. */
export const hugetlbTable = (model: ModelBuilder, shared: boolean): HugetlbTable => ({
  model,
  mapping: rwsem(model, "i_mmap_rwsem"),
  vmaLockA: rwsem(model, "hugetlb vma lock(A)"),
  table: pageTable(model, "PMD table P", shared ? 2 : 1),
  pudA: model.field("pud(A)", 1, PUD),
  pudB: model.field("pud(B)", shared ? 1 : 0, PUD),
  readers: rcuReaders(model),
  irqsOff: rcuReaders(model, "CPUs that walk with irqs off"),
});
