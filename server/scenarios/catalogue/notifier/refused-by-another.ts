// SPDX-License-Identifier: GPL-2.0-only
import { atLeast } from "../../../kernel/release.ts";
import { decrement } from "../../../simulator/effect.ts";
import { eq, ne } from "../../../simulator/expression.ts";
import { waitInactive } from "../../../simulator/objects/kvm.ts";
import { mappingIsFresh } from "../../../simulator/objects/notifier.ts";
import type { CatalogueScenario } from "../scenario.ts";
import {
  checkRefusal, END, end, lockBoth, mapBoth, moveEntry, movedPage, mover, startNonblock, unlockBoth, unmapBoth, type Mover, type MovedPage, type Refusing,
} from "./moved-page.ts";

/** Who looks at the damage. */
type Witness = "device" | "kvm" | "memslots";

interface Told {
  readonly refusing: Refusing;
  readonly witness: Witness;
  readonly isFixed: boolean;
}

const WITNESSES: Readonly<Record<Witness, string>> = {
  device: "its device goes on",
  kvm: "KVM counts",
  memslots: "a memory slot is changed",
};

const TOLD: Readonly<Record<string, Told>> = Object.fromEntries(
  (["interval", "list"] as const).flatMap((refusing) =>
    (["device", "kvm", "memslots"] as const).flatMap((witness) =>
      [false, true].map((isFixed): [string, Told] => [`${refusing}-${witness}${isFixed ? "-checked" : ""}`, { refusing, witness, isFixed }]),
    ),
  ),
);

/** The device goes on writing through its own mapping. */
function addDevice({ model, driver, src }: MovedPage): void {
  const device = model.thread("device", "daemon");
  device.label("again");
  const store = device.step({
    text: "the device writes through its page table", guard: ne(driver.mapping, 0), to: "again",
    checks: [mappingIsFresh(driver.mapping, src, "the device")],
  });
  model.reach(device, store, "the device writes");
}

function addMemslotUpdate({ model, active }: MovedPage): void {
  const ioctl = model.thread("KVM_SET_USER_MEMORY_REGION", "review");
  model.reach(
    ioctl,
    ioctl.step({ text: "kvm_swap_active_memslots(): waits for mn_active_invalidate_count", ...waitInactive(active) }),
    "the slots are swapped",
  );
}

/** `BUG_ON(kvm->mmu_invalidate_in_progress < 0)` comes last: the counts are wrong already when the caller dies of it. */
const fatalEnd = ({ thread, kvm, active }: Mover): void => {
  thread.step({
    text: END,
    effect: [decrement(kvm.inProgress), decrement(active)],
    note: "BUG_ON(mmu_invalidate_in_progress < 0): the caller is killed",
  });
};

function addMover(on: Mover, { refusing, witness, isFixed }: Told): void {
  mapBoth(on);
  startNonblock(on, refusing);
  if (isFixed) checkRefusal(on, "out", true);
  lockBoth(on);
  moveEntry(on);
  unlockBoth(on);
  if (!isFixed && witness === "memslots") {
    on.thread.step({ text: "was the start refused?", hidden: true, alternatives: [{ guard: eq(on.err, 0) }, { guard: ne(on.err, 0), to: "fatal" }] });
    end(on, false);
    on.thread.step({ text: "return 0", hidden: true, to: "END" });
    on.thread.label("fatal");
    fatalEnd(on);
    return;
  }
  end(on, false);
  on.thread.label("out");
  unmapBoth(on);
}

/**
 * The result of a non-blocking start is ignored although another subscriber refused: what it maps goes stale, and the end
 * that must not be called makes KVM count below zero.
 */
export const refusedByAnother: CatalogueScenario = {
  id: "notifier-refused-by-another",
  rules: ["notifier-nonblock-unchecked"],
  title: "an invalidation that a subscriber refused is carried out and ended",
  sources: [
    "include/linux/mmu_notifier.h:177-182, mm/mmu_notifier.c:475-546 (6.1.192); c2655835fd8c (5.12)",
    "virt/kvm/kvm_main.c:842-861 (BUG_ON), 1576 (the memslot update waits) (6.1.192)",
  ],
  properties: ["stale-secondary-mapping", "notifier-imbalance"],
  deadlock: true,
  livelock: null,
  variants: Object.entries(TOLD).map(([id, { refusing, witness, isFixed }]) => ({
    id,
    what: `${refusing === "interval" ? "an interval subscriber" : "a subscriber on the list"} refuses; ${WITNESSES[witness]}${isFixed ? "; the refusal is returned" : ""}`,
    isFixed,
    ...(isFixed && witness === "memslots" ? { undone: `${refusing}-memslots` } : {}),
  })),
  axes: { eras: [], releases: ["6.6"], byArchitecture: false },
  build(setting) {
    const told = TOLD[setting.variant]!;
    // Since c2655835fd8c the core ends what it started on the list; interval notifiers are older.
    if (!atLeast(setting.release, "5.12")) return null;
    const page = movedPage(`notifier-refused-by-another, ${setting.variant}`, setting.release);
    addMover(mover(page), told);
    if (told.witness === "device") addDevice(page);
    if (told.witness === "memslots") addMemslotUpdate(page);
    return page.model.finish();
  },
  expected({ variant }) {
    const { witness, isFixed } = TOLD[variant]!;
    if (isFixed) return "pass";
    return { fails: { device: "stale-secondary-mapping", kvm: "notifier-imbalance", memslots: "deadlock" }[witness] };
  },
};
