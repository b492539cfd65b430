// SPDX-License-Identifier: GPL-2.0-only
import { ERAS, type EraBehavior, type GupEra } from "../../../kernel/era.ts";
import { modelBuilder, type ModelBuilder } from "../../../simulator/build.ts";
import { assign, assignAt, incrementAt } from "../../../simulator/effect.ts";
import { and, element, eq, ne, not, type Field } from "../../../simulator/expression.ts";
import type { Alternative, Model } from "../../../simulator/model.ts";
import { isExclusive, maybePinned, unmapFolio } from "../../../simulator/objects/folio.ts";
import { folioOf, isMapped, readOnlyPte, SWAPPED } from "../../../simulator/objects/pte.ts";
import { addDma, addProgramming, dmaDevice, type Device } from "../../environment/device.ts";
import { addStore } from "../../environment/store.ts";
import { faultRegisters } from "../../mechanism/fault.ts";
import { addSlowGup } from "../../mechanism/gup.ts";
import { addressSpace, privateMemory, type AddressSpace, type Memory } from "../../mechanism/memory.ts";
import type { CatalogueScenario, Expectation } from "../scenario.ts";

const X = 1;

interface Told {
  readonly pin: boolean;
  /** feb889fb40fa: reclaim leaves pinned pages alone. */
  readonly keepsPinned: boolean;
  /** Reclaim comes to the page when it is pinned already. */
  readonly reclaimIsLate?: boolean;
  readonly eras: readonly GupEra[];
}

const TOLD: Readonly<Record<string, Told>> = {
  pin: { pin: true, keepsPinned: false, eras: ["E0", "E1", "E2", "E3"] },
  get: { pin: false, keepsPinned: false, eras: ["E0", "E1", "E2", "E3", "E3b", "E4", "E5", "E6", "E7"] },
  "pin-is-kept": { pin: true, keepsPinned: true, reclaimIsLate: true, eras: ["E3b", "E4"] },
  "pin-during-reclaim": { pin: true, keepsPinned: true, eras: ["E3b", "E4"] },
  "unmap-refuses": { pin: true, keepsPinned: false, eras: ["E5", "E6", "E7"] },
};

interface World {
  readonly memory: Memory;
  readonly a: AddressSpace;
  readonly swapCached: Field;
  readonly device: Device;
}

const begin = (model: ModelBuilder, era: EraBehavior): World => {
  const plain = privateMemory(model, era);
  const swapCached = model.array("in the swap cache", [0, ...plain.names.map(() => 0)], { elements: ["none", ...plain.names].map((name) => `${name} in the swap cache`), labels: { 0: "no", 1: "yes" } });
  const memory: Memory = { ...plain, folios: { ...plain.folios, swapCached } };
  return { memory, a: addressSpace(memory, "A", 2), swapCached, device: dmaDevice(memory) };
};

/** `try_to_unmap_one()`: since 5.19 the entry comes back where the page is exclusive and pinned. */
function unmaps({ memory, a }: World): Alternative[] {
  const { folios, behavior } = memory;
  const refuses = behavior.reuse === "exclusive" ? and(isExclusive(folios, X), maybePinned(folios, X)) : null;
  const here = and(isMapped(a.pte), eq(folioOf(a.pte), X));
  const unmap: Alternative = {
    guard: refuses === null ? here : and(here, not(refuses)),
    effect: [assign(a.pte.value, SWAPPED), ...unmapFolio(folios, X)],
    note: "swap entry",
  };
  return [
    unmap,
    ...(refuses === null ? [] : [{ guard: and(here, refuses), to: "END", note: "page_try_share_anon_rmap(): -EBUSY, the entry is restored" }]),
    { guard: not(here), to: "END", note: "not mapped any more" },
  ];
}

function addReclaim(model: ModelBuilder, world: World, { keepsPinned, reclaimIsLate = false }: Told): void {
  const { memory, swapCached, device } = world;
  const thread = model.thread("kswapd", "environment");
  if (reclaimIsLate) thread.step({ text: "isolate_lru_pages()", guard: ne(device.page, 0) });
  const pinned = maybePinned(memory.folios, X);
  if (keepsPinned) {
    const looks = thread.step({
      text: "shrink_page_list(): page_maybe_dma_pinned()?",
      isFix: true,
      alternatives: [{ guard: pinned, to: "END", note: "yes: the page stays" }, { guard: not(pinned), note: "no" }],
    });
    model.reach(thread, looks, "reclaim looks at the page");
  }
  thread.step({ text: "add_to_swap()", guard: eq(element(swapCached, X), 0), effect: [assignAt(swapCached, X, 1), incrementAt(memory.folios.refcount, X)] });
  const unmap = thread.step({ text: "try_to_unmap_one(): ptep_clear_flush()", alternatives: unmaps(world) });
  if (!keepsPinned) model.reach(thread, unmap, "reclaim tries to unmap the page");
}

