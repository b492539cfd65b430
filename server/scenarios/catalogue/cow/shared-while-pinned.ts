// SPDX-License-Identifier: GPL-2.0-only
import { modelBuilder, type ModelBuilder, type ThreadBuilder } from "../../../simulator/build.ts";
import { assign, decrement } from "../../../simulator/effect.ts";
import { eq, gt, ne, type Field } from "../../../simulator/expression.ts";
import type { Model } from "../../../simulator/model.ts";
import { addDrain, addLate, fence, isDrained, storeBuffer, storeLate, type Location, type StoreBuffer } from "../../../simulator/objects/store-buffer.ts";
import type { CatalogueScenario } from "../scenario.ts";

/** Who wants to share the page, or to take it away. */
type Writer = "ksm" | "swap" | "migration";

/** What the lockless walk does after it has read the entry. */
type ReaderStep = "grab" | "recheck" | "exclusive";

interface Told {
  readonly writer: Writer;
  readonly clears: boolean;
  readonly writerBarrier: boolean;
  readonly readerBarrier: boolean;
  readonly reader: readonly ReaderStep[];
  /** Stores may be late. A wrong order of steps fails without that, and is told without it. */
  readonly late: boolean;
}

const RIGHT = { late: true, clears: true, writerBarrier: true, readerBarrier: true, reader: ["grab", "recheck", "exclusive"] } as const;

const TOLD: Readonly<Record<string, Told>> = {
  ksm: { writer: "ksm", ...RIGHT },
  swap: { writer: "swap", ...RIGHT },
  migration: { writer: "migration", ...RIGHT },
  "no-clear": { writer: "ksm", ...RIGHT, late: false, clears: false },
  "exclusive-before-recheck": { writer: "ksm", ...RIGHT, late: false, reader: ["exclusive", "grab", "recheck"] },
  "recheck-before-grab": { writer: "ksm", ...RIGHT, late: false, reader: ["recheck", "grab", "exclusive"] },
  "reader-without-barrier": { writer: "ksm", ...RIGHT, readerBarrier: false },
  "writer-without-barrier": { writer: "ksm", ...RIGHT, writerBarrier: false },
};

const FIXED = new Set(["ksm", "swap", "migration"]);

const MAPPED = 1;
const TAKEN_AWAY = 2;

/** What a writer is called, and what it puts into the entry when it is done. */
const WRITERS: Readonly<Record<Writer, { readonly thread: string; readonly text: string; readonly value: number }>> = {
  ksm: { thread: "CPU1: write_protect_page()", text: "set_pte_at(): the page, read-only", value: MAPPED },
  swap: { thread: "CPU1: try_to_unmap_one()", text: "set_pte_at(): swap entry", value: TAKEN_AWAY },
  migration: { thread: "CPU1: try_to_migrate_one()", text: "set_pte_at(): migration entry", value: TAKEN_AWAY },
};

interface World {
  readonly entry: Location;
  readonly pincount: Location;
  readonly exclusive: Location;
  readonly granted: Field;
}

const begin = (model: ModelBuilder): World => ({
  entry: { name: "*ptep", field: model.field("pte(A)", MAPPED, { labels: { 0: "none", [MAPPED]: "X, read-only", [TAKEN_AWAY]: "swap or migration entry" } }) },
  pincount: { name: "pincount(X)", field: model.field("pincount(X)") },
  exclusive: { name: "AnonExclusive(X)", field: model.field("AnonExclusive(X)", 1) },
  granted: model.field("page of the device", 0, { labels: { 0: "none", 1: "X" } }),
});

/** The pin is a change of memory like any other: without a barrier the walk goes on before others see it. */
function addGrab(thread: ThreadBuilder, { pincount }: World, buffer: StoreBuffer, hasBarrier: boolean): void {
  thread.step({ text: "try_grab_folio(FOLL_PIN)", ...addLate(buffer, pincount, 1) });
  if (hasBarrier) thread.step({ text: "smp_mb__after_atomic()", isFix: true, ...fence(buffer) });
}

/** `gup_pte_range()` for a read-only pin: each test gives up where it fails. */
function addReader(model: ModelBuilder, world: World, { reader, readerBarrier, late }: Told): StoreBuffer {
  const { entry, pincount, exclusive, granted } = world;
  const buffer = storeBuffer(model, "CPU0", [pincount], late ? 1 : 0);
  const thread = model.thread("CPU0: pin_user_pages_fast()", "review");
  const giveUp = (isGrabbed: boolean): string => (isGrabbed ? "drop" : "END");
  thread.step({ text: "gup_pte_range(): pte = *ptep", alternatives: [{ guard: eq(entry.field, MAPPED) }, { guard: ne(entry.field, MAPPED), to: "END", note: "not mapped: slow path" }] });
  reader.forEach((step, index) => {
    const to = giveUp(reader.slice(0, index).includes("grab"));
    if (step === "grab") addGrab(thread, world, buffer, readerBarrier);
    else if (step === "recheck")
      thread.step({
        text: "pte_val(pte) != pte_val(*ptep)?",
        alternatives: [{ guard: eq(entry.field, MAPPED), note: "unchanged" }, { guard: ne(entry.field, MAPPED), to, note: "changed" }],
      });
    else
      thread.step({
        text: "gup_must_unshare()?",
        alternatives: [{ guard: eq(exclusive.field, 1), note: "no: exclusive" }, { guard: eq(exclusive.field, 0), to, note: "yes" }],
      });
  });
  const gives = thread.step({ text: "the device gets the page", effect: [assign(granted, 1)], to: "END" });
  thread.label("drop");
  const drops = thread.step({ text: "gup_put_folio(): the page is given back", guard: isDrained(buffer), effect: [decrement(pincount.field)] });
  model.reach(thread, gives, "the pin is granted");
  model.reach(thread, drops, "the walk gives up");
  return buffer;
}

