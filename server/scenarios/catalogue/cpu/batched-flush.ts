// SPDX-License-Identifier: GPL-2.0-only
import { modelBuilder, type ModelBuilder, type ThreadBuilder } from "../../../simulator/build.ts";
import { assign } from "../../../simulator/effect.ts";
import { eq, not, type Field } from "../../../simulator/expression.ts";
import { answerIpi, awaitIpi, cpu, sendIpi, type Cpu } from "../../../simulator/objects/cpu.ts";
import { isMapped, pte, readOnlyPte, SWAPPED, type Pte } from "../../../simulator/objects/pte.ts";
import { spinLock, spinlock, spinUnlock, type Spinlock } from "../../../simulator/objects/spinlock.ts";
import { storeIsAllowed, storesThrough, tlbSlot, type TlbSlot } from "../../../simulator/objects/tlb.ts";
import type { CatalogueScenario } from "../scenario.ts";

interface Objects {
  readonly model: ModelBuilder;
  readonly slot: Pte;
  readonly ptl: Spinlock;
  readonly other: Cpu;
  readonly tlb: TlbSlot;
  /** `mm->tlb_flush_batched`: reclaim has cleared entries that it has not flushed. */
  readonly batched: Field;
  /** `mprotect(PROT_READ)` has returned. */
  readonly told: Field;
}

function objectsOf(name: string): Objects {
  const model = modelBuilder(name);
  return {
    model,
    slot: pte(model, "*pte", 2, ["P"]),
    ptl: spinlock(model, "page-table lock"),
    other: cpu(model, "CPU 2"),
    tlb: tlbSlot(model, "CPU 2", 1, 1, ["P"]),
    batched: model.field("tlb_flush_batched", 0, { labels: { 0: "no", 1: "yes" } }),
    told: model.field("mprotect()", 0, { hidden: true }),
  };
}

/** `shrink_page_list()`: the entry is cleared under the lock, the flush of all of them comes later. */
function addReclaim({ model, slot, ptl, other, batched }: Objects): void {
  const thread = model.thread("kswapd", "environment");
  thread.step({ text: "try_to_unmap_one(): spin_lock(ptl)", ...spinLock(ptl) });
  thread.step({
    text: "try_to_unmap_one(): ptep_get_and_clear(), set_tlb_ubc_flush_pending()",
    guard: isMapped(slot), effect: [assign(slot.value, SWAPPED), assign(batched, 1)],
  });
  thread.step({ text: "try_to_unmap_one(): spin_unlock(ptl)", ...spinUnlock(ptl) });
  addFlush(thread, other, "try_to_unmap_flush()");
}

function addFlush(thread: ThreadBuilder, other: Cpu, caller: string): void {
  thread.step({ text: `${caller}: sends an IPI`, ...sendIpi(other) });
  thread.step({ text: `${caller}: the CPU has answered`, ...awaitIpi(other) });
}

function addProtect({ model, slot, ptl, other, batched, told }: Objects, variant: string): void {
  const thread = model.thread("mprotect(PROT_READ)", "review");
  thread.step({ text: "change_pte_range(): spin_lock(ptl)", ...spinLock(ptl) });
  if (variant === "flush-pending") {
    thread.step({
      text: "flush_tlb_batched_pending(mm)",
      alternatives: [{ guard: eq(batched, 1), effect: [assign(batched, 0)], note: "reclaim has not flushed" }, { guard: eq(batched, 0), to: "look", note: "nothing pending" }],
    });
    addFlush(thread, other, "flush_tlb_mm(mm)");
    thread.label("look");
  }
  const protects = { guard: isMapped(slot), effect: [assign(slot.value, readOnlyPte(1))], note: "present: made read-only" };
  thread.step({ text: "change_pte_range(): pte_present(oldpte)", alternatives: [protects, { guard: not(isMapped(slot)), to: "none", note: "not present: nothing to flush" }] });
  thread.step({ text: "change_pte_range(): spin_unlock(ptl)", ...spinUnlock(ptl) });
  addFlush(thread, other, "flush_tlb_range()");
  thread.goto("return");
  thread.label("none");
  const skipped = thread.step({ text: "change_pte_range(): spin_unlock(ptl)", ...spinUnlock(ptl) });
  thread.label("return");
  thread.step({ text: "returns to user space", effect: [assign(told, 1)] });
  model.reach(thread, skipped, "mprotect() meets an entry that reclaim has cleared");
}

function addCpu({ model, other, tlb, told }: Objects): void {
  const user = model.thread("CPU 2", "environment");
  const through = storesThrough(tlb);
  const store = user.step({
    text: "stores through its TLB entry",
    alternatives: [
      { guard: through, checks: [storeIsAllowed(tlb, eq(told, 1))] },
      { guard: not(through), to: "END", note: "no entry: it would fault" },
    ],
  });
  model.thread("CPU 2, interrupt", "daemon").step({ text: "flushes its TLB, answers the IPI", ...answerIpi(other, tlb) });
  model.reach(user, store, "a CPU stores");
}

/** What reclaim has cleared and not flushed looks like nothing to flush to everyone else. */
export const batchedFlush: CatalogueScenario = {
  id: "stale-tlb-after-mprotect",
  rules: [],
  title: "a CPU stores to a read-only address through a TLB entry that reclaim left",
  sources: ["3ea277194daa (4.13): mm, mprotect: flush TLB if potentially racing with a parallel reclaim leaving stale TLB entries", "mm/rmap.c (6.1.192): flush_tlb_batched_pending()"],
  properties: ["stale-tlb"],
  deadlock: false,
  livelock: null,
  variants: [
    { id: "no-flush", what: "mprotect() skips an entry that is not present (up to 4.12)", isFixed: false },
    { id: "flush-pending", what: "flush_tlb_batched_pending() under the page-table lock", isFixed: true, undone: "no-flush" },
  ],
  axes: { eras: [], releases: ["6.1"], byArchitecture: false },
  build({ variant }) {
    const objects = objectsOf(`stale-tlb-after-mprotect, ${variant}`);
    addReclaim(objects);
    addProtect(objects, variant);
    addCpu(objects);
    return objects.model.finish();
  },
  expected: ({ variant }) => (variant === "no-flush" ? { fails: "stale-tlb" } : "pass"),
};
