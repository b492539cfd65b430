// SPDX-License-Identifier: GPL-2.0-only
import { ERAS, gupEra } from "../kernel/era.ts";
import type { Release } from "../kernel/release.ts";
import type { Value } from "../program/code.ts";
import type { BoundEffect, CallNode, EffectProgram, NodeId, ProgramNode } from "../program/program.ts";
import { modelBuilder, type ModelBuilder, type ThreadBuilder } from "../simulator/build.ts";
import { assign, assignAt } from "../simulator/effect.ts";
import { and, element, eq, FALSE, gt, lt, ne, not, TRUE, type Expression, type Field } from "../simulator/expression.ts";
import type { Alternative, Assignment } from "../simulator/model.ts";
import { unmapFolio } from "../simulator/objects/folio.ts";
import { someIn } from "./doubt.ts";
import type { BuiltModel, Experiment } from "./experiment.ts";
import { breakCow, childExits, fork, freshPage, grab, gupFaults, isReady, isWritable, pageLabels, pageOf, privateMapping, reuse, type GupRequest, type PrivateMapping } from "./gup-era.ts";
import { lift } from "./lift.ts";
import { dmaDevice, pinObjects, type PinObjects } from "./pinning-driver.ts";
import { LOST } from "./read-only-pin-lost.ts";
import { insertAtStart, synthetic } from "./rewrite.ts";
import type { LiftedStep, World } from "./world.ts";

/*
 * A write fault on a present, read-only entry of a private mapping, with `do_wp_page()` as the code has it: does the process
 * keep the page, or get a copy? What happened before (fork, pins, references) is as the release does it. Two answers are
 * wrong: to keep a page that somebody else can still read (CVE-2020-29374), and to copy one that a device works on.
 */

export const GATE = "begin";

/** `wp_page_reuse()` may stand in the place of its call: the call says what it comes to. */
export const KEEPS = "wp_page_reuse";

/** Calls that say something about the page, with what they say of a small, mapped, anonymous page that is not KSM's. */
const ABOUT_PAGE: Readonly<Record<string, 0 | 1>> = {
  PageKsm: 0, folio_test_ksm: 0, PageAnon: 1, folio_test_anon: 1, PageSwapCache: 0, folio_test_swapcache: 0, PageLRU: 1, folio_test_lru: 1, folio_test_large: 0,
  PageTransCompound: 0, PageCompound: 0, PageHuge: 0, userfaultfd_wp: 0, userfaultfd_pte_wp: 0, is_zero_pfn: 0, pte_same: 1,
};

const REFERENCES = new Set(["page_count", "page_ref_count", "folio_ref_count"]);
const MAPPINGS = new Set(["page_mapcount", "folio_mapcount", "total_mapcount", "page_trans_huge_mapcount", "folio_estimated_sharers"]);
const EXCLUSIVE = /^(?:PageAnonExclusive|folio_test_anon_exclusive)$/;

/** Variables and fields that hold the page, or the entry as it was. */
const isPage = (value: Value): boolean => value.kind === "member" && /^(?:page|orig_pte)$/.test(value.field);

/** True where a fault can be lifted: it copies, or it keeps. */
export const decidesReuse = (program: EffectProgram): boolean => {
  const calls = program.nodes.filter((node) => node.kind === "call" && node.inlined === undefined);
  return calls.some((node) => node.kind === "call" && copies(node)) && calls.some((node) => node.kind === "call" && node.name === KEEPS);
};

export const copies = (call: CallNode): boolean => call.effects.some((effect) => effect.kind === "cowFault" && effect.does === "copy");

/** The call at which a fault keeps the page. */
export const keepsAt = (program: EffectProgram): CallNode | null =>
  program.nodes.find((node): node is CallNode => node.kind === "call" && node.name === KEEPS && node.inlined === undefined) ?? null;

const KEPT: BoundEffect = { kind: "cowFault", does: "own" };

/** Calls of `wp_page_reuse()` with what they come to. */
export const withKept = (program: EffectProgram): EffectProgram => ({
  ...program,
  nodes: program.nodes.map((node): ProgramNode => (node.kind === "call" && node.name === KEEPS ? { ...node, effects: [KEPT], knowledge: "effects" } : node)),
});