/** `page_try_share_anon_rmap()`, under the page table lock, between the clearing of the entry and the new one. */
function addWriter(model: ModelBuilder, { entry, pincount, exclusive }: World, { writer, clears, writerBarrier, late }: Told): StoreBuffer {
  const { thread: name, text, value } = WRITERS[writer];
  const buffer = storeBuffer(model, "CPU1", [entry, exclusive], late ? 2 : 0);
  const thread = model.thread(name, "environment");
  if (clears) thread.step({ text: "ptep_clear_flush()", isFix: true, ...storeLate(buffer, entry, 0) });
  if (writerBarrier) thread.step({ text: "smp_mb()", isFix: true, ...fence(buffer) });
  thread.step({
    text: "page_maybe_dma_pinned()?",
    alternatives: [{ guard: gt(pincount.field, 0), to: "restore", note: "yes: -EBUSY" }, { guard: eq(pincount.field, 0), note: "no" }],
  });
  const shares = thread.step({ text: "ClearPageAnonExclusive()", ...storeLate(buffer, exclusive, 0) });
  thread.step({ text: "smp_mb__after_atomic()", ...fence(buffer) });
  thread.step({ text, ...storeLate(buffer, entry, value) });
  thread.step({ text: "pte_unmap_unlock()", ...fence(buffer), alternatives: fence(buffer).alternatives.map((one) => ({ ...one, to: "END" })) });
  thread.label("restore");
  const restores = thread.step({ text: "set_pte_at(): the entry is restored", ...storeLate(buffer, entry, MAPPED) });
  model.reach(thread, shares, "the page is shared");
  model.reach(thread, restores, "a pinned page is left alone");
  return buffer;
}

function addDevice(model: ModelBuilder, { exclusive, granted }: World): void {
  const thread = model.thread("device", "daemon");
  thread.step({
    text: "DMA to the page",
    guard: eq(granted, 1),
    checks: [
      {
        holds: eq(exclusive.field, 1),
        property: "pin-not-exclusive",
        message: "the device works on a page that is no longer exclusive: the next write fault gives the process another one",
      },
    ],
  });
}

export function sharedWhilePinned(variant: string): Model {
  const told = TOLD[variant];
  if (!told) throw new Error(`no variant: ${variant}`);
  const model = modelBuilder(`shared-while-pinned, ${variant}`);
  const world = begin(model);
  const buffers = [addReader(model, world, told), addWriter(model, world, told)];
  addDevice(model, world);
  for (const buffer of buffers) addDrain(model, buffer);
  return model.finish();
}

/**
 * PageAnonExclusive is cleared by KSM, reclaim and migration while GUP-fast takes a read-only pin. Each side writes first and
 * then looks at what the other writes; late stores are modeled with a buffer for each CPU. That two stores, or two loads, of
 * one CPU change places is not: the barrier behind ClearPageAnonExclusive() and the one in gup_must_unshare() have no mutant.
 */
export const sharedWhilePinnedScenario: CatalogueScenario = {
  id: "shared-while-pinned",
  rules: ["pinned-check-before-clear", "gup-fast-protocol", "cow-reuse-unsafe"],
  title: "KSM, reclaim or migration takes PageAnonExclusive while GUP-fast pins the page",
  sources: ["6c287605fd56 (5.19)", "088b8aa537c2 (6.1): barriers", "include/linux/rmap.h:285-352, mm/gup.c:2435-2529 (6.1.192)"],
  properties: ["pin-not-exclusive"],
  deadlock: false,
  livelock: null,
  variants: [
    { id: "ksm", what: "KSM: entry cleared, barrier, pins looked for, no longer exclusive, entry read-only", isFixed: true },
    { id: "swap", what: "reclaim: entry cleared, barrier, pins looked for, no longer exclusive, swap entry", isFixed: true },
    { id: "migration", what: "migration: entry cleared, barrier, pins looked for, no longer exclusive, migration entry", isFixed: true },
    { id: "no-clear", what: "the entry stays while pins are looked for", isFixed: false },
    { id: "exclusive-before-recheck", what: "the walk looks at PageAnonExclusive before it reads the entry again", isFixed: false },
    { id: "recheck-before-grab", what: "the walk reads the entry again before it takes the page", isFixed: false },
    { id: "reader-without-barrier", what: "the walk reads the entry again before others see its pin", isFixed: false },
    { id: "writer-without-barrier", what: "pins are looked for before others see that the entry is clear", isFixed: false },
  ],
  axes: { eras: ["E5", "E6", "E7"], releases: [], byArchitecture: false },
  build: ({ variant }) => sharedWhilePinned(variant),
  expected: ({ variant }) => (FIXED.has(variant) ? "pass" : "fail"),
};
