// SPDX-License-Identifier: GPL-2.0-only
import { modelBuilder } from "../../../simulator/build.ts";
import { together } from "../../../simulator/combine.ts";
import { clearEntry, entry, setEntry } from "../../../simulator/objects/entry.ts";
import { folioLives, folios, getFolio, putFolio } from "../../../simulator/objects/folio.ts";
import { spinLock, spinlock, spinUnlock } from "../../../simulator/objects/spinlock.ts";
import { addDontneed } from "../../environment/madvise-dontneed.ts";
import type { CatalogueScenario } from "../scenario.ts";

/** The reference is put before the lock is given up: once the page is mapped at its new place, anyone can drop the last one. */
export const unlockAfterPut: CatalogueScenario = {
  id: "move-unlock-after-put",
  rules: ["reference-imbalance"],
  title: "a folio is unlocked after its reference was put",
  sources: [
    "UFFDIO_REMAP, RFC of September 2023: remap_pages_pte(), folio_put() under the page-table locks",
    "adef440691ba (6.8): folio_unlock(), then folio_put()",
  ],
  properties: ["uaf"],
  deadlock: true,
  livelock: null,
  variants: [
    { id: "put-first", what: "folio_put() under the page-table locks, folio_unlock() after them", isFixed: false },
    { id: "unlock-first", what: "folio_unlock(), then folio_put()", isFixed: true, undone: "put-first" },
  ],
  axes: { eras: [], releases: ["6.8"], byArchitecture: false },
  build({ variant }) {
    const model = modelBuilder(`move-unlock-after-put, ${variant}`);
    const [src, dst] = [entry(model, "src_pte", 1, ["F"]), entry(model, "dst_pte", 0, ["F"])];
    const all = folios(model, 1, 1, ["F"]);
    const [folio, ptl] = [spinlock(model, "lock of F"), spinlock(model, "page-table locks")];
    const thread = model.thread("remap_pages_pte()", "review");
    const put = (): void => {
      thread.step({ text: "folio_put(src_folio)", ...putFolio(all, 1) });
    };
    thread.step({ text: "folio_get(src_folio)", ...getFolio(all, 1) });
    thread.step({ text: "folio_lock(src_folio)", ...spinLock(folio) });
    thread.step({ text: "double_pt_lock(dst_ptl, src_ptl)", ...spinLock(ptl) });
    thread.step({ text: "ptep_clear_flush(src_vma, src_addr, src_pte)", ...clearEntry(src) });
    thread.step({ text: "set_pte_at(dst_mm, dst_addr, dst_pte, orig_dst_pte)", ...setEntry(dst, 1) });
    if (variant === "put-first") put();
    thread.step({ text: "double_pt_unlock(dst_ptl, src_ptl)", ...spinUnlock(ptl) });
    const unlock = thread.step({ text: "folio_unlock(src_folio)", ...together({ alternatives: [{ checks: [folioLives(all, 1)] }] }, spinUnlock(folio)) });
    if (variant === "unlock-first") put();
    model.reach(thread, unlock, "the folio is unlocked");
    addDontneed(model, "MADV_DONTNEED of the destination", { slot: dst, ptl, kvm: null, put: putFolio(all, 1) });
    return model.finish();
  },
  expected: ({ variant }) => (variant === "put-first" ? { fails: "uaf" } : "pass"),
};
