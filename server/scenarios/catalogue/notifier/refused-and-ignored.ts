// SPDX-License-Identifier: GPL-2.0-only
import { atLeast } from "../../../kernel/release.ts";
import { mappingIsFresh } from "../../../simulator/objects/notifier.ts";
import { addGuest } from "../../environment/guest.ts";
import { mapKind } from "../../environment/pte-map.ts";
import type { CatalogueScenario } from "../scenario.ts";
import {
  checkRefusal, end, lockBoth, mapBoth, moveEntry, movedPage, mover, startBlocking, startNonblock, unlockBoth, unmapBoth, type Mover,
} from "./moved-page.ts";

function move(on: Mover): void {
  lockBoth(on);
  moveEntry(on);
  unlockBoth(on);
}

function addMover(on: Mover, variant: string): void {
  const { thread } = on;
  if (variant === "blocking-first") startBlocking(on);
  mapBoth(on);
  if (variant === "blocking-under-the-maps") startBlocking(on);
  if (variant === "ignored" || variant === "checked") startNonblock(on, "interval");
  if (variant === "checked") checkRefusal(on, "out", true);
  move(on);
  if (variant === "checked") end(on, false);
  thread.label("out");
  unmapBoth(on);
  if (variant !== "checked") end(on, variant !== "ignored");
}

/**
 * A subscriber refuses the non-blocking start, the caller goes on all the same, and KVM, which was not even asked, keeps its
 * mapping of a page that now belongs elsewhere.
 */
export const refusedAndIgnored: CatalogueScenario = {
  id: "notifier-refused-and-ignored",
  rules: ["notifier-nonblock-outside-oom", "notifier-nonblock-unchecked"],
  title: "a refused non-blocking invalidation is ignored, and the guest writes a page that was moved",
  sources: [
    "mm/mmu_notifier.c:444-473, 542-546 (6.1.192): an interval subscriber that refuses ends the start before the list",
    "virt/kvm/kvm_main.c:765-861 (6.1.192)",
    "UFFDIO_REMAP, RFC of September 2023: remap_pages_pte(); adef440691ba (6.8): the merged form",
  ],
  properties: ["stale-secondary-mapping", "sleep-in-atomic", "notifier-imbalance"],
  deadlock: true,
  livelock: null,
  variants: [
    { id: "ignored", what: "non-blocking start under the maps, its result ignored", isFixed: false },
    { id: "blocking-under-the-maps", what: "blocking start in the same place", isFixed: false },
    { id: "checked", what: "non-blocking start whose refusal is returned: neither modifies nor ends", isFixed: true },
    { id: "blocking-first", what: "blocking start before the maps, end after the unmaps", isFixed: true, undone: "ignored" },
  ],
  axes: { eras: [], releases: ["6.6"], byArchitecture: false },
  build({ variant, release }) {
    // Interval notifiers came with 5.5.
    if (!atLeast(release, "5.5")) return null;
    const on = mover(movedPage(`notifier-refused-and-ignored, ${variant}`, release));
    addMover(on, variant);
    addGuest(on.model, on.kvm, on.src, mappingIsFresh(on.kvm.spte, on.src, "the guest"));
    return on.model.finish();
  },
  orders: [
    {
      source: "the review of UFFDIO_REMAP: refused, moved all the same, then the guest stores",
      variant: "ignored",
      era: "E7",
      steps: [
        { thread: "remap_pages_pte()", step: "mmu_notifier_invalidate_range_start_nonblock(&range)" },
        { thread: "remap_pages_pte()", step: "ptep_clear_flush(src_vma, src_addr, src_pte)" },
        { thread: "remap_pages_pte()", step: "set_pte_at(dst_mm, dst_addr, dst_pte, orig_dst_pte)" },
        { thread: "vCPU", step: "the guest stores through the SPTE" },
      ],
      expected: "fail",
    },
  ],
  expected({ variant, release }) {
    if (variant === "ignored") return { fails: "stale-secondary-mapping" };
    return variant === "blocking-under-the-maps" && mapKind(release, false) === "rcu" ? { fails: "sleep-in-atomic" } : "pass";
  },
};
