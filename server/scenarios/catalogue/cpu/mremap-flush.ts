// SPDX-License-Identifier: GPL-2.0-only
import { modelBuilder, type ModelBuilder } from "../../../simulator/build.ts";
import { together } from "../../../simulator/combine.ts";
import { ne, not } from "../../../simulator/expression.ts";
import { clearEntry, entry, setEntry, type Entry } from "../../../simulator/objects/entry.ts";
import { folios, putFolio, type Folios } from "../../../simulator/objects/folio.ts";
import { spinLock, spinlock, spinUnlock, type Spinlock } from "../../../simulator/objects/spinlock.ts";
import { cachedPageLives, flushTlb, storesThrough, tlbSlot, type TlbSlot } from "../../../simulator/objects/tlb.ts";
import type { CatalogueScenario } from "../scenario.ts";

interface Objects {
  readonly model: ModelBuilder;
  readonly all: Folios;
  readonly from: Entry;
  readonly to: Entry;
  readonly locks: Spinlock;
  readonly tlb: TlbSlot;
}

/** `move_ptes()`; the locks of both tables are one here. */
function addMove({ model, from, to, locks, tlb }: Objects, variant: string): void {
  const thread = model.thread("mremap", "review");
  const flush = (): void => {
    thread.step({ text: "flush_tlb_range(vma, old_start, old_end)", ...flushTlb(tlb) });
  };
  thread.step({ text: "spin_lock(old_ptl), spin_lock_nested(new_ptl)", ...spinLock(locks) });
  thread.step({ text: "pte = ptep_get_and_clear(mm, old_addr, old_pte)", ...clearEntry(from) });
  const moved = thread.step({ text: "set_pte_at(mm, new_addr, new_pte, pte)", ...setEntry(to, 1) });
  if (variant === "flush-first") flush();
  thread.step({ text: "spin_unlock(new_ptl), spin_unlock(old_ptl)", ...spinUnlock(locks) });
  if (variant === "unlock-first") flush();
  model.reach(thread, moved, "the entry is moved");
}

/** Nobody has cached the new address yet, so its own flush does not help. */
function addTruncate({ model, all, to, locks }: Objects): void {
  const thread = model.thread("ftruncate", "environment");
  thread.step({ text: "zap_pte_range(new address): spin_lock(ptl)", ...together({ alternatives: [{ guard: ne(to, 0) }] }, spinLock(locks)) });
  thread.step({ text: "zap_pte_range(): ptep_get_and_clear(), flushes the new address", ...clearEntry(to) });
  thread.step({ text: "zap_pte_range(): spin_unlock(ptl)", ...spinUnlock(locks) });
  const freed = thread.step({ text: "the page is freed", ...putFolio(all, 1) });
  model.reach(thread, freed, "the page is freed");
}

function addCpu({ model, all, tlb }: Objects): void {
  const thread = model.thread("CPU 2", "environment");
  const store = thread.step({
    text: "stores to the old address through its TLB entry",
    alternatives: [
      { guard: storesThrough(tlb), checks: [cachedPageLives(tlb, all)] },
      { guard: not(storesThrough(tlb)), to: "END", note: "no entry: it would fault" },
    ],
  });
  model.reach(thread, store, "a CPU stores");
}

/** Once the new entry can be seen, its page can be freed: the old translation must be gone by then. */
export const mremapFlush: CatalogueScenario = {
  id: "stale-tlb-after-mremap",
  rules: [],
  title: "a CPU stores to a freed page through a TLB entry that mremap() left",
  sources: ["eb66ae030829 (4.19): mremap: properly flush TLB before releasing the page", "mm/mremap.c (6.1.192): move_ptes(), force_flush"],
  properties: ["stale-tlb"],
  deadlock: true,
  livelock: null,
  variants: [
    { id: "unlock-first", what: "the page-table locks are given up, then the old address is flushed (up to 4.18)", isFixed: false },
    { id: "flush-first", what: "the old address is flushed under the page-table locks", isFixed: true, undone: "unlock-first" },
  ],
  axes: { eras: [], releases: ["6.1"], byArchitecture: false },
  build({ variant }) {
    const model = modelBuilder(`stale-tlb-after-mremap, ${variant}`);
    const objects: Objects = {
      model, all: folios(model, 1, 1, ["P"]), from: entry(model, "old_pte", 1, ["P"]), to: entry(model, "new_pte", 0, ["P"]),
      locks: spinlock(model, "page-table locks"), tlb: tlbSlot(model, "CPU 2", 1, 1, ["P"]),
    };
    addMove(objects, variant);
    addTruncate(objects);
    addCpu(objects);
    return model.finish();
  },
  expected: ({ variant }) => (variant === "unlock-first" ? { fails: "stale-tlb" } : "pass"),
};
