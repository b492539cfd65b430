// SPDX-License-Identifier: GPL-2.0-only
import { modelBuilder, type ModelBuilder } from "../../../simulator/build.ts";
import { eq, ne } from "../../../simulator/expression.ts";
import { answerIpi, awaitIpi, cpu, irqRestore, irqSave, sendIpi, type Cpu } from "../../../simulator/objects/cpu.ts";
import { entry, clearEntry, readEntry, type Entry } from "../../../simulator/objects/entry.ts";
import { dereference, pageTable, putTable, type PageTable } from "../../../simulator/objects/page-table.ts";
import type { CatalogueScenario } from "../scenario.ts";

interface Objects {
  readonly model: ModelBuilder;
  readonly pmd: Entry;
  readonly table: PageTable;
  readonly own: Cpu;
}

/** `host_pfn_mapping_level()`: KVM looks at the host's page tables without a lock of theirs. */
function addWalk({ model, pmd, table, own }: Objects, variant: string): void {
  const thread = model.thread("host_pfn_mapping_level()", "review");
  const seen = thread.local("pmd", 0, { labels: { 0: "none", 1: "table" } });
  if (variant === "irqs-off") thread.step({ text: "local_irq_save(flags)", ...irqSave(own) });
  thread.step({ text: "pmd = READ_ONCE(*pmd_offset(&pud, hva))", ...readEntry(pmd, seen) });
  thread.step({ text: "if (pmd_none(pmd))", hidden: true, alternatives: [{ guard: ne(seen, 0) }, { guard: eq(seen, 0), to: "out" }] });
  const read = thread.step({ text: "the entry below is read", ...dereference(table) });
  thread.label("out");
  if (variant === "irqs-off") thread.step({ text: "local_irq_restore(flags)", ...irqRestore(own) });
  model.reach(thread, read, "an entry of the table is read");
}

/** `free_pgtables()`, where a table is freed after the flush has interrupted every CPU that uses the mm. */
function addMunmap({ model, pmd, table, own }: Objects): void {
  const thread = model.thread("munmap", "environment");
  thread.step({ text: "free_pte_range(): pmd_clear(pmd)", ...clearEntry(pmd) });
  thread.step({ text: "tlb_flush(): sends an IPI", ...sendIpi(own) });
  thread.step({ text: "tlb_flush(): the CPU has answered", ...awaitIpi(own) });
  const freed = thread.step({ text: "the table is freed", ...putTable(table, { page: "now", lock: "now" }) });
  model.reach(thread, freed, "the table is freed");
}

/** With interrupts off a CPU does not answer, and the table that it walks stays. */
export const walkWithIrqsOn: CatalogueScenario = {
  id: "host-walk-with-irqs-on",
  rules: [],
  title: "a lockless walk of page tables that leaves interrupts on",
  sources: [
    "KVM: x86/mmu: fix potential races when walking host page table, Mingwei Zhang, April 2022",
    "arch/x86/kvm/mmu/mmu.c (6.1.192): host_pfn_mapping_level()",
  ],
  properties: ["uaf", "unlock-not-held"],
  deadlock: true,
  livelock: null,
  variants: [
    { id: "irqs-on", what: "the page tables are walked with nothing held", isFixed: false },
    { id: "irqs-off", what: "local_irq_save() around the walk, as GUP-fast does", isFixed: true, undone: "irqs-on" },
  ],
  axes: { eras: [], releases: ["6.1"], byArchitecture: false },
  build({ variant }) {
    const model = modelBuilder(`host-walk-with-irqs-on, ${variant}`);
    const objects: Objects = { model, pmd: entry(model, "*pmd", 1, ["table"]), table: pageTable(model, "table", 1), own: cpu(model, "CPU 1") };
    addWalk(objects, variant);
    addMunmap(objects);
    model.thread("CPU 1, interrupt", "daemon").step({ text: "answers the IPI", ...answerIpi(objects.own, null) });
    return model.finish();
  },
  expected: ({ variant }) => (variant === "irqs-on" ? { fails: "uaf" } : "pass"),
};
