// SPDX-License-Identifier: GPL-2.0-only
import { modelBuilder } from "../../../simulator/build.ts";
import { clearEntry, entry } from "../../../simulator/objects/entry.ts";
import { folioLives, folios, putFolio } from "../../../simulator/objects/folio.ts";
import { endInvalidateKvm, invalidateKvm, kvmSubscriber } from "../../../simulator/objects/notifier.ts";
import { addGuest } from "../../environment/guest.ts";
import type { CatalogueScenario } from "../scenario.ts";
import { END, START } from "./moved-page.ts";

/** Page tables of a file are retracted, its small pages freed, and nobody tells KVM. */
export const noNotifier: CatalogueScenario = {
  id: "notifier-missing",
  rules: ["notifier-range-missing"],
  title: "page tables are cleared without telling secondary MMUs",
  sources: ["f268f6cf875f (6.1): mm/khugepaged.c, retract_page_tables() and collapse_and_free_pmd()"],
  properties: ["uaf", "notifier-imbalance"],
  deadlock: true,
  livelock: null,
  variants: [
    { id: "none", what: "pmdp_collapse_flush() without a notifier", isFixed: false },
    { id: "pair", what: "start before pmdp_collapse_flush(), end after it", isFixed: true },
  ],
  axes: { eras: [], releases: ["6.1"], byArchitecture: false },
  build({ variant }) {
    const model = modelBuilder(`notifier-missing, ${variant}`);
    const pte = entry(model, "pte", 1, ["P"]);
    const kvm = kvmSubscriber(model, 1, ["P"]);
    const all = folios(model, 1, 1, ["P"]);
    const collapse = model.thread("khugepaged", "review");
    if (variant === "pair") collapse.step({ text: START, isFix: true, ...invalidateKvm(kvm) });
    collapse.step({ text: "pmdp_collapse_flush(vma, addr, pmd)", ...clearEntry(pte) });
    if (variant === "pair") collapse.step({ text: END, isFix: true, ...endInvalidateKvm(kvm) });
    model.reach(collapse, collapse.step({ text: "folio_put(P): the huge page replaces it", ...putFolio(all, 1) }), "the small page is freed");
    addGuest(model, kvm, pte, folioLives(all, kvm.spte));
    return model.finish();
  },
  expected: ({ variant }) => (variant === "none" ? { fails: "uaf" } : "pass"),
};
