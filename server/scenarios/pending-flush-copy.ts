// SPDX-License-Identifier: GPL-2.0-only
import { ERAS, gupEra } from "../kernel/era.ts";
import type { Release } from "../kernel/release.ts";
import type { Value } from "../program/code.ts";
import type { CallNode, EffectProgram, NodeId } from "../program/program.ts";
import { modelBuilder, type ModelBuilder } from "../simulator/build.ts";
import { assign, assignAt, decrement, increment, incrementAt } from "../simulator/effect.ts";
import { and, element, eq, gt, ne, not, type Expression, type Field } from "../simulator/expression.ts";
import { readOnlyPte } from "../simulator/objects/pte.ts";
import { flushTlb, storesThrough, tlbSlot, type TlbSlot } from "../simulator/objects/tlb.ts";
import type { BuiltModel, Experiment } from "./experiment.ts";
import { freshPage, isWritable, pageNames, pageOf, privateMapping, FIRST, type PrivateMapping } from "./gup-era.ts";
import { lift } from "./lift.ts";
import { insertAtStart, synthetic, without } from "./rewrite.ts";
import type { LiftedStep, World } from "./world.ts";
import { copies, faultWorld, GATE, withKept } from "./write-fault.ts";

/*
 * UFFDIO_WRITEPROTECT changes entries under the page-table lock and flushes after its walk, with mmap_lock for read. In between
 * another call resolves the protection, and a write fault copies the page, while a CPU still has the writable entry: what it
 * stores after the copy is lost. 6ce64428d620 (5.12) flushes in `do_wp_page()` where a flush is pending. The same with the fault
 * as a model of its own is the scenario deferred-flush-copy of the catalogue.
 */

const FLUSH = "mm_tlb_flush_pending()? flush_tlb_page()";
const isFlush = (call: CallNode): boolean => call.at < 0 && call.name === FLUSH;

/** How a fault asks whether userfaultfd guards the entry. */
const ASKS_MONITOR = ["userfaultfd_pte_wp", "pte_uffd_wp"];

/** True where references decide, so that a page whose entry was writable can be copied: 5.9 to 5.18. */
export const copiesReferenced = (release: Release): boolean => ERAS[gupEra(release)].anonReuse.startsWith("refcount");

interface Objects {
  readonly mapping: PrivateMapping;
  /** The entry is uffd-wp. */
  readonly guarded: Field;
  /** `mm->tlb_flush_pending`. */
  readonly pending: Field;
  readonly tlb: TlbSlot;
  /** 1 where a page has what the CPU stored. */
  readonly stored: Field;
}

/** A copy is made without the page-table lock; the entry is replaced, and flushed, in a second step. */
const copySteps = ({ mapping, tlb, stored }: Objects): LiftedStep[] => [
  { text: "wp_page_copy(): copies the page", alternatives: [{ effect: [assignAt(stored, mapping.folios.next, element(stored, pageOf(mapping.entry)))] }] },
  { text: "wp_page_copy(): ptep_clear_flush(), set_pte_at() of the copy", alternatives: [{ effect: [...freshPage(mapping, true), ...flushed(tlb)], to: "handled" }] },
];

const flushed = (tlb: TlbSlot) => flushTlb(tlb).alternatives.flatMap(({ effect = [] }) => effect);

function world(program: EffectProgram, copyAt: NodeId, objects: Objects, begun: Field): World {
  const { mapping, guarded, pending, tlb } = objects;
  const base = faultWorld({ program, mapping, begun, copyAt });
  const ofCall = (name: string): Expression | number | null =>
    ASKS_MONITOR.includes(name) ? eq(guarded, 1) : name === "userfaultfd_wp" ? 1 : name === "mm_tlb_flush_pending" ? gt(pending, 0) : name === "mm_tlb_flush_nested" ? gt(pending, 1) : null;
  return {
    ...base,
    sees: (effect, call) => isFlush(call) || effect.kind === "flushTlb" || base.sees(effect, call),
    refine(effect, call, lifting): readonly LiftedStep[] {
      const flush = { effect: flushed(tlb) };
      if (isFlush(call)) return [{ alternatives: [{ guard: gt(pending, 0), ...flush, note: "pending: flushes" }, { guard: eq(pending, 0), note: "none pending" }] }];
      if (effect.kind === "flushTlb") return [{ alternatives: [flush] }];
      return copies(call) && program.nodes[copyAt] === call ? copySteps(objects) : base.refine(effect, call, lifting);
    },
    place: (value: Value) => (value.kind === "call" ? ofCall(value.name) : null) ?? base.place(value),
  };
}

