// SPDX-License-Identifier: GPL-2.0-only
import type { Release } from "../kernel/release.ts";
import type { Value } from "../program/code.ts";
import type { BoundEffect, CallNode, EffectProgram, NodeId, ProgramNode } from "../program/program.ts";
import { render } from "../program/render.ts";
import { modelBuilder, type ModelBuilder } from "../simulator/build.ts";
import { together } from "../simulator/combine.ts";
import { assign } from "../simulator/effect.ts";
import { and, eq, ne, not, type Expression, type Field } from "../simulator/expression.ts";
import { dmaDevice, whenProgrammed, type DmaDevice } from "../simulator/objects/device.ts";
import { entry } from "../simulator/objects/entry.ts";
import { folios, maybePinned, type Folios } from "../simulator/objects/folio.ts";
import { someIn } from "./doubt.ts";
import { addGupFast } from "./environment/gup-fast.ts";
import type { BuiltModel, Experiment } from "./experiment.ts";
import { entryPointers } from "./entries.ts";
import { lift } from "./lift.ts";
import { placeBehind } from "./pinned-pages.ts";
import { name, synthetic } from "./rewrite.ts";
import type { LiftedStep, World } from "./world.ts";

/*
 * A function asks whether a page is pinned and then takes it away from its address, or write-protects it for somebody who wants
 * to see every write. GUP-fast takes no lock: what is not pinned now can be pinned until the entry has been cleared. The order of
 * include/linux/rmap.h:268-352 (6.1.192): clear and flush, look, restore where the page is pinned. The catalogue has the model
 * as pinned-check-before-clear.
 */

const QUESTION = /_maybe_dma_pinned$|_try_share_anon_rmap(?:_pte|_pmd)?$/;
const P = 1;

/** Counts of references, which pins are among. */
const COUNT = /^(?:page_count|page_ref_count|folio_ref_count)$/;
const counts = (value: Value): boolean => someIn(value, (part) => part.kind === "call" && COUNT.test(part.name));

/** `page_mapcount(page) + 1 != page_count(page)`: whether anybody else has a reference, a pin for instance. */
export const comparesCounts = (value: Value): value is Value & { kind: "binary" } => value.kind === "binary" && /^(?:[!=]=|[<>]=?)$/.test(value.operator) && counts(value);

const asks = (value: Value): boolean => someIn(value, (part) => (part.kind === "call" && QUESTION.test(part.name)) || comparesCounts(part));

/** What such a comparison says of a page that nobody but GUP-fast has a reference to. */
function countedAnswer({ operator, left }: Value & { kind: "binary" }, isPinned: Expression): Expression {
  const isMore = operator === "!=" || (operator.startsWith(">") && counts(left)) || (operator.startsWith("<") && !counts(left));
  return isMore ? isPinned : not(isPinned);
}

/** Nodes that ask whether the page is pinned. */
export const questionsOf = (program: EffectProgram): NodeId[] =>
  program.nodes.flatMap((node, id) => ((node.kind === "branch" && asks(node.condition)) || (node.kind === "assign" && node.value && asks(node.value)) || (node.kind === "call" && QUESTION.test(node.name)) ? [id] : []));

/** The pointer whose entry an effect removes or write-protects; null: neither. */
export function takenEntry(effect: BoundEffect): Value | null {
  if (effect.kind === "clearEntry") return effect.pte;
  return effect.kind === "modifyEntry" && effect.how === "protect" ? effect.pte : null;
}

/** Calls that make the value of a write-protected entry. */
const PROTECTS = /^(?:pte|pmd|pud|huge_pte)_wrprotect$/;

/** Variables that hold a write-protected value at some point. */
function protectedValues(program: EffectProgram): (value: Value) => boolean {
  const names = new Set<string>();
  const isProtected = (value: Value): boolean => someIn(value, (part) => (part.kind === "call" && PROTECTS.test(part.name)) || (part.kind === "name" && names.has(part.name)));
  for (let size = -1; size !== names.size; ) {
    size = names.size;
    for (const node of program.nodes) if (node.kind === "assign" && node.value && isProtected(node.value)) names.add(render(node.target));
  }
  return isProtected;
}

interface Objects {
  readonly slot: Field;
  readonly writable: Field;
  readonly all: Folios;
  readonly device: DmaDevice;
  /** The function has returned. */
  readonly done: Field;
}

