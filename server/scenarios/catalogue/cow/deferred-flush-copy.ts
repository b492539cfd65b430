// SPDX-License-Identifier: GPL-2.0-only
import { ERAS, type EraBehavior, type GupEra } from "../../../kernel/era.ts";
import { modelBuilder, type ModelBuilder } from "../../../simulator/build.ts";
import { together } from "../../../simulator/combine.ts";
import { assign, assignAt, decrement, increment, incrementAt } from "../../../simulator/effect.ts";
import { and, element, eq, gt, ne, not, type Field } from "../../../simulator/expression.ts";
import type { Model } from "../../../simulator/model.ts";
import type { OrderedStep } from "../../../simulator/order.ts";
import { folioOf, isMapped, isReadOnlyPte, isWritablePte, readOnlyPte } from "../../../simulator/objects/pte.ts";
import { downRead, upRead } from "../../../simulator/objects/rwsem.ts";
import { flushTlb, storesThrough, tlbSlot, type TlbSlot } from "../../../simulator/objects/tlb.ts";
import { addFault, faultRegisters } from "../../mechanism/fault.ts";
import { addressSpace, privateMemory, type AddressSpace, type Memory } from "../../mechanism/memory.ts";
import type { CatalogueScenario, Expectation } from "../scenario.ts";

const STORED = 1;

interface Told {
  /** Why the write fault copies: somebody has a reference, or a second mapping. */
  readonly reason: "reference" | "mapping";
  readonly flushesFirst: boolean;
  /** Where this is the code. */
  readonly eras: readonly GupEra[];
}

const TOLD: Readonly<Record<string, Told>> = {
  "copy-at-once": { reason: "reference", flushesFirst: false, eras: ["E0", "E1", "E2", "E3", "E3b"] },
  "mapped-twice": { reason: "mapping", flushesFirst: false, eras: ["E0", "E1"] },
  "flush-first": { reason: "reference", flushesFirst: true, eras: ["E3b", "E4"] },
  "exclusive-page": { reason: "reference", flushesFirst: false, eras: ["E5", "E6", "E7"] },
};

interface World {
  readonly memory: Memory;
  readonly a: AddressSpace;
  readonly protectedByMonitor: Field;
  readonly flushesPending: Field;
  readonly tlb: TlbSlot;
}

const begin = (model: ModelBuilder, era: EraBehavior, firstIsMappedTwice: boolean): World => {
  const memory = privateMemory(model, era, { contents: { 0: "old data", [STORED]: "what CPU2 stored" }, firstIsMappedTwice });
  return {
    memory,
    a: addressSpace(memory, "A", 2),
    protectedByMonitor: model.field("uffd-wp(va)", 0, { labels: { 0: "no", 1: "yes" } }),
    flushesPending: model.field("tlb_flush_pending"),
    tlb: tlbSlot(model, "CPU2", 1, 1, memory.names),
  };
};

/** One call of UFFDIO_WRITEPROTECT: `change_protection_range()` flushes after its walk. */
function addProtection(model: ModelBuilder, { a, protectedByMonitor, flushesPending, tlb }: World, mode: "protects" | "resolves"): void {
  const thread = model.thread(mode === "protects" ? "CPU0: UFFDIO_WRITEPROTECT" : "CPU1: UFFDIO_WRITEPROTECT, resolve", "environment");
  const starts = mode === "protects" ? isWritablePte(a.pte) : eq(protectedByMonitor, 1);
  thread.step({ text: "mmap_read_lock(A)", ...together({ alternatives: [{ guard: starts }] }, downRead(a.mmapLock)) });
  thread.step({ text: "inc_tlb_flush_pending()", effect: [increment(flushesPending)] });
  thread.step(
    mode === "protects"
      ? { text: "change_pte_range(): read-only, uffd-wp", effect: [assign(a.pte.value, readOnlyPte(folioOf(a.pte))), assign(protectedByMonitor, 1)] }
      : { text: "change_pte_range(): not uffd-wp, still read-only", effect: [assign(protectedByMonitor, 0)] },
  );
  thread.step({ text: "flush_tlb_range()", ...flushTlb(tlb) });
  thread.step({ text: "dec_tlb_flush_pending()", effect: [decrement(flushesPending)] });
  thread.step({ text: "mmap_read_unlock(A)", ...upRead(a.mmapLock) });
}

/** Another thread writes; the monitor has resolved the page, so nobody is asked. */
function addWriteFault(model: ModelBuilder, { memory, a, protectedByMonitor, flushesPending, tlb }: World, flushesFirst: boolean): void {
  const thread = model.thread("CPU3: write fault", "review");
  const begins = and(isReadOnlyPte(a.pte), eq(protectedByMonitor, 0));
  thread.step({ text: "mmap_read_lock(A)", ...together({ alternatives: [{ guard: begins }] }, downRead(a.mmapLock)) });
  if (flushesFirst) {
    const [flush] = flushTlb(tlb).alternatives;
    thread.step({
      text: "do_wp_page(): mm_tlb_flush_pending()? flush_tlb_page()",
      isFix: true,
      alternatives: [{ guard: gt(flushesPending, 0), ...flush, note: "pending: flushes" }, { guard: eq(flushesPending, 0), note: "none pending" }],
    });
  }
  const flush = flushTlb(tlb).alternatives.flatMap(({ effect = [] }) => effect);
  const decides = addFault(thread, memory, a, faultRegisters(thread), { kind: "write", done: "handled", flush });
  thread.label("handled");
  thread.step({ text: "mmap_read_unlock(A)", ...upRead(a.mmapLock) });
  model.reach(thread, decides, "the write fault decides");
}