/**
 * The process loads, and later stores. A store that finds the swap entry itself is not here: do_swap_page() then keeps the page
 * by its mapcount, in all eras up to 5.17.
 */
function addProcess(model: ModelBuilder, { memory, a }: World): void {
  const thread = model.thread("process A", "environment");
  const { folios } = memory;
  thread.step({
    text: "loads from va",
    alternatives: [
      {
        guard: eq(a.pte.value, SWAPPED),
        effect: [assign(a.pte.value, readOnlyPte(X)), incrementAt(folios.mapcount, X), incrementAt(folios.refcount, X)],
        note: "do_swap_page(): maps the page of the swap cache, read-only",
      },
      { guard: isMapped(a.pte), note: "no fault" },
    ],
  });
  const store = addStore(thread, memory, a, { registers: faultRegisters(thread), after: isMapped(a.pte) });
  model.reach(thread, store, "A stores");
}

/** The model of a variant under any rules, those of no era included. */
export function swappedPin(variant: string, era: EraBehavior): Model {
  const told = TOLD[variant];
  if (!told) throw new Error(`no variant: ${variant}`);
  const model = modelBuilder(`swapped-pin, ${variant}`);
  const world = begin(model, era);
  const { memory, a, device } = world;
  const gup = model.thread(told.pin ? "pin_user_pages()" : "get_user_pages()", "review");
  const page = gup.local("page", 0, { hidden: true });
  addSlowGup(gup, memory, a, { request: { write: false, pin: told.pin }, page, registers: faultRegisters(gup), prefix: "gup", after: isMapped(a.pte) });
  model.reach(gup, addProgramming(gup, device, page), "the page is pinned");
  addReclaim(model, world, told);
  addProcess(model, world);
  addDma(model, device, a);
  return model.finish();
}

/**
 * The copy by refcount (5.9, 5.10) loses the pin, and 5.19 refuses to unmap. What eras that count mappings make of it, what
 * other references come to, and whether a pin that comes after reclaim has looked is lost, is not read again: uncertain.
 */
const KNOWN: Readonly<Record<string, Partial<Record<GupEra, Expectation>>>> = {
  pin: { E2: "fail", E3: "fail" },
  get: { E2: "fail", E3: "fail" },
  "pin-is-kept": { E3b: "pass", E4: "pass" },
  "unmap-refuses": { E5: "pass", E6: "pass", E7: "pass" },
};

/** Reclaim unmaps a pinned page, a read maps it again from the swap cache, and the next store copies it. */
export const swappedPinScenario: CatalogueScenario = {
  id: "swapped-pin",
  rules: ["cow-reuse-unsafe"],
  title: "reclaim takes a pinned page through the swap cache",
  sources: ["09854ba94c6a (5.9)", "feb889fb40fa (5.11): pinned pages are not put into the swap cache", "6c287605fd56 (5.19): page_try_share_anon_rmap()"],
  properties: ["lost-dma"],
  deadlock: false,
  livelock: null,
  variants: [
    { id: "pin", what: "reclaim does not look at pins", isFixed: false },
    { id: "get", what: "reclaim does not look at pins, and FOLL_GET cannot be told from other references", isFixed: false },
    { id: "pin-is-kept", what: "reclaim leaves pinned pages alone", isFixed: true },
    { id: "pin-during-reclaim", what: "reclaim leaves pinned pages alone, and the pin comes after it has looked", isFixed: false },
    { id: "unmap-refuses", what: "an exclusive page that is pinned is not unmapped", isFixed: false },
  ],
  axes: { eras: ["E0", "E1", "E2", "E3", "E3b", "E4", "E5", "E6", "E7"], releases: [], byArchitecture: false },
  build: ({ variant, era }) => (TOLD[variant]?.eras.includes(era) ? swappedPin(variant, ERAS[era]) : null),
  expected: ({ variant, era }) => KNOWN[variant]?.[era] ?? "uncertain",
};