function world(program: EffectProgram, source: Value, { slot, writable, all }: Objects): World {
  const pointers = entryPointers(program);
  const sourceName = pointers.entryOf(source) ?? render(placeBehind(source));
  const isSource = (pointer: Value): boolean => (pointers.entryOf(pointer) ?? render(placeBehind(pointer))) === sourceName;
  const isProtected = protectedValues(program);
  const refined = (effect: BoundEffect): boolean =>
    (effect.kind === "clearEntry" && isSource(effect.pte)) || (effect.kind === "setEntry" && isSource(effect.pte)) || (effect.kind === "modifyEntry" && effect.how === "protect" && isSource(effect.pte));
  return {
    sees: refined,
    reads: (effect) => (effect.kind === "setEntry" ? [effect.value] : []),
    refine(effect, call, lifting): readonly LiftedStep[] {
      if (effect.kind === "clearEntry") return [{ alternatives: [{ effect: [...lifting.set(call.result, slot), assign(slot, 0)] }] }];
      if (effect.kind === "modifyEntry") return [{ alternatives: [{ effect: [assign(writable, 0)] }] }];
      if (effect.kind !== "setEntry") return [];
      // What is not made from the old entry is another one: a swap entry, another page.
      const value = lifting.translate(effect.value);
      return [{ alternatives: [{ effect: [assign(slot, value ? ne(value, 0) : 0), assign(writable, isProtected(effect.value) ? 0 : 1)] }] }];
    },
    place(value) {
      if (value.kind === "call" && QUESTION.test(value.name)) return maybePinned(all, P);
      return value.kind === "unary" && value.operator === "*" && isSource(value.of) ? slot : null;
    },
    meaning(pure, args, translate) {
      const first = args[0] ? translate(args[0]) : null;
      if (pure.meaning === "load-entry") return args[0] && isSource(args[0]) ? { kind: "field", field: slot } : null;
      if (pure.meaning === "entry-present") return first && ne(first, 0);
      if (pure.meaning === "entry-none") return first && eq(first, 0);
      return null;
    },
    compare: (value) => (comparesCounts(value) ? countedAnswer(value, maybePinned(all, P)) : null),
    // Whatever else counts references may be the second look.
    decidedBy: (value, names) =>
      someIn(value, (part) => (part.kind === "call" && /ref_count|page_count|mapcount|pinned|swapcount|share/.test(part.name)) || (part.kind === "name" && names.has(part.name))),
  };
}

function addDevice(model: ModelBuilder, { slot, writable, device, done }: Objects): void {
  const thread = model.thread("device", "daemon");
  const taken = and(eq(done, 1), ne(slot, P));
  const hidden = and(eq(done, 1), eq(slot, P), eq(writable, 0));
  const write = thread.step({
    text: "DMA write to P",
    ...together(whenProgrammed(device), {
      alternatives: [
        {
          checks: [
            { holds: not(taken), property: "lost-dma", message: "the device writes a page that was taken away from its address although it is pinned" },
            { holds: not(hidden), property: "untracked-write", message: "the page is written without a fault after it was write-protected as one that nobody has pinned" },
          ],
        },
      ],
    }),
  });
  model.reach(thread, write, "the device writes");
}

/** Reference fix: the question behind the clear and flush, with the entry restored where the page is pinned. */
function askBehind(program: EffectProgram, node: NodeId, source: Value): EffectProgram | null {
  const call = program.nodes[node];
  if (call?.kind !== "call") return null;
  const nodes: ProgramNode[] = [...program.nodes];
  const add = (one: ProgramNode): NodeId => nodes.push(one) - 1;
  const isClear = call.effects.some((effect) => effect.kind === "clearEntry");
  const old = isClear && call.result !== null ? call.result : "$cleared";
  const restore = add({ ...synthetic("set_pte_at() of the old entry; -EBUSY", { kind: "setEntry", pte: source, value: name(old) }), next: program.exit });
  const question: Value = { kind: "call", name: "folio_maybe_dma_pinned", args: [name("folio")], at: -1, end: -1 };
  if (isClear) {
    nodes[node] = { ...call, result: old, next: add({ kind: "branch", condition: question, negated: false, at: -1, end: -1, then: restore, otherwise: call.next }) };
    return { ...program, nodes };
  }
  const self = add(call);
  const ask = add({ kind: "branch", condition: question, negated: false, at: -1, end: -1, then: restore, otherwise: self });
  const clear: CallNode = { ...synthetic("ptep_clear_flush()", { kind: "clearEntry", pte: source, flush: true }), result: old, next: ask };
  nodes[node] = clear;
  return { ...program, nodes };
}

const neverAsk = (fixed: EffectProgram): EffectProgram => ({
  ...fixed,
  nodes: fixed.nodes.map((node): ProgramNode => (node.kind === "branch" && node.at < 0 && asks(node.condition) ? { kind: "label", name: null, at: -1, next: node.otherwise } : node)),
});

/** G1, FAST-1: the only question is asked before the entry at `node` is cleared or write-protected. */
export function pinBehindCheck(node: NodeId, source: Value): Experiment {
  return {
    name: "pin-behind-check",
    primary: ["lost-dma", "untracked-write"],
    secondary: [],
    bounds: "environment {one GUP-fast walk with FOLL_PIN | FOLL_WRITE, device}, one page, loops unbounded, SC",
    build(program: EffectProgram, release: Release): BuiltModel {
      const model = modelBuilder("pin-behind-check");
      const names = ["P"];
      const objects: Objects = {
        slot: entry(model, "pte", P, names),
        writable: model.field("write bit of pte", 1, { labels: { 0: "read-only", 1: "writable" } }),
        all: folios(model, 1, 1, names, { hidden: ["mapcount", "anonExclusive", "content", "refcount"] }),
        device: dmaDevice(model, names),
        done: model.field("done", 0, { hidden: true }),
      };
      const lifted = lift(model, program, release, () => world(program, source, objects), { next: "returned" });
      lifted.thread.label("returned");
      lifted.thread.step({ text: "returns", effect: [assign(objects.done, 1)] });
      for (const step of lifted.stepsOf.get(node) ?? []) model.reach(lifted.thread, step, "the entry is changed");
      addGupFast(model, { kind: "FOLL_PIN", all: objects.all, pte: { entry: objects.slot, writable: objects.writable }, device: objects.device });
      addDevice(model, objects);
      return { model: model.finish(), assumptions: lifted.assumptions };
    },
    fix(program) {
      const fixed = askBehind(program, node, source);
      return fixed && { title: "cleared and flushed first, then asked, and restored where the page is pinned", program: fixed };
    },
    mutate: neverAsk,
    wrongFixes: [],
  };
}