export interface Fault {
  readonly program: EffectProgram;
  readonly mapping: PrivateMapping;
  readonly begun: Field;
  /** A copy at another call than this one is none of the scenario's; null: any. */
  readonly copyAt: NodeId | null;
}

/** What `do_wp_page()` sees: it runs once `begun` is set and the entry is read-only, and goes on at "handled". */
export function faultWorld({ program, mapping, begun, copyAt }: Fault): World {
  const isGate = (call: CallNode): boolean => call.at < 0 && call.name === GATE;
  const page = pageOf(mapping.entry);
  const { folios } = mapping;
  const outcome = (call: CallNode): "copy" | "keep" | null => (copies(call) ? "copy" : call.name === KEEPS ? "keep" : null);
  const pages = new Set([...program.variables.values()].flatMap((one) => (one.pointers === 1 && /^(?:page|folio)$/.test(one.type) ? [one.name] : [])));
  return {
    sees: (effect, call) => isGate(call) || (effect.kind === "cowFault" && outcome(call) !== null),
    reads: () => [],
    refine(_, call): readonly LiftedStep[] {
      if (isGate(call)) return [{ alternatives: [{ guard: and(eq(begun, 1), not(isWritable(mapping.entry))) }], hidden: true }];
      const isOther = outcome(call) === "copy" && copyAt !== null && program.nodes[copyAt] !== call;
      if (isOther) return [{ alternatives: [{ to: "END", note: "another copy" }] }];
      return [{ alternatives: [{ effect: outcome(call) === "keep" ? reuse(mapping) : freshPage(mapping, true), note: outcome(call) === "keep" ? "keeps the page" : "gets a copy", to: "handled" }] }];
    },
    place(value) {
      if (isPage(value)) return 1;
      if (value.kind === "call") return ofCall(value.name, mapping, page);
      if (value.kind !== "binary" || value.operator !== "&" || value.right.kind !== "name") return null;
      return OF_FLAGS[value.right.name] ?? null;
    },
    meaning: () => null,
    compare: (of) => compared(of, (call) => (REFERENCES.has(call) ? element(folios.refcount, page) : MAPPINGS.has(call) ? element(folios.mapcount, page) : null)),
    decidedBy: asksMore,
    parameter: (name, bit) => (bit !== null ? null : name === "unshare" ? 0 : pages.has(name) || /^(?:old_)?(?:page|folio)$/.test(name) ? 1 : null),
  };
}

/** It is a write fault on a private, writable mapping. */
const OF_FLAGS: Readonly<Record<string, 0 | 1>> = { FAULT_FLAG_UNSHARE: 0, FAULT_FLAG_WRITE: 1, VM_SHARED: 0, VM_MAYSHARE: 0, VM_WRITE: 1, VM_MAYWRITE: 1 };

function ofCall(name: string, { folios }: PrivateMapping, page: Expression): Expression | number | null {
  const known = ABOUT_PAGE[name];
  if (known !== undefined) return known;
  if (EXCLUSIVE.test(name)) return eq(element(folios.anonExclusive, page), 1);
  // Swap entries are no part of the scenario, so that mapcount alone decides.
  if (name === "reuse_swap_page") return eq(element(folios.mapcount, page), 1);
  return name.endsWith("_maybe_dma_pinned") ? gt(element(folios.pincount, page), 0) : null;
}

/** Whether a lock can be had is up to others; every other question that is not understood may be the one that decides. */
const asksMore = (value: Value, names: ReadonlySet<string>): boolean =>
  someIn(
    value,
    (part) => (part.kind === "name" ? names.has(part.name) : part.kind === "member" || part.kind === "call"),
    (part) => part.kind === "call" && /^(?:folio_trylock|trylock_page)$/.test(part.name),
  );

