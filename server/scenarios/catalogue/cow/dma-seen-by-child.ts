// SPDX-License-Identifier: GPL-2.0-only
import { ERAS, type EraBehavior, type GupEra } from "../../../kernel/era.ts";
import { modelBuilder } from "../../../simulator/build.ts";
import { assign, assignAt } from "../../../simulator/effect.ts";
import { and, element, eq, ne } from "../../../simulator/expression.ts";
import type { Model } from "../../../simulator/model.ts";
import { folioOf, isMapped } from "../../../simulator/objects/pte.ts";
import { addProgramming, dmaDevice } from "../../environment/device.ts";
import { faultRegisters } from "../../mechanism/fault.ts";
import { addFork } from "../../mechanism/fork.ts";
import { addSlowGup } from "../../mechanism/gup.ts";
import { addressSpace, privateMemory } from "../../mechanism/memory.ts";
import type { CatalogueScenario } from "../scenario.ts";

const RECEIVED = 1;

/** The model of a pin or a reference, both for write, under any rules. */
export function dmaSeenByChild(pin: boolean, dontFork: boolean, era: EraBehavior): Model {
  const model = modelBuilder(`dma-seen-by-child, ${pin ? "pin" : "get"}`);
  const memory = privateMemory(model, era, { contents: { 0: "old data", [RECEIVED]: "what A's device received" } });
  const { folios } = memory;
  const a = addressSpace(memory, "A", 2);
  const b = addressSpace(memory, "B", 0);
  const device = dmaDevice(memory);
  const received = model.field("received", 0, { hidden: true });
  const gup = model.thread(pin ? "pin_user_pages()" : "get_user_pages()", "review");
  const page = gup.local("page", 0, { hidden: true });
  addSlowGup(gup, memory, a, { request: { write: true, pin }, page, registers: faultRegisters(gup), prefix: "gup" });
  addProgramming(gup, device, page);
  const fork = model.thread("fork of A", "environment");
  const dontCopy = model.field("VM_DONTCOPY", 0, { labels: { 0: "no", 1: "yes" } });
  if (dontFork) fork.step({ text: "madvise(MADV_DONTFORK)", isFix: true, effect: [assign(dontCopy, 1)] });
  const forked = model.field("forked", 0, { hidden: true });
  addFork(fork, memory, { parent: a, child: b, dontCopy, after: ne(device.page, 0), done: [assign(forked, 1)] });
  const daemon = model.thread("device", "daemon");
  const transfer = daemon.step({
    text: "DMA writes what it receives",
    guard: and(ne(device.page, 0), eq(forked, 1)),
    effect: [assignAt(folios.content, device.page, RECEIVED), assign(received, 1)],
  });
  model.reach(daemon, transfer, "the device works");
  const child = model.thread("child B", "environment");
  const reads = child.step({
    text: "reads va",
    alternatives: [
      {
        guard: and(eq(received, 1), isMapped(b.pte)),
        checks: [{ holds: ne(element(folios.content, folioOf(b.pte)), RECEIVED), property: "info-leak", message: "the child reads what a device of the parent received after the fork" }],
      },
      { guard: and(eq(received, 1), eq(b.pte.value, 0)), to: "END", note: "nothing is mapped" },
    ],
  });
  model.reach(child, reads, "the child reads");
  return model.finish();
}

/** Eras in which a pinned page is shared with the child. */
const SHARED: readonly GupEra[] = ["E0", "E1", "E2"];

/** The child keeps a page that a device of its parent goes on writing to. */
export const dmaSeenByChildScenario: CatalogueScenario = {
  id: "dma-seen-by-child",
  rules: ["gup-longterm-missing"],
  title: "a device of the parent writes to a page that the child maps",
  sources: ["Jason Gunthorpe, Re: [PATCH 1/4] mm: Trial do_wp_page() simplification, 15 September 2020: DMA should stay with the process that pinned", "70e806e4e645 (5.9)"],
  properties: ["info-leak"],
  deadlock: false,
  livelock: null,
  variants: [
    { id: "pin", what: "FOLL_PIN with FOLL_WRITE", isFixed: false },
    { id: "get", what: "FOLL_GET with FOLL_WRITE (O_DIRECT up to 6.2)", isFixed: false },
    { id: "get-dontfork", what: "FOLL_GET with FOLL_WRITE after madvise(MADV_DONTFORK)", isFixed: true },
  ],
  axes: { eras: ["E0", "E1", "E2", "E3", "E3b", "E4", "E5", "E6", "E7"], releases: [], byArchitecture: false },
  build: ({ variant, era }) => dmaSeenByChild(variant === "pin", variant === "get-dontfork", ERAS[era]),
  expected: ({ variant, era }) => (variant === "get" || (variant === "pin" && SHARED.includes(era)) ? "fail" : "pass"),
};
