// SPDX-License-Identifier: GPL-2.0-only
import { modelBuilder, type ThreadBuilder } from "../../../simulator/build.ts";
import { clearEntry, entry } from "../../../simulator/objects/entry.ts";
import { endInvalidateKvm, invalidateKvm, kvmSubscriber, mappingIsFresh } from "../../../simulator/objects/notifier.ts";
import { addGuest } from "../../environment/guest.ts";
import type { CatalogueScenario } from "../scenario.ts";
import { END, START } from "./moved-page.ts";

/** The pair is there, the entry is cleared before or after it: a fault in between maps what is about to go. */
export const clearedOutside: CatalogueScenario = {
  id: "notifier-clear-outside",
  rules: ["notifier-range-missing"],
  title: "the entry is cleared outside of the invalidation",
  sources: ["include/linux/mmu_notifier.h:120-160 (6.1.192)", "virt/kvm/kvm_main.c, mmu_invalidate_retry()"],
  properties: ["stale-secondary-mapping", "notifier-imbalance"],
  deadlock: true,
  livelock: null,
  variants: [
    { id: "after-the-end", what: "ptep_clear_flush() after the end", isFixed: false },
    { id: "before-the-start", what: "ptep_clear_flush() before the start", isFixed: false },
    { id: "inside", what: "ptep_clear_flush() between start and end", isFixed: true, undone: "after-the-end" },
  ],
  axes: { eras: [], releases: ["6.1"], byArchitecture: false },
  build({ variant }) {
    const model = modelBuilder(`notifier-clear-outside, ${variant}`);
    const pte = entry(model, "pte", 1, ["P"]);
    const kvm = kvmSubscriber(model, 1, ["P"]);
    const thread = model.thread("unmapper", "review");
    const clear = (on: ThreadBuilder): void => model.reach(
      on,
      on.step({ text: "ptep_clear_flush(vma, addr, ptep)", ...clearEntry(pte) }),
      "the entry is cleared",
    );
    if (variant === "before-the-start") clear(thread);
    thread.step({ text: START, ...invalidateKvm(kvm) });
    if (variant === "inside") clear(thread);
    thread.step({ text: END, ...endInvalidateKvm(kvm) });
    if (variant === "after-the-end") clear(thread);
    addGuest(model, kvm, pte, mappingIsFresh(kvm.spte, pte, "the guest"));
    return model.finish();
  },
  expected: ({ variant }) => (variant === "inside" ? "pass" : { fails: "stale-secondary-mapping" }),
};
