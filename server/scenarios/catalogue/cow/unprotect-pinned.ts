// SPDX-License-Identifier: GPL-2.0-only
import { ERAS, type EraBehavior, type GupEra } from "../../../kernel/era.ts";
import { modelBuilder } from "../../../simulator/build.ts";
import { together } from "../../../simulator/combine.ts";
import { assign } from "../../../simulator/effect.ts";
import { eq, ne } from "../../../simulator/expression.ts";
import type { Model } from "../../../simulator/model.ts";
import { folioOf, readOnlyPte } from "../../../simulator/objects/pte.ts";
import { downRead, upRead } from "../../../simulator/objects/rwsem.ts";
import { addDma, addProgramming, dmaDevice } from "../../environment/device.ts";
import { addStore } from "../../environment/store.ts";
import { faultRegisters } from "../../mechanism/fault.ts";
import { addSlowGup } from "../../mechanism/gup.ts";
import { addressSpace, privateMemory } from "../../mechanism/memory.ts";
import type { CatalogueScenario } from "../scenario.ts";

/** The model of a pin or a reference, both for write, under any rules. */
export function unprotectPinned(pin: boolean, era: EraBehavior): Model {
  const model = modelBuilder(`unprotect-pinned, ${pin ? "pin" : "get"}`);
  const memory = privateMemory(model, era);
  const a = addressSpace(memory, "A", 2);
  const device = dmaDevice(memory);
  const resolved = model.field("resolved", 0, { hidden: true });
  const gup = model.thread(pin ? "pin_user_pages()" : "get_user_pages()", "review");
  const page = gup.local("page", 0, { hidden: true });
  addSlowGup(gup, memory, a, { request: { write: true, pin }, page, registers: faultRegisters(gup), prefix: "gup" });
  addProgramming(gup, device, page);
  const monitor = model.thread("monitor", "environment");
  monitor.step({ text: "mmap_read_lock(A)", ...together({ alternatives: [{ guard: ne(device.page, 0) }] }, downRead(a.mmapLock)) });
  monitor.step({ text: "UFFDIO_WRITEPROTECT: read-only, uffd-wp", effect: [assign(a.pte.value, readOnlyPte(folioOf(a.pte)))] });
  monitor.step({ text: "UFFDIO_WRITEPROTECT, resolve: not uffd-wp, still read-only", effect: [assign(resolved, 1)] });
  monitor.step({ text: "mmap_read_unlock(A)", ...upRead(a.mmapLock) });
  const process = model.thread("process A", "environment");
  const store = addStore(process, memory, a, { registers: faultRegisters(process), after: eq(resolved, 1) });
  model.reach(process, store, "A stores");
  addDma(model, device, a);
  return model.finish();
}

/** Eras in which a page that was never shared is copied because somebody has a reference. */
const FAILS: readonly GupEra[] = ["E2", "E3", "E3b", "E4"];

/** uffd-wp is set and taken back on a pinned page: its entry stays read-only, and the next store may copy the page. */
export const unprotectPinnedScenario: CatalogueScenario = {
  id: "unprotect-pinned",
  rules: ["write-protect-ignores-pins", "cow-reuse-unsafe"],
  title: "a pinned page is write-protected and unprotected again",
  sources: ["09854ba94c6a (5.9)", "6c287605fd56 (5.19)", "mm/mprotect.c (change_pte_range())"],
  properties: ["lost-dma"],
  deadlock: false,
  livelock: null,
  variants: [
    { id: "pin", what: "FOLL_PIN with FOLL_WRITE", isFixed: false },
    { id: "get", what: "FOLL_GET with FOLL_WRITE", isFixed: false },
  ],
  axes: { eras: ["E0", "E1", "E2", "E3", "E3b", "E4", "E5", "E6", "E7"], releases: [], byArchitecture: false },
  build: ({ variant, era }) => unprotectPinned(variant === "pin", ERAS[era]),
  expected: ({ era }) => (FAILS.includes(era) ? "fail" : "pass"),
};
