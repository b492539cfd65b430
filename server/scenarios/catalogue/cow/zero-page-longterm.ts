// SPDX-License-Identifier: GPL-2.0-only
import { ERAS, type EraBehavior, type GupEra } from "../../../kernel/era.ts";
import { modelBuilder } from "../../../simulator/build.ts";
import type { Model } from "../../../simulator/model.ts";
import { addDma, addProgramming, dmaDevice } from "../../environment/device.ts";
import { addStore } from "../../environment/store.ts";
import { faultRegisters } from "../../mechanism/fault.ts";
import { addSlowGup } from "../../mechanism/gup.ts";
import { addressSpace, privateMemory } from "../../mechanism/memory.ts";
import type { CatalogueScenario } from "../scenario.ts";

interface Told {
  /** What a read fault maps. */
  readonly foreign: string;
  readonly write: boolean;
}

const TOLD: Readonly<Record<string, Told>> = {
  "zero-page": { foreign: "zero page", write: false },
  "private-file": { foreign: "page of the file", write: false },
  "zero-page-write": { foreign: "zero page", write: true },
  "private-file-write": { foreign: "page of the file", write: true },
};

/** The model of a variant under any rules, those of no era included. */
export function zeroPageLongterm(variant: string, era: EraBehavior): Model {
  const told = TOLD[variant];
  if (!told) throw new Error(`no variant: ${variant}`);
  const model = modelBuilder(`zero-page-longterm, ${variant}`);
  const memory = privateMemory(model, era, { names: [told.foreign, "X", "Y"], firstIsForeign: true });
  const a = addressSpace(memory, "A", 0);
  const device = dmaDevice(memory);
  const pin = model.thread("pin_user_pages_remote()", "review");
  const page = pin.local("page", 0, { hidden: true });
  addSlowGup(pin, memory, a, { request: { write: told.write, pin: true, longterm: true }, page, registers: faultRegisters(pin), prefix: "gup" });
  model.reach(pin, addProgramming(pin, device, page), "the page is pinned");
  const process = model.thread("process A", "environment");
  const store = addStore(process, memory, a, { registers: faultRegisters(process), text: "stores to va for the first time" });
  model.reach(process, store, "A stores");
  addDma(model, device, a);
  return model.finish();
}

/** Eras in which a read-only long-term pin takes what is mapped, whatever it is. */
const FAILS: readonly GupEra[] = ["E0", "E2", "E3", "E3b", "E4", "E5"];

/** Memory that was never written is pinned for reading: the device gets a page that the process leaves with its first store. */
export const zeroPageLongtermScenario: CatalogueScenario = {
  id: "zero-page-longterm",
  rules: ["gup-readonly-longterm", "gup-force-misuse"],
  title: "a read-only long-term pin of the zero page or of a page of a private file mapping",
  sources: ["84209e87c696 (6.2)", "include/linux/mm.h:3202 (6.1.192): gup_must_unshare()", "arch/x86/kvm/svm/sev.c:1976 (6.1.192) relies on the later behavior"],
  properties: ["lost-dma"],
  deadlock: false,
  livelock: null,
  variants: [
    { id: "zero-page", what: "FOLL_LONGTERM without FOLL_WRITE of memory that was never touched", isFixed: false },
    { id: "private-file", what: "FOLL_LONGTERM without FOLL_WRITE of a private file mapping", isFixed: false },
    { id: "zero-page-write", what: "FOLL_WRITE: the pin gets a page of the process's own", isFixed: true, undone: "zero-page" },
    { id: "private-file-write", what: "FOLL_WRITE of a private file mapping", isFixed: true, undone: "private-file" },
  ],
  axes: { eras: ["E0", "E1", "E2", "E3", "E3b", "E4", "E5", "E6", "E7"], releases: [], byArchitecture: false },
  build: ({ variant, era }) => zeroPageLongterm(variant, ERAS[era]),
  expected: ({ variant, era }) => (TOLD[variant]?.write === false && FAILS.includes(era) ? "fail" : "pass"),
};
