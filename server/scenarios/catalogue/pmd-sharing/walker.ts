// SPDX-License-Identifier: GPL-2.0-only
import type { StepPart } from "../../../simulator/build.ts";
import { assign } from "../../../simulator/effect.ts";
import { eq, ne } from "../../../simulator/expression.ts";
import { tableLives, tableLockLives } from "../../../simulator/objects/page-table.ts";
import { rcuReadLock, rcuReadUnlock } from "../../../simulator/objects/rcu.ts";
import { downRead, rwsem, upRead } from "../../../simulator/objects/rwsem.ts";
import type { HugetlbTable } from "../../environment/hugetlb-table.ts";

/**
 * What the walker holds. `released`: the VMA's lock, given up before the use; `retaken`: given up and taken again without
 * another lookup; `private`: nothing, but the mapping is private and the table its own.
 */
export type Protection = "none" | "vma-lock" | "i-mmap" | "private" | "rcu" | "irq-off" | "released" | "retaken";

/** What the pointer is used for. */
export type Use = "deref" | "ptl";

interface Section {
  readonly take: string;
  readonly drop: string;
  readonly enter: StepPart;
  readonly leave: StepPart;
}

function sectionOf({ mapping, vmaLockA, readers, irqsOff }: HugetlbTable, protection: Protection): Section | null {
  switch (protection) {
    case "none":
    case "private":
      return null;
    case "vma-lock":
    case "released":
    case "retaken":
      return { take: "hugetlb_vma_lock_read(vma)", drop: "hugetlb_vma_unlock_read(vma)", enter: downRead(vmaLockA), leave: upRead(vmaLockA) };
    case "i-mmap":
      return { take: "i_mmap_lock_read(mapping)", drop: "i_mmap_unlock_read(mapping)", enter: downRead(mapping), leave: upRead(mapping) };
    case "rcu":
      return { take: "rcu_read_lock()", drop: "rcu_read_unlock()", enter: rcuReadLock(readers), leave: rcuReadUnlock(readers) };
    case "irq-off":
      return { take: "local_irq_save(flags)", drop: "local_irq_restore(flags)", enter: rcuReadLock(irqsOff), leave: rcuReadUnlock(irqsOff) };
  }
}

/** Walks A's tables with A's mmap lock held for reading, looks the entry up and uses the pointer. */
export function addWalker(on: HugetlbTable, protection: Protection, use: Use): void {
  const { model, pudA, table } = on;
  const thread = model.thread("walker of A", "review");
  const mmapLock = rwsem(model, "mmap_lock(A)");
  const ptep = thread.local("ptep", 0, { labels: { 0: "NULL", 1: "in P" } });
  const section = sectionOf(on, protection);
  const isFix = protection === "vma-lock" || protection === "i-mmap" ? ({ isFix: true } as const) : {};
  const enter = (): void => {
    if (section) thread.step({ text: section.take, ...section.enter, ...isFix });
  };
  const leave = (): void => {
    if (section) thread.step({ text: section.drop, ...section.leave, ...isFix });
  };
  thread.step({ text: "mmap_read_lock(mm)", ...downRead(mmapLock) });
  enter();
  thread.step({ text: "ptep = huge_pte_offset(mm, addr, sz)", effect: [assign(ptep, pudA)] });
  thread.step({ text: "if (!ptep)", hidden: true, alternatives: [{ guard: ne(ptep, 0) }, { guard: eq(ptep, 0), to: "out" }] });
  if (protection === "released" || protection === "retaken") leave();
  if (protection === "retaken") enter();
  const used = thread.step(
    use === "deref"
      ? { text: "entry = huge_ptep_get(ptep)", checks: [tableLives(table)] }
      : { text: "ptl = huge_pte_lock(h, mm, ptep)", checks: [tableLockLives(table)] },
  );
  if (protection === "released") thread.step({
    text: "mmap_read_unlock(mm)",
    ...upRead(mmapLock),
    alternatives: upRead(mmapLock).alternatives.map((one) => ({ ...one, to: "END" })),
  });
  thread.label("out");
  leave();
  thread.step({ text: "mmap_read_unlock(mm)", ...upRead(mmapLock) });
  model.reach(thread, used, "the walker uses the pointer");
}