/** A number that the text says, or that follows from what the page is. */
function numberOf(value: Value): number | null {
  if (value.kind === "number") return value.value;
  if (value.kind === "call") return ABOUT_PAGE[value.name] ?? null;
  if (value.kind !== "binary" || value.operator !== "+") return null;
  const [left, right] = [numberOf(value.left), numberOf(value.right)];
  return left === null || right === null ? null : left + right;
}

/** `page_count(page) != 1`, `folio_ref_count(folio) > 1 + folio_test_swapcache(folio)`. */
function compared(of: Value & { kind: "binary" }, countOf: (call: string) => Expression | null): Expression | null {
  const count = of.left.kind === "call" ? countOf(of.left.name) : null;
  const bound = numberOf(of.right);
  if (count === null || bound === null) return null;
  switch (of.operator) {
    case "==":
      return eq(count, bound);
    case "!=":
      return ne(count, bound);
    case ">":
      return gt(count, bound);
    case ">=":
      return not(lt(count, bound));
    case "<":
      return lt(count, bound);
    case "<=":
      return not(gt(count, bound));
    default:
      return null;
  }
}

/** The lifted fault, or the one of the release; the thread goes on at "handled". */
function addFault(model: ModelBuilder, program: EffectProgram, release: Release, isReference: boolean, fault: Omit<Fault, "program">): { thread: ThreadBuilder; assumptions: readonly string[] } {
  if (!isReference) {
    const gated = insertAtStart(withKept(program), [{ ...synthetic("", { kind: "maySleep" }), name: GATE }]);
    const { thread, assumptions } = lift(model, gated, release, () => faultWorld({ ...fault, program: gated }), { next: "END" });
    thread.label("handled");
    return { thread, assumptions };
  }
  const { mapping, begun } = fault;
  const thread = model.thread(`${program.name}()`, "review");
  const starts = (way: Alternative): Alternative => ({ ...way, guard: and(way.guard ?? TRUE, eq(begun, 1), not(isWritable(mapping.entry))) });
  thread.step({ text: `${program.name}() as in the release`, alternatives: breakCow(mapping).map(starts) });
  return { thread, assumptions: [] };
}

const add = (way: Alternative, effect: readonly Assignment[]): Alternative => ({ ...way, effect: [...(way.effect ?? []), ...effect] });

/** An experiment whose fix is the decision of the release. */
function aboutReuse(
  experiment: Omit<Experiment, "build" | "fix" | "mutate" | "wrongFixes" | "secondary">,
  title: string,
  make: (model: ModelBuilder, program: EffectProgram, release: Release, isReference: boolean) => readonly string[],
): Experiment {
  const fixed = new WeakSet<EffectProgram>();
  return {
    ...experiment,
    secondary: [],
    build(program, release): BuiltModel {
      const model = modelBuilder(experiment.name);
      const assumptions = make(model, program, release, fixed.has(program));
      return { model: model.finish(), assumptions };
    },
    fix(program) {
      const copy = { ...program };
      fixed.add(copy);
      return { title, program: copy };
    },
    mutate: (program) => ({ ...program }),
    wrongFixes: [],
  };
}

/** B:S2: a child has put the page into a pipe and is gone; the process keeps the page and writes to it. */
export const keptPageLeaks: Experiment = aboutReuse(
  { name: "kept-page-leaks", primary: ["info-leak"], bounds: "environment {fork, child that takes a FOLL_GET reference and unmaps}, one write fault, private anonymous page, SC" },
  "the page is kept only where nobody else has a reference (09854ba94c6a)",
  (model, program, release, isReference) => {
    const mapping = privateMapping(model, gupEra(release), "anonymous");
    const begun = model.field("begun", 0, { hidden: true });
    const pipe = model.field("page in the pipe", 0, { labels: pageLabels("anonymous") });
    const secret = model.array("secret in page", [0, 0, 0, 0], { hidden: true });
    const { thread, assumptions } = addFault(model, program, release, isReference, { mapping, begun, copyAt: null });
    const stores = thread.step({ text: "the process stores its secret", effect: [assignAt(secret, pageOf(mapping.entry), 1)] });
    const child = model.thread("child B", "environment");
    child.step({ text: "fork(): child B shares the page", alternatives: fork(mapping).map((way) => add(way, [assign(begun, 1)])) });
    child.step({
      text: "vmsplice(): the page goes into a pipe",
      alternatives: [{ guard: ne(mapping.childPage, 0), effect: [assign(pipe, mapping.childPage), ...grab(mapping, pipe, false)] }, { guard: eq(mapping.childPage, 0), to: "END" }],
    });
    child.step({ text: "munmap(): drops its mapping", effect: [...unmapFolio(mapping.folios, mapping.childPage), assign(mapping.childPage, 0)] });
    const reads = child.step({
      text: "reads the pipe",
      checks: [{ holds: eq(element(secret, pipe), 0), property: "info-leak", message: "the child reads what the process stored after the fork: both still use the page" }],
    });
    model.reach(thread, stores, "the process stores");
    model.reach(child, reads, "the child reads the pipe");
    return assumptions;
  },
);

