// SPDX-License-Identifier: GPL-2.0-only
import { modelBuilder, type ModelBuilder } from "../../../simulator/build.ts";
import { together } from "../../../simulator/combine.ts";
import { assign } from "../../../simulator/effect.ts";
import { and, element, eq, ne, not, type Field } from "../../../simulator/expression.ts";
import { dmaDevice, programDevice, type DmaDevice } from "../../../simulator/objects/device.ts";
import { entry, type Entry } from "../../../simulator/objects/entry.ts";
import { folios, putFolio, type Folios } from "../../../simulator/objects/folio.ts";
import { addDrain, addLate, fence, storeBuffer, storeLate, type Depth, type Location, type StoreBuffer } from "../../../simulator/objects/store-buffer.ts";
import type { CatalogueScenario } from "../scenario.ts";

/** Which order is lost. */
type Missing = "smp-mb" | "gup-barrier" | "smp-rmb" | "nothing";

const MISSING: Readonly<Record<string, Missing>> = {
  "no-smp-mb": "smp-mb",
  "no-gup-barrier": "gup-barrier",
  "no-smp-rmb": "smp-rmb",
  "smp-mb": "nothing",
  "smp-rmb": "nothing",
  "gup-barrier": "nothing",
};

interface Objects {
  readonly model: ModelBuilder;
  readonly pte: Entry;
  readonly all: Folios;
  readonly device: DmaDevice;
  readonly dirty: Field;
  /** The page was dropped: its data is gone. */
  readonly discarded: Field;
  /** Of reclaim's CPU, and of the CPU that pins. */
  readonly reclaimer: { readonly buffer: StoreBuffer; readonly ptep: Location };
  readonly reader: { readonly buffer: StoreBuffer; readonly refcount: Location };
}

/** Which CPU's stores may be late: the one whose barrier is missing, or both where nothing is; what is about loads has none. */
const isLate = (missing: Missing, barrier: Missing): Depth => (missing === "nothing" || missing === barrier ? 1 : 0);

function objectsOf(name: string, variant: string, missing: Missing): Objects {
  const model = modelBuilder(name);
  const pte = entry(model, "*ptep", 1, ["P"]);
  const all = folios(model, 1, 1, ["P"], { first: { refcount: 2, mapcount: 1 } });
  const [ptep, refcount]: readonly Location[] = [{ name: "*ptep", field: pte }, { name: "refcount of P", field: all.refcount, index: 1 }];
  return {
    model, pte, all,
    device: dmaDevice(model, ["P"]),
    dirty: model.field("PG_dirty of P", 0, { labels: { 0: "clean", 1: "dirty" } }),
    discarded: model.field("data of P", 0, { labels: { 0: "kept", 1: "dropped" } }),
    reclaimer: { buffer: storeBuffer(model, "CPU 0", [ptep!], variant === "smp-rmb" ? 0 : isLate(missing, "smp-mb")), ptep: ptep! },
    reader: { buffer: storeBuffer(model, "CPU 1", [refcount!], variant === "smp-rmb" ? 0 : isLate(missing, "gup-barrier")), refcount: refcount! },
  };
}

/** `try_to_unmap_one()` of a page of MADV_FREE: reclaim holds one reference, the mapping another. */
function addReclaim({ model, all, dirty, discarded, reclaimer }: Objects, missing: Missing): void {
  const thread = model.thread("try_to_unmap_one()", "review");
  const [refs, wasDirty] = [thread.local("ref_count"), thread.local("folio_test_dirty", 0, { labels: { 0: "clean", 1: "dirty" } })];
  const readRefs = (): void => {
    thread.step({ text: "ref_count = folio_ref_count(folio)", effect: [assign(refs, element(all.refcount, 1))] });
  };
  const readDirty = (): void => {
    thread.step({ text: "folio_test_dirty(folio)", effect: [assign(wasDirty, dirty)] });
  };
  thread.step({ text: "ptep_get_and_clear(mm, address, pvmw.pte)", ...storeLate(reclaimer.buffer, reclaimer.ptep, 0) });
  if (missing !== "smp-mb") thread.step({ text: "smp_mb()", ...fence(reclaimer.buffer) });
  if (missing === "smp-rmb") readDirty();
  readRefs();
  if (missing !== "smp-rmb") {
    thread.step({ text: "smp_rmb()" });
    readDirty();
  }
  const unused = and(eq(refs, 2), eq(wasDirty, 0));
  thread.step({
    text: "ref_count == 1 + map_count && !folio_test_dirty(folio)",
    alternatives: [{ guard: unused, note: "unused and clean" }, { guard: not(unused), to: "remap", note: "in use or dirty" }],
  });
  const discard = thread.step({
    text: "the page is discarded",
    checks: [{ holds: eq(dirty, 0), property: "lost-dirty", message: "a page is discarded that has become dirty: what was read into it is lost" }],
    effect: [assign(discarded, 1)], to: "END",
  });
  thread.label("remap");
  const remap = thread.step({
    text: "set_pte_at(mm, address, pvmw.pte, pteval); folio_set_swapbacked(folio)",
    ...together(fence(reclaimer.buffer), { alternatives: [{ effect: [assign(reclaimer.ptep.field, 1)] }] }),
  });
  model.reach(thread, discard, "the page is discarded");
  model.reach(thread, remap, "the page is kept");
}

