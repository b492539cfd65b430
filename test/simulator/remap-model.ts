// SPDX-License-Identifier: GPL-2.0-only
import { modelBuilder } from "../../server/simulator/build.ts";
import { together } from "../../server/simulator/combine.ts";
import { ne, not } from "../../server/simulator/expression.ts";
import type { Model } from "../../server/simulator/model.ts";
import { atomicContext, enterAtomic, leaveAtomic, sleeps } from "../../server/simulator/objects/context.ts";
import { clearEntry, entry, isPresent } from "../../server/simulator/objects/entry.ts";
import {
  endInvalidateKvm, intervalSubscriber, invalidateInterval, invalidateKvm, kvmFaultFinish, kvmFaultStart, kvmSubscriber,
  mappingIsFresh, vcpuRegisters,
} from "../../server/simulator/objects/notifier.ts";
import { rcuReadLock, rcuReaders, rcuReadUnlock } from "../../server/simulator/objects/rcu.ts";
import { spinLock, spinUnlock, spinlock } from "../../server/simulator/objects/spinlock.ts";

/** Where and how the invalidation starts: before the entry is mapped, or under the map. */
export type Start = "nonblock under the map" | "blocking under the map" | "blocking before the map";

const START = "mmu_notifier_invalidate_range_start()";

/** A page is moved away while a guest and a device go through mappings of their own. */
export const remapModel = (start: Start): Model => {
  const model = modelBuilder(`remap, ${start}`);
  const source = entry(model, "src_pte", 1, ["X"]);
  const device = intervalSubscriber(model, "device", 1, ["X"]);
  const kvm = kvmSubscriber(model, 1, ["X"]);
  const ptl = spinlock(model, "ptl");
  const readers = rcuReaders(model);

  const remap = model.thread("remap()", "review");
  const context = atomicContext(remap);
  const addStart = (): void => {
    const canRefuse = start === "nonblock under the map";
    const interval = invalidateInterval(device, canRefuse ? "started" : null);
    const text = canRefuse ? "mmu_notifier_invalidate_range_start_nonblock()" : START;
    remap.step({ text, ...(canRefuse ? interval : together(sleeps(context, START), interval)) });
    remap.step({ text: "KVM drops its mapping", ...invalidateKvm(kvm) });
    remap.label("started");
  };
  if (start === "blocking before the map") addStart();
  remap.step({ text: "pte_offset_map()", ...together(rcuReadLock(readers), enterAtomic(context)) });
  if (start !== "blocking before the map") addStart();
  remap.step({ text: "spin_lock(ptl)", ...together(spinLock(ptl), enterAtomic(context)) });
  model.reach(remap, remap.step({ text: "ptep_clear_flush()", ...clearEntry(source) }), "the entry is cleared");
  remap.step({ text: "spin_unlock(ptl)", ...together(spinUnlock(ptl), leaveAtomic(context)) });
  remap.step({ text: "pte_unmap()", ...together(rcuReadUnlock(readers), leaveAtomic(context)) });
  remap.step({ text: "mmu_notifier_invalidate_range_end()", ...endInvalidateKvm(kvm) });

  const vcpu = model.thread("vCPU", "daemon");
  const registers = vcpuRegisters(vcpu);
  vcpu.label("enter");
  vcpu.step({
    text: "enter the guest",
    alternatives: [{ guard: ne(kvm.spte, 0), to: "store" }, { guard: not(ne(kvm.spte, 0)) }],
  });
  vcpu.step({ text: "fault: look the page up", ...kvmFaultStart(kvm, source, registers) });
  vcpu.step({ text: "fault: map the page", ...kvmFaultFinish(kvm, registers, "enter") });
  vcpu.label("store");
  const store = vcpu.step({
    text: "store through spte", checks: [mappingIsFresh(kvm.spte, source, "the guest")], to: "enter",
  });
  model.reach(vcpu, store, "the guest stores");

  const dma = model.thread("DMA", "daemon");
  dma.step({
    text: "the device writes",
    guard: isPresent(device.mapping),
    checks: [mappingIsFresh(device.mapping, source, "the device")],
  });
  return model.finish();
};