const READ: GupRequest = { write: FALSE, pin: true, longterm: FALSE };
const WRITE: GupRequest = { write: TRUE, pin: true, longterm: FALSE };

/** What the process has done when it takes the fault: pinned and forked, or forked and pinned, by what the release protects. */
export type PinnedBefore = "pin-then-fork" | "fork-then-pin";

/** Which history leaves a read-only entry with a pin that the release keeps; null: none. */
export function pinnedBefore(release: Release): PinnedBefore | null {
  const { anonReuse, readOnlyGup } = ERAS[gupEra(release)];
  if (readOnlyGup.startsWith("unshare")) return "fork-then-pin";
  return anonReuse === "mapcount" ? "pin-then-fork" : null;
}

function addPast(model: ModelBuilder, objects: PinObjects, before: PinnedBefore): void {
  const { mapping, begun, pinned, device } = objects;
  const thread = model.thread("process A", "environment");
  const pin = (request: GupRequest, done: readonly Assignment[]): void => {
    thread.label("pin");
    const page = pageOf(mapping.entry);
    thread.step({
      text: `GUP for a device, ${request === WRITE ? "FOLL_WRITE" : "read-only"}`,
      alternatives: [
        ...gupFaults(mapping, request).map((way) => ({ ...way, to: "pin" })),
        { guard: isReady(mapping, request), effect: [assign(pinned, page), assign(device, page), ...grab(mapping, page, true), ...done], note: "takes the page" },
      ],
    });
  };
  if (before === "pin-then-fork") pin(WRITE, []);
  thread.step({ text: "fork(): the entry becomes read-only", alternatives: fork(mapping) });
  const gone = before === "pin-then-fork" ? [assign(begun, 1)] : [];
  thread.step({ text: "child B exits: A has the page alone", alternatives: childExits(mapping).map((way) => add(way, gone)) });
  if (before === "fork-then-pin") pin(READ, [assign(begun, 1)]);
}

/** B:S1, B:S1b: the fault copies a page that a device works on. `copyAt`: the call that makes the copy. */
export const copyLosesPin = (before: PinnedBefore, copyAt: NodeId): Experiment =>
  aboutReuse(
    {
      name: "copy-loses-pin",
      primary: ["lost-dma"],
      bounds: `environment {${before === "pin-then-fork" ? "a pin for writing, then fork and exit of the child" : "fork and exit of the child, then a read-only pin"}, device}, one write fault, private anonymous page, SC`,
    },
    before === "pin-then-fork" ? "a page that is mapped once is kept, whoever has references (reuse_swap_page())" : "an exclusive page is kept without further tests (6c287605fd56)",
    (model, program, release, isReference) => {
      const mapping = privateMapping(model, gupEra(release), "anonymous");
      const objects = pinObjects(model, mapping, "anonymous", false);
      const { thread, assumptions } = addFault(model, program, release, isReference, { mapping, begun: objects.begun, copyAt });
      const stores = thread.step({ text: "the process stores to va" });
      addPast(model, objects, before);
      dmaDevice(model, objects, "DMA on the pinned page", LOST);
      model.reach(thread, stores, "the process stores");
      return assumptions;
    },
  );
