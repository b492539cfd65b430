// SPDX-License-Identifier: GPL-2.0-only
import { waitInactive } from "../../../simulator/objects/kvm.ts";
import { addGuestFault } from "../../environment/guest.ts";
import type { CatalogueScenario } from "../scenario.ts";
import { end, lockBoth, mapBoth, moveEntry, movedPage, mover, startBlocking, unlockBoth, unmapBoth, type Mover } from "./moved-page.ts";

/** The entry is looked at again under the lock; the way out of a difference has no end. */
function addMover(on: Mover, isFixed: boolean): void {
  const { thread, model } = on;
  startBlocking(on);
  mapBoth(on);
  lockBoth(on);
  const differs = thread.step({
    text: "if (!pte_same(ptep_get(src_pte), orig_src_pte))",
    alternatives: [
      { note: "same" },
      { to: "differs", note: `changed (the CPU set the dirty bit): err = -EAGAIN, goto out${isFixed ? "" : " without an end"}` },
    ],
  });
  moveEntry(on);
  unlockBoth(on);
  unmapBoth(on);
  end(on, true);
  thread.step({ text: "return 0", hidden: true, to: "END" });
  thread.label("differs");
  unlockBoth(on);
  unmapBoth(on);
  if (isFixed) end(on, true, true);
  model.reach(thread, differs, "the entry is looked at again");
}

/** An exit that leaves the invalidation open: KVM holds off faults and changes of memory slots for ever. */
export const missingEnd: CatalogueScenario = {
  id: "notifier-missing-end",
  rules: ["notifier-range-unbalanced", "notifier-nonblock-unchecked"],
  title: "a way out of the function leaves the invalidation open",
  sources: [
    "UFFDIO_REMAP, RFC of September 2023: remap_pages_pte(), the second check under both locks",
    "include/linux/mmu_notifier.h:135-137: start and end must be paired",
    "virt/kvm/kvm_main.c:791, 850, 1576; arch/x86/kvm/mmu/mmu.c, is_page_fault_stale() (6.1.192)",
  ],
  properties: ["notifier-imbalance", "sleep-in-atomic"],
  deadlock: true,
  livelock: "vCPU",
  variants: [
    { id: "vcpu", what: "a vCPU faults in the range", isFixed: false },
    { id: "memslots", what: "a memory slot is changed", isFixed: false },
    { id: "vcpu-ended", what: "a vCPU faults in the range; the common exit ends the invalidation", isFixed: true },
    { id: "memslots-ended", what: "a memory slot is changed; the common exit ends the invalidation", isFixed: true },
  ],
  axes: { eras: [], releases: ["6.6"], byArchitecture: false },
  build({ variant, release }) {
    const on = mover(movedPage(`notifier-missing-end, ${variant}`, release));
    const { model, kvm, active, src } = on;
    addMover(on, variant.endsWith("-ended"));
    if (variant.startsWith("vcpu")) addGuestFault(model, kvm, src, 2);
    else {
      const ioctl = model.thread("KVM_SET_USER_MEMORY_REGION", "review");
      model.reach(ioctl, ioctl.step({ text: "kvm_swap_active_memslots()", ...waitInactive(active) }), "the slots are swapped");
    }
    return model.finish();
  },
  expected({ variant }) {
    if (variant.endsWith("-ended")) return "pass";
    return { fails: variant === "vcpu" ? "livelock" : "deadlock" };
  },
};
