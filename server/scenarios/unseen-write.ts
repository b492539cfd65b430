// SPDX-License-Identifier: GPL-2.0-only
import type { Release } from "../kernel/release.ts";
import type { Value } from "../program/code.ts";
import type { BoundEffect, CallNode, EffectProgram, NodeId } from "../program/program.ts";
import { namesIn, render } from "../program/render.ts";
import { modelBuilder, type ModelBuilder, type ThreadBuilder } from "../simulator/build.ts";
import { assign } from "../simulator/effect.ts";
import { eq, ne, type Field } from "../simulator/expression.ts";
import { entryPointers } from "./entries.ts";
import type { BuiltModel, Experiment } from "./experiment.ts";
import { lift } from "./lift.ts";
import { insertBefore, synthetic, without } from "./rewrite.ts";
import type { LiftedStep, Lifting, World } from "./world.ts";

/*
 * An entry is write-protected so that the next write is seen. A device that pinned the page before writes without any entry:
 * nothing is seen. Nadav Amit's question about soft-dirty tracking and userfaultfd; no release answers it for userfaultfd.
 */

/** How writes are tracked. */
export type Tracking = "uffd-wp" | "soft-dirty";

const MARKS: Readonly<Record<Tracking, RegExp>> = {
  "uffd-wp": /^(?:huge_)?(?:pte|pmd)_mkuffd_wp$/,
  "soft-dirty": /^(?:pte|pmd)_clear_soft_dirty$/,
};
const PROTECTS = /^(?:huge_)?(?:pte|pmd)_wrprotect$/;

/** A call that enters a protected, tracked entry. */
export interface Protection {
  readonly node: NodeId;
  readonly call: CallNode;
  readonly entry: string;
  readonly tracking: Tracking;
}

/** Names of the calls that a value was made by, through variables. */
function makersOf(program: EffectProgram, value: Value): ReadonlySet<string> {
  const makers = new Set<string>();
  const names = new Set<string>();
  const visit = (one: Value): void => {
    if (one.kind === "call") {
      makers.add(one.name);
      one.args.forEach(visit);
    } else namesIn(one).forEach((name) => names.add(name));
  };
  visit(value);
  for (let size = -1; size !== names.size + makers.size; ) {
    size = names.size + makers.size;
    for (const node of program.nodes) if (node.kind === "assign" && node.value && names.has(render(node.target))) visit(node.value);
  }
  return makers;
}

/** The protection that a call at a node is; null: none. */
export function protectionAt(program: EffectProgram, node: NodeId): Protection | null {
  const call = program.nodes[node];
  if (call?.kind !== "call" || call.inlined !== undefined) return null;
  const { entryOf } = entryPointers(program);
  for (const effect of call.effects) {
    if (effect.kind !== "setEntry") continue;
    const makers = [...makersOf(program, effect.value)];
    const entry = entryOf(effect.pte);
    const tracking = (["uffd-wp", "soft-dirty"] as const).find((one) => makers.some((name) => MARKS[one].test(name)));
    if (entry !== null && tracking && makers.some((name) => PROTECTS.test(name))) return { node, call, entry, tracking };
  }
  return null;
}

const WRITABLE = 1;
const TRACKED = 2;

interface Objects {
  readonly entry: Field;
  readonly device: Field;
  readonly content: Field;
  readonly snapshot: Field;
  readonly event: Field;
}

const CONTENTS = { 0: "old data", 1: "data of the device" };
const TEST = "folio_maybe_dma_pinned()? then the page counts as written";
const isTest = (call: CallNode): boolean => call.at < 0 && call.name === TEST;