/** `read(2)` with O_DIRECT into the page: GUP-fast, DMA, the page is set dirty and its reference is put. */
function addDirectRead({ model, pte, all, device, dirty, discarded, reader }: Objects, missing: Missing): void {
  const thread = model.thread("read() with O_DIRECT", "environment");
  const { buffer, refcount } = reader;
  thread.step({
    text: "gup_pte_range(): pte = ptep_get_lockless(ptep)",
    alternatives: [{ guard: ne(pte, 0) }, { guard: eq(pte, 0), to: "END", note: "none: slow path" }],
  });
  const grab = addLate(buffer, refcount, 1);
  thread.step({ text: "gup_pte_range(): try_grab_folio(FOLL_GET)", ...grab });
  if (missing !== "gup-barrier") thread.step({ text: "gup_pte_range(): smp_mb(), implied by the atomic operation", ...fence(buffer) });
  thread.step({
    text: "gup_pte_range(): pte_val(pte) != pte_val(ptep_get(ptep))",
    alternatives: [{ guard: ne(pte, 0), note: "unchanged" }, { guard: eq(pte, 0), to: "put", note: "changed" }],
  });
  thread.step({ text: "the device is programmed", ...together(fence(buffer), programDevice(device, 1)) });
  const dma = thread.step({
    text: "DMA write to P",
    checks: [{ holds: eq(discarded, 0), property: "lost-dma", message: "the device writes a page that was discarded: the reader finds zeros" }],
  });
  thread.step({ text: "folio_set_dirty(folio)", effect: [assign(dirty, 1)] });
  thread.label("put");
  thread.step({ text: "folio_put(folio)", ...together(fence(buffer), putFolio(all, 1)) });
  model.reach(thread, dma, "the device writes");
}

const WHAT: Readonly<Record<string, string>> = {
  "no-smp-mb": "no barrier between the clear and the reference count",
  "no-gup-barrier": "no barrier between GUP-fast's reference and its second look",
  "no-smp-rmb": "the dirty flag is read before the reference count",
  "smp-mb": "smp_mb() after the clear",
  "gup-barrier": "the reference is an atomic operation that orders",
  "smp-rmb": "smp_rmb() between the reference count and the dirty flag",
};

/** Clear, then count; grab, then look again: each side must see the other's write, which takes a barrier on both. */
export const lazyfreeVsDirectIo: CatalogueScenario = {
  id: "lazyfree-vs-direct-io",
  rules: ["pinned-check-before-clear"],
  title: "reclaim discards a MADV_FREE page into which O_DIRECT reads",
  sources: ["6c8e2a256915 (5.18): mm: fix race between MADV_FREE reclaim and blkdev direct IO read", "mm/rmap.c:1676-1690 (6.1.192)"],
  properties: ["lost-dma", "lost-dirty", "uaf"],
  deadlock: true,
  livelock: null,
  variants: Object.keys(MISSING).map((id) => ({
    id, what: WHAT[id]!, isFixed: MISSING[id] === "nothing",
    ...(MISSING[id] === "nothing" ? { undone: `no-${id}` } : {}),
  })),
  axes: { eras: [], releases: ["6.1"], byArchitecture: false },
  build({ variant }) {
    const missing = MISSING[variant]!;
    const objects = objectsOf(`lazyfree-vs-direct-io, ${variant}`, variant, missing);
    addReclaim(objects, missing);
    addDirectRead(objects, missing);
    addDrain(objects.model, objects.reclaimer.buffer);
    addDrain(objects.model, objects.reader.buffer);
    return objects.model.finish();
  },
  expected({ variant }) {
    if (MISSING[variant] === "nothing") return "pass";
    return { fails: variant === "no-smp-rmb" ? "lost-dirty" : "lost-dma" };
  },
};