/** The CPU that still has the writable entry, and looks for what it stored once the entry is gone. */
function addStaleCpu(model: ModelBuilder, { memory, a, tlb }: World): void {
  const thread = model.thread("CPU2", "environment");
  const through = storesThrough(tlb);
  const store = thread.step({
    text: "stores to va through its TLB entry",
    alternatives: [
      { guard: through, effect: [assignAt(memory.folios.content, tlb.target, STORED)] },
      { guard: not(through), to: "END", note: "no entry: it would fault" },
    ],
  });
  const load = thread.step({
    text: "loads what it stored",
    guard: and(eq(tlb.target, 0), isMapped(a.pte)),
    checks: [{ holds: eq(element(memory.folios.content, folioOf(a.pte)), STORED), property: "lost-store", message: "the store went to the page after it was copied: it is lost" }],
  });
  model.reach(thread, store, "a CPU stores through its TLB entry");
  model.reach(thread, load, "it loads afterwards");
}

/** Somebody takes a reference, as GUP or a pagevec does: what makes a copy of it where references are counted. */
function addReference(model: ModelBuilder, { memory, a }: World): void {
  const thread = model.thread("folio_get()", "environment");
  thread.step({ text: "takes a reference to the page", guard: ne(a.pte.value, 0), effect: [incrementAt(memory.folios.refcount, folioOf(a.pte))] });
}

/** The model of a variant under any rules, those of no era included. */
export function deferredFlushCopy(variant: string, era: EraBehavior): Model {
  const told = TOLD[variant];
  if (!told) throw new Error(`no variant: ${variant}`);
  const model = modelBuilder(`deferred-flush-copy, ${variant}`);
  const world = begin(model, era, told.reason === "mapping");
  addProtection(model, world, "protects");
  addProtection(model, world, "resolves");
  addWriteFault(model, world, told.flushesFirst);
  addStaleCpu(model, world);
  if (told.reason === "reference") addReference(model, world);
  return model.finish();
}

/** The second schedule of the commit message. */
const FOUR_CPUS: readonly OrderedStep[] = [
  { thread: "CPU0: UFFDIO_WRITEPROTECT", step: "change_pte_range(): read-only, uffd-wp" },
  { thread: "CPU1: UFFDIO_WRITEPROTECT, resolve", step: "change_pte_range(): not uffd-wp, still read-only" },
  { thread: "CPU3: write fault", step: "wp_page_copy() copies the page" },
  { thread: "CPU2", step: "stores to va through its TLB entry" },
  { thread: "CPU3: write fault", step: "ptep_clear_flush(), set_pte_at() of the copy" },
];

/**
 * By mapcount a reference is no reason to copy: it takes a second mapping, which makes it rare. How a page can have two while a
 * CPU still has a writable TLB entry of it is not told here: fork() flushes before it lets anybody fault.
 */
const FAILS: Readonly<Record<string, readonly GupEra[]>> = { "copy-at-once": ["E2", "E3", "E3b"], "mapped-twice": ["E0", "E1"] };

const expected = (variant: string, era: GupEra): Expectation => (FAILS[variant]?.includes(era) ? "fail" : "pass");

/** uffd-wp is set and taken back under mmap_lock for read, the TLB is flushed later: a copy is made while a CPU still stores. */
export const deferredFlushCopyScenario: CatalogueScenario = {
  id: "deferred-flush-copy",
  rules: ["cow-reuse-unsafe"],
  title: "a copy of a page that another CPU still stores to through its TLB",
  sources: ["6ce64428d620 (5.12)", "mm/memory.c:3423 (6.1.192)"],
  properties: ["lost-store"],
  deadlock: false,
  livelock: null,
  variants: [
    { id: "copy-at-once", what: "the write fault copies while a flush is pending (up to 5.11)", isFixed: false },
    { id: "mapped-twice", what: "the write fault copies while a flush is pending; mappings are counted, and the page has two", isFixed: false },
    { id: "flush-first", what: "the write fault flushes where a flush is pending (5.12)", isFixed: true },
    { id: "exclusive-page", what: "a page that was writable is exclusive and is not copied (5.19)", isFixed: false },
  ],
  axes: { eras: ["E0", "E1", "E2", "E3", "E3b", "E4", "E5", "E6", "E7"], releases: [], byArchitecture: false },
  build: ({ variant, era }) => (TOLD[variant]?.eras.includes(era) ? deferredFlushCopy(variant, ERAS[era]) : null),
  expected: ({ variant, era }) => expected(variant, era),
  orders: [
    { source: "6ce64428d620, four CPUs, in E2", variant: "copy-at-once", era: "E2", steps: FOUR_CPUS, expected: "fail" },
    { source: "6ce64428d620, four CPUs, in E0", variant: "mapped-twice", era: "E0", steps: FOUR_CPUS, expected: "fail" },
  ],
};
