// SPDX-License-Identifier: GPL-2.0-only
import { atLeast } from "../../../kernel/release.ts";
import { modelBuilder, type ModelBuilder } from "../../../simulator/build.ts";
import { together } from "../../../simulator/combine.ts";
import { assign } from "../../../simulator/effect.ts";
import { eq, ne } from "../../../simulator/expression.ts";
import { clearEntry, entry, type Entry } from "../../../simulator/objects/entry.ts";
import { folioLives, folios, putFolio, type Folios } from "../../../simulator/objects/folio.ts";
import { beginInvalidation, dropMapping, endInvalidation, mirror, type Mirror } from "../../../simulator/objects/interval.ts";
import { spinLock, spinTrylock, spinUnlock } from "../../../simulator/objects/spinlock.ts";
import { addDeviceAccess, addDeviceFault } from "../../environment/device-fault.ts";
import type { CatalogueScenario } from "../scenario.ts";
import { END, START, START_NONBLOCK } from "./moved-page.ts";

interface Objects {
  readonly model: ModelBuilder;
  readonly pte: Entry;
  readonly all: Folios;
  readonly device: Mirror;
}

function addUnmapper({ model, pte, all, device }: Objects, variant: string): void {
  const thread = model.thread("unmapper", "review");
  const nonblock = variant.startsWith("nonblock");
  const err = thread.local("err", 0, { labels: { 0: "0", 1: "-EAGAIN" } });
  const fix = variant === "pair" ? ({ isFix: true } as const) : {};
  if (variant !== "none") {
    thread.step({ text: nonblock ? START_NONBLOCK : START, ...fix, ...beginInvalidation(device) });
    thread.step({
      text: nonblock ? "invalidate(): mutex_trylock(&driver->lock)" : "invalidate(): mutex_lock(&driver->lock)",
      ...fix,
      ...(nonblock ? spinTrylock(device.lock, "refused") : spinLock(device.lock)),
    });
    thread.step({ text: "invalidate(): mmu_interval_set_seq(); the device's entry is cleared", ...fix, ...dropMapping(device) });
    thread.step({
      text: "invalidate(): mutex_unlock(&driver->lock)",
      ...fix,
      ...together(spinUnlock(device.lock), { alternatives: [nonblock ? { to: "started" } : {}] }),
    });
  }
  if (nonblock) {
    thread.label("refused");
    thread.step({
      text: "invalidate() returns false: -EAGAIN, the core ends the invalidation",
      ...together(endInvalidation(device), { alternatives: [{ effect: [assign(err, 1)] }] }),
    });
    thread.label("started");
    if (variant === "nonblock-checked")
      thread.step({ text: "if (err) return err", isFix: true, alternatives: [{ guard: eq(err, 0) }, { guard: ne(err, 0), to: "END", note: "refused" }] });
  }
  const clear = thread.step({ text: "ptep_clear_flush(vma, addr, ptep)", ...clearEntry(pte) });
  thread.step({ text: "folio_put(P)", ...putFolio(all, 1) });
  if (variant !== "none") thread.step({ text: END, ...fix, ...endInvalidation(device) });
  model.reach(thread, clear, "the page is unmapped");
}

/** A driver's fault reads the CPU's entry and installs what it read: the sequence number is what tells it that it is late. */
export const deviceFault: CatalogueScenario = {
  id: "notifier-interval-device-fault",
  rules: ["notifier-range-missing", "notifier-nonblock-unchecked"],
  title: "a device's page table gets a page that is being unmapped",
  sources: ["Documentation/mm/hmm.rst", "mm/mmu_notifier.c: mmu_interval_read_begin(), mn_itree_invalidate() (6.1.192)"],
  properties: ["uaf"],
  deadlock: true,
  livelock: "device fault",
  variants: [
    { id: "none", what: "no pair around the unmap", isFixed: false },
    { id: "nonblock-ignored", what: "non-blocking start, which the driver refuses where its lock is taken, ignored", isFixed: false },
    { id: "pair", what: "start before the clear, end after the put", isFixed: true },
    { id: "nonblock-checked", what: "non-blocking start whose refusal is returned", isFixed: true },
  ],
  axes: { eras: [], releases: ["6.1"], byArchitecture: false },
  build({ variant, release }) {
    // Interval notifiers came with 5.5.
    if (!atLeast(release, "5.5")) return null;
    const model = modelBuilder(`notifier-interval-device-fault, ${variant}`);
    const objects: Objects = { model, pte: entry(model, "pte", 1, ["P"]), all: folios(model, 1, 1, ["P"]), device: mirror(model, 0, ["P"]) };
    addUnmapper(objects, variant);
    addDeviceFault(model, objects.device, objects.pte);
    addDeviceAccess(model, objects.device, folioLives(objects.all, objects.device.mapping));
    return model.finish();
  },
  orders: [
    {
      source: "the late install: read, unmapped behind the back, then installed",
      variant: "none",
      era: "E5",
      steps: [
        { thread: "device fault", step: "hmm_range_fault()" },
        { thread: "unmapper", step: "ptep_clear_flush(vma, addr, ptep)" },
        { thread: "unmapper", step: "folio_put(P)" },
        { thread: "device fault", step: "mmu_interval_read_retry()" },
        { thread: "device fault", step: "the device's entry is set" },
      ],
      expected: "fail",
    },
  ],
  expected: ({ variant }) => (variant === "none" || variant === "nonblock-ignored" ? { fails: "uaf" } : "pass"),
};