function world(program: EffectProgram, protection: Protection, { entry, device, event }: Objects): World {
  const { entryOf } = entryPointers(program);
  const isOf = (effect: BoundEffect): boolean => (effect.kind === "clearEntry" || effect.kind === "setEntry") && entryOf(effect.pte) === protection.entry;
  return {
    sees: (effect, call) => isTest(call) || isOf(effect),
    reads: () => [],
    refine(effect: BoundEffect, call: CallNode, lifting: Lifting): LiftedStep[] {
      if (isTest(call)) return [{ alternatives: [{ guard: eq(device, 1), effect: [assign(event, 1)], note: "yes" }, { guard: eq(device, 0), note: "no" }] }];
      if (effect.kind === "clearEntry") return [{ alternatives: [{ effect: [assign(entry, 0), ...lifting.set(call.result, 1)] }] }];
      return [{ alternatives: [{ effect: [assign(entry, call.at === protection.call.at ? TRACKED : WRITABLE)] }] }];
    },
    // A present entry at the beginning: what is done with others tracks no page.
    place: (value) => (value.kind === "unary" && value.operator === "*" && entryOf(value.of) === protection.entry ? entry : null),
    meaning(pure, args, translate) {
      const [of] = args;
      if (pure.meaning === "load-entry") return of && entryOf(of) === protection.entry ? { kind: "field", field: entry } : null;
      const value = of ? translate(of) : null;
      if (pure.meaning === "entry-present") return value && ne(value, 0);
      return pure.meaning === "entry-none" ? value && eq(value, 0) : null;
    },
  };
}

/** What the one who tracks does once the function is done. */
function addTracker(thread: ThreadBuilder, { entry, content, snapshot, event }: Objects): number {
  thread.label("tracks");
  thread.step({ text: "the tracker takes a snapshot of the page", alternatives: [{ guard: eq(entry, TRACKED), effect: [assign(snapshot, content)] }, { guard: ne(entry, TRACKED), to: "END" }] });
  return thread.step({
    text: "no write was reported: the snapshot is the page",
    alternatives: [
      { guard: eq(event, 0), checks: [{ holds: eq(snapshot, content), property: "missed-write", message: "the page was written through a pin, and nothing reported it: the tracker has an old copy" }] },
      { guard: ne(event, 0), note: "a write is reported" },
    ],
  });
}

function addDevice(model: ModelBuilder, { entry, device, content }: Objects): void {
  const pin = model.thread("pin_user_pages_fast(FOLL_WRITE)", "environment");
  pin.step({ text: "pins the page through its writable entry", alternatives: [{ guard: eq(entry, WRITABLE), effect: [assign(device, 1)] }, { guard: ne(entry, WRITABLE), note: "faults: the write is seen" }] });
  const dma = model.thread("device", "daemon");
  dma.step({ text: "DMA writes the page: no page table, no fault", guard: eq(device, 1), effect: [assign(content, 1)] });
}

/** Writes through pins that tracking does not see. */
export function unseenWrite(protection: Protection): Experiment {
  const test = { ...synthetic("", { kind: "maySleep" }), name: TEST, shown: TEST };
  return {
    name: "unseen-write",
    primary: ["missed-write"],
    secondary: [],
    bounds: "environment {one pin for writing, one transfer of the device, a tracker}, one anonymous page, loops unbounded, SC",
    build(program: EffectProgram, release: Release): BuiltModel | null {
      const model = modelBuilder("unseen-write");
      const objects: Objects = {
        entry: model.field("entry", WRITABLE, { labels: { 0: "none", [WRITABLE]: "writable", [TRACKED]: "read-only, tracked" } }),
        device: model.field("page of the device", 0, { labels: { 0: "none", 1: "the page" } }),
        content: model.field("page", 0, { labels: CONTENTS }),
        snapshot: model.field("snapshot", 0, { labels: CONTENTS }),
        event: model.field("reported", 0, { labels: { 0: "nothing", 1: "written" } }),
      };
      const lifted = lift(model, program, release, () => world(program, protection, objects), { next: "tracks" });
      const relies = addTracker(lifted.thread, objects);
      if ((lifted.stepsOf.get(protection.node) ?? []).length === 0) return null;
      model.reach(lifted.thread, relies, "the tracker relies on its snapshot");
      addDevice(model, objects);
      return { model: model.finish(), assumptions: lifted.assumptions };
    },
    fix: (program) => ({ title: "folio_maybe_dma_pinned() once the entry is cleared: a pinned page counts as written", program: insertBefore(program, (_, id) => (id === protection.node ? [test] : [])) }),
    mutate: (fixed) => without(fixed, (one) => one.kind === "call" && isTest(one)),
    wrongFixes: [],
  };
}
