// SPDX-License-Identifier: GPL-2.0-only
import { atLeast } from "../../../kernel/release.ts";
import { modelBuilder } from "../../../simulator/build.ts";
import { assign } from "../../../simulator/effect.ts";
import { eq, ne } from "../../../simulator/expression.ts";
import { rcuReadLock, rcuReadUnlock } from "../../../simulator/objects/rcu.ts";
import { downRead, upRead } from "../../../simulator/objects/rwsem.ts";
import { spinLock, spinlock, spinUnlock, type Spinlock } from "../../../simulator/objects/spinlock.ts";
import { hugetlbTable, type HugetlbTable } from "../../environment/hugetlb-table.ts";
import { addReverseMapUnmap } from "../../environment/reverse-map-unmap.ts";
import { tableFreeing } from "../../environment/table-freeing.ts";
import type { CatalogueScenario, Setting } from "../scenario.ts";

/** Walks its own mm and takes the lock of the table that it finds: with interrupts off, or under the VMA's lock. */
function addWalker({ model, pudA, vmaLockA, irqsOff }: HugetlbTable, ptl: Spinlock, variant: string): void {
  const thread = model.thread("walker of A", "review");
  const ptep = thread.local("ptep", 0, { labels: { 0: "NULL", 1: "in P" } });
  const irqs = variant === "irqs-off";
  thread.step(irqs ? { text: "local_irq_save(flags)", ...rcuReadLock(irqsOff) } : { text: "hugetlb_vma_lock_read(vma)", ...downRead(vmaLockA) });
  thread.step({ text: "ptep = huge_pte_offset(mm, addr, sz)", effect: [assign(ptep, pudA)] });
  thread.step({ text: "if (!ptep)", hidden: true, alternatives: [{ guard: ne(ptep, 0) }, { guard: eq(ptep, 0), to: "out" }] });
  const lock = thread.step({ text: "ptl = huge_pte_lock(h, mm, ptep)", ...spinLock(ptl) });
  thread.step({ text: "spin_unlock(ptl)", ...spinUnlock(ptl) });
  thread.label("out");
  thread.step(irqs ? { text: "local_irq_restore(flags)", ...rcuReadUnlock(irqsOff) } : { text: "hugetlb_vma_unlock_read(vma)", ...upRead(vmaLockA) });
  model.reach(thread, lock, "the walker takes the lock");
}

const interrupts = ({ architecture, release }: Setting): boolean => {
  const { flushInterrupts, unshareSyncs } = tableFreeing(architecture, release);
  return flushInterrupts || unshareSyncs;
};

/** The reverse map flushes with the page-table lock held: who spins on it with interrupts off never answers. */
export const ptlWithIrqsOff: CatalogueScenario = {
  id: "hugetlb-ptl-with-irqs-off",
  rules: ["hugetlb-ptl-under-rcu"],
  title: "a lockless walker spins on a page-table lock whose holder waits for its interrupt",
  sources: ["mm/rmap.c:1571-1580, 1960-1969 (6.1.192): the flush under pvmw.ptl", "include/asm-generic/tlb.h:700-753 (6.1.192)"],
  properties: [],
  deadlock: true,
  livelock: null,
  variants: [
    { id: "irqs-off", what: "huge_pte_lock() with interrupts off", isFixed: false },
    { id: "vma-lock", what: "huge_pte_lock() under the hugetlb VMA lock", isFixed: true, undone: "irqs-off" },
  ],
  axes: { eras: [], releases: ["6.1", "6.16"], byArchitecture: true },
  build(setting) {
    const { variant, architecture, release } = setting;
    if (!atLeast(release, "6.1") || !architecture.hugePmdShare || (variant === "vma-lock" && !interrupts(setting))) return null;
    const freeing = tableFreeing(architecture, release);
    const model = modelBuilder(`hugetlb-ptl-with-irqs-off, ${variant}`);
    const objects = hugetlbTable(model, true);
    const ptl = spinlock(model, "page-table lock of P");
    addWalker(objects, ptl, variant);
    addReverseMapUnmap(objects, ptl, { flushWaits: freeing.flushInterrupts, sync: freeing.unshareSyncs ? "waits" : "none" });
    return model.finish();
  },
  expected(setting) {
    if (setting.variant === "vma-lock") return "pass";
    if (setting.architecture.certainty === "plausible") return "uncertain";
    return interrupts(setting) ? { fails: "deadlock" } : "pass";
  },
};
