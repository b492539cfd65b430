// SPDX-License-Identifier: GPL-2.0-only
import type { ModelBuilder } from "../../simulator/build.ts";
import { together } from "../../simulator/combine.ts";
import { assign } from "../../simulator/effect.ts";
import { isPresent, type Entry } from "../../simulator/objects/entry.ts";
import { readBegin, readRetry, type Mirror } from "../../simulator/objects/interval.ts";
import { spinLock, spinUnlock } from "../../simulator/objects/spinlock.ts";
import { ne, not } from "../../simulator/expression.ts";
import type { Check } from "../../simulator/model.ts";

/** A fault of a device, as Documentation/mm/hmm.rst tells drivers to write it. Where the CPU's entry is gone, it gives up. */
export function addDeviceFault(model: ModelBuilder, device: Mirror, primary: Entry): void {
  const thread = model.thread("device fault", "environment");
  const [seen, folio] = [thread.local("seq seen", 0, { hidden: true }), thread.local("page found", 0, { hidden: true })];
  thread.label("again");
  thread.step({ text: "range.notifier_seq = mmu_interval_read_begin()", ...readBegin(device, seen) });
  thread.step({
    text: "hmm_range_fault()",
    alternatives: [
      { guard: isPresent(primary), effect: [assign(folio, primary)], note: "the CPU's entry is present" },
      { guard: not(isPresent(primary)), to: "END", note: "nothing is mapped" },
    ],
  });
  thread.step({ text: "mutex_lock(&driver->lock)", ...spinLock(device.lock) });
  thread.step({ text: "mmu_interval_read_retry()", ...readRetry(device, seen, "late") });
  const install = thread.step({ text: "the device's entry is set", effect: [assign(device.mapping, folio)] });
  thread.step({ text: "mutex_unlock(&driver->lock)", ...together(spinUnlock(device.lock), { alternatives: [{ to: "END" }] }) });
  thread.label("late");
  thread.step({ text: "mutex_unlock(&driver->lock); goto again", ...together(spinUnlock(device.lock), { alternatives: [{ to: "again" }] }) });
  model.reach(thread, install, "the device maps the page");
}

/** The device goes on through its own page table, as long as there is an entry. */
export function addDeviceAccess(model: ModelBuilder, device: Mirror, check: Check): void {
  const thread = model.thread("device", "daemon");
  thread.label("again");
  const access = thread.step({ text: "the device writes through its page table", guard: ne(device.mapping, 0), checks: [check], to: "again" });
  model.reach(thread, access, "the device writes");
}