/** One call of UFFDIO_WRITEPROTECT: `change_protection_range()` flushes after its walk. */
function addProtection(model: ModelBuilder, { mapping, guarded, pending, tlb }: Objects, mode: "protects" | "resolves", begun: Field): void {
  const thread = model.thread(mode === "protects" ? "CPU0: UFFDIO_WRITEPROTECT" : "CPU1: UFFDIO_WRITEPROTECT, resolve", "environment");
  thread.step({ text: "inc_tlb_flush_pending()", guard: mode === "protects" ? isWritable(mapping.entry) : eq(guarded, 1), effect: [increment(pending)] });
  thread.step(
    mode === "protects"
      ? { text: "change_pte_range(): read-only, uffd-wp", effect: [assign(mapping.entry, readOnlyPte(pageOf(mapping.entry))), assign(guarded, 1), assign(begun, 1)] }
      : { text: "change_pte_range(): not uffd-wp, still read-only", effect: [assign(guarded, 0)] },
  );
  thread.step({ text: "flush_tlb_range()", ...flushTlb(tlb) });
  thread.step({ text: "dec_tlb_flush_pending()", effect: [decrement(pending)] });
}

/** The CPU that still has the writable entry, and looks for what it stored once the entry is gone. */
function addStaleCpu(model: ModelBuilder, { mapping, tlb, stored }: Objects): void {
  const thread = model.thread("CPU2", "environment");
  const through = storesThrough(tlb);
  const store = thread.step({
    text: "stores to va through its TLB entry",
    alternatives: [{ guard: through, effect: [assignAt(stored, tlb.target, 1)] }, { guard: not(through), to: "END", note: "no entry: it would fault" }],
  });
  const load = thread.step({
    text: "loads what it stored",
    guard: and(eq(tlb.target, 0), ne(mapping.entry, 0)),
    checks: [{ holds: eq(element(stored, pageOf(mapping.entry)), 1), property: "lost-store", message: "the store went to the page after it was copied: it is lost" }],
  });
  model.reach(thread, store, "a CPU stores through its TLB entry");
  model.reach(thread, load, "it loads afterwards");
}

/** GUP or a pagevec holds the page: where references decide, the fault copies. */
function addReference(model: ModelBuilder, { mapping }: Objects): void {
  const thread = model.thread("folio_get()", "environment");
  thread.step({ text: "takes a reference to the page", guard: eq(pageOf(mapping.entry), FIRST), effect: [incrementAt(mapping.folios.refcount, FIRST)] });
}

function build(program: EffectProgram, release: Release, copyAt: NodeId): BuiltModel {
  const model = modelBuilder("pending-flush-copy");
  const mapping = privateMapping(model, gupEra(release), "anonymous");
  const begun = model.field("begun", 0, { hidden: true });
  const [, ...names] = pageNames("anonymous");
  const objects: Objects = {
    mapping,
    guarded: model.field("uffd-wp(va)", 0, { labels: { 0: "no", 1: "yes" } }),
    pending: model.field("tlb_flush_pending"),
    tlb: tlbSlot(model, "CPU2", FIRST, 1, names),
    stored: model.array("what CPU2 stored", [0, 0, 0, 0], { elements: ["none", ...names].map((name) => `stored in ${name}`) }),
  };
  const gated = insertAtStart(withKept(program), [{ ...synthetic("", { kind: "maySleep" }), name: GATE }]);
  const { thread, assumptions, stepsOf } = lift(model, gated, release, () => world(gated, copyAt, objects, begun), { next: "END" });
  thread.label("handled");
  thread.step({ text: "the fault is handled", hidden: true });
  addProtection(model, objects, "protects", begun);
  addProtection(model, objects, "resolves", begun);
  addStaleCpu(model, objects);
  addReference(model, objects);
  for (const step of stepsOf.get(copyAt) ?? []) model.reach(thread, step, "the fault copies");
  return { model: model.finish(), assumptions };
}

/** B:S10: a store is lost because the page was copied while a CPU could still store to it. `copyAt`: the call that makes the copy. */
export const pendingFlushCopy = (copyAt: NodeId): Experiment => ({
  name: "pending-flush-copy",
  primary: ["lost-store"],
  secondary: [],
  bounds: "environment {two calls of UFFDIO_WRITEPROTECT, a CPU with a TLB entry, one reference}, one write fault, private anonymous page, SC",
  build: (program, release) => build(program, release, copyAt),
  fix: (program) => ({ title: "a flush that is pending is done first, before anything is copied (6ce64428d620)", program: insertAtStart(program, [{ ...synthetic(FLUSH, { kind: "flushTlb" }), name: FLUSH }]) }),
  mutate: (fixed) => without(fixed, (node) => node.kind === "call" && isFlush(node)),
  wrongFixes: [],
});

/** True where the text of a function has one of these words. */
const mentions = ({ image, start, end }: EffectProgram, words: readonly string[]): boolean => words.some((word) => image.text.slice(start, end).includes(word));

/** True where the fault lets pass what userfaultfd has resolved; who does not ask leaves userfaultfd's entries to somebody else. */
export const knowsMonitor = (program: EffectProgram): boolean => mentions(program, ASKS_MONITOR);

/** True where a function knows of flushes that are pending. */
export const knowsPending = (program: EffectProgram): boolean => mentions(program, ["tlb_flush_pending", "tlb_flush_nested"]);
