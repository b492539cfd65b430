// SPDX-License-Identifier: GPL-2.0-only
import type { Release } from "../kernel/release.ts";
import type { Value } from "../program/code.ts";
import type { BoundEffect, CallNode, EffectProgram, NodeId } from "../program/program.ts";
import { namesIn, render } from "../program/render.ts";
import { modelBuilder, type ModelBuilder } from "../simulator/build.ts";
import { assign } from "../simulator/effect.ts";
import { and, eq, expression, ne, type Expression, type Field } from "../simulator/expression.ts";
import type { Check } from "../simulator/model.ts";
import { someIn } from "./doubt.ts";
import { entryPointers } from "./entries.ts";
import type { BuiltModel, Experiment } from "./experiment.ts";
import { lift } from "./lift.ts";
import { insertAtStart, insertBefore, synthetic, without } from "./rewrite.ts";
import type { LiftedStep, Lifting, World } from "./world.ts";

/*
 * An anonymous page leaves one address and is entered at another, by a new entry made of the page. Whoever pinned it by the
 * old address works with a page of the new one; and where it was not exclusive, a new entry that is writable makes a page
 * writable that others read by a reference. UFFDIO_MOVE asks for both, for pins after the entry is cleared: adef440691ba (6.8).
 */

/** A new entry for the page at another place than the one that was cleared. */
export interface Move {
  readonly node: NodeId;
  readonly call: CallNode;
  /** Entry that the page leaves, and the one that gets it. */
  readonly from: string;
  readonly to: string;
  readonly isWritable: boolean;
}

const MAKES_ENTRY = /^(?:folio_)?mk_pte$/;
const MAKES_WRITABLE = /^(?:maybe_mkwrite|pte_mkwrite(?:_novma)?)$/;

/** Variables whose value goes through such a call. */
function madeBy(program: EffectProgram, call: RegExp): ReadonlySet<string> {
  const found = new Set<string>();
  const isMade = (value: Value): boolean => (value.kind === "call" && (call.test(value.name) || value.args.some(isMade))) || (value.kind === "name" && found.has(value.name));
  for (let size = -1; size !== found.size; ) {
    size = found.size;
    for (const node of program.nodes) {
      if (node.kind === "assign" && node.value && (isMade(node.value) || (node.value.kind === "call" && node.value.args.some((arg) => namesIn(arg).some((name) => found.has(name)))))) found.add(render(node.target));
      if (node.kind === "call" && node.result !== null && call.test(node.name)) found.add(node.result);
    }
  }
  return found;
}

/** Pages of which a value, or a variable that it names, is made an entry. */
function pagesOf(program: EffectProgram, value: Value): readonly Value[] {
  const names = new Set(namesIn(value));
  const made = (one: Value): readonly Value[] => (one.kind !== "call" ? [] : MAKES_ENTRY.test(one.name) ? one.args.slice(0, 1) : one.args.flatMap(made));
  return [...made(value), ...program.nodes.flatMap((node) => {
    if (node.kind === "assign" && node.value && names.has(render(node.target))) return made(node.value);
    return node.kind === "call" && node.result !== null && names.has(node.result) && MAKES_ENTRY.test(node.name) ? node.args.slice(0, 1) : [];
  })];
}

/** An entry that a call changes, and where it stands. */
interface Changed {
  readonly entry: string;
  readonly level: string;
  /** The address by the words of the text. */
  readonly address: string;
}

const changedBy = (call: CallNode, entry: string | null): Changed[] =>
  call.effects.flatMap((effect) => (entry !== null && effect.kind === "modifyEntry" && effect.address !== null ? [{ entry, level: effect.level, address: render(effect.address) }] : []));

/** A split enters the page where it is, by other entries. */
const isElsewhere = (one: Changed, other: Changed): boolean => one.level === other.level && one.address !== other.address;

/** True where the page of a new entry is not one that was mapped before: it was found without looking at an entry, or gets its first mapping here. */
function isNewPage(program: EffectProgram, page: Value): boolean {
  const old = new Set([...program.variables].flatMap(([name, { type, isParameter }]) => (type === "pte_t" || isParameter ? [name] : [])));
  const given = (name: string): readonly (readonly string[])[] => program.nodes.flatMap((node) => {
    if (node.kind === "assign" && render(node.target) === name) return [node.value ? namesIn(node.value) : []];
    return node.kind === "call" && node.result === name ? [node.args.flatMap(namesIn)] : [];
  });
  const comesFromEntry = (name: string, seen: readonly string[] = []): boolean => {
    // NULL is no page at all.
    const values = seen.includes(name) ? [] : given(name).filter((names) => names.some((one) => one !== "NULL"));
    return values.length === 0 ? old.has(name) : values.every((names) => names.some((one) => program.variables.get(one)?.type === "pte_t" || (one !== name && program.variables.get(one)?.isParameter !== true && comesFromEntry(one, [...seen, name]))));
  };
  const isMappedAnew = program.nodes.some((node) =>
    node.kind === "call" && node.effects.some((effect) => effect.kind === "transfersReference" && effect.to === "mapping" && namesIn(effect.object).some((name) => namesIn(page).includes(name))));
  return isMappedAnew || !namesIn(page).some((name) => comesFromEntry(name));
}

/** Moves of one page in a function, in order of text. */
export function movesOf(program: EffectProgram): Move[] {
  const { entryOf } = entryPointers(program);
  const cleared = program.nodes.flatMap((node) =>
    node.kind === "call" ? node.effects.flatMap((effect): Changed[] => (effect.kind === "clearEntry" ? changedBy(node, entryOf(effect.pte)) : [])) : [],
  );
  if (cleared.length === 0) return [];
  const [made, writable] = [madeBy(program, MAKES_ENTRY), madeBy(program, MAKES_WRITABLE)];
  const isOf = (value: Value, names: ReadonlySet<string>, call: RegExp): boolean => namesIn(value).some((name) => names.has(name)) || (value.kind === "call" && (call.test(value.name) || value.args.some((arg) => isOf(arg, names, call))));
  return program.nodes.flatMap((call, node): Move[] => {
    if (call.kind !== "call" || call.inlined !== undefined) return [];
    return call.effects.flatMap((effect) => {
      if (effect.kind !== "setEntry" || !isOf(effect.value, made, MAKES_ENTRY)) return [];
      const [to] = changedBy(call, entryOf(effect.pte));
      if (!to || cleared.some(({ entry }) => entry === to.entry) || pagesOf(program, effect.value).some((page) => isNewPage(program, page))) return [];
      const from = cleared.find((one) => isElsewhere(one, to));
      return from === undefined ? [] : [{ node, call, from: from.entry, to: to.entry, isWritable: isOf(effect.value, writable, MAKES_WRITABLE) }];
    });
  });
}

/** What is forgotten. */
export type Forgotten = "pins" | "exclusive";

interface Objects {
  /** 1: maps the page. */
  readonly from: Field;
  readonly to: Field;
  /** Counts a pin that is about to be given back as well. */
  readonly pins: Field;
  /** 1: a device works with the page. */
  readonly device: Field;
  readonly exclusive: Field;
}

const TEST: Readonly<Record<Forgotten, string>> = {
  pins: "folio_maybe_dma_pinned()? then the old entry is put back: -EBUSY",
  exclusive: "!PageAnonExclusive()? then the old entry is put back: -EBUSY",
};

/** The function starts once the past of the page is over. */
const GATE = "begin";

const isGate = (call: CallNode): boolean => call.at < 0 && call.name === GATE;

const isTest = (call: CallNode, forgotten: Forgotten): boolean => call.at < 0 && call.name === TEST[forgotten];

function world(program: EffectProgram, move: Move, forgotten: Forgotten, { from, to, pins, device, exclusive }: Objects, begun: Field): World {
  const { entryOf } = entryPointers(program);
  const entryField = (pte: Value): Field | null => {
    const name = entryOf(pte);
    return name === move.from ? from : name === move.to ? to : null;
  };
  const isMove = (call: CallNode): boolean => call.at === move.call.at;
  const checks: readonly Check[] =
    forgotten === "pins"
      ? [{ holds: eq(device, 0), property: "pinned-page-moved", message: `${move.call.name}() enters a page at another address that is pinned by its old one: the device works on memory of somebody else's address` }]
      : [{ holds: eq(exclusive, 1), property: "shared-page-made-writable", message: `${move.call.name}() makes a page writable that is not exclusive: who has a reference to it reads what is written next` }];
  return {
    sees: (effect, call) => isGate(call) || isTest(call, forgotten) || ((effect.kind === "clearEntry" || effect.kind === "setEntry") && entryField(effect.pte) !== null),
    reads: () => [],
    refine(effect: BoundEffect, call: CallNode, lifting: Lifting): LiftedStep[] {
      if (isGate(call)) return [{ alternatives: [{ guard: eq(begun, 1) }], hidden: true }];
      if (isTest(call, forgotten)) {
        const isFine = forgotten === "pins" ? eq(pins, 0) : eq(exclusive, 1);
        return [{ alternatives: [{ guard: isFine, note: "no" }, { guard: eq(isFine, 0), effect: [assign(from, 1)], to: "END", note: "yes" }] }];
      }
      const entry = effect.kind === "clearEntry" || effect.kind === "setEntry" ? entryField(effect.pte) : null;
      if (entry === null) return [];
      if (effect.kind === "clearEntry") return [{ alternatives: [{ effect: [assign(entry, 0), ...lifting.set(call.result, entry)] }] }];
      return [{ alternatives: [{ ...(isMove(call) ? { checks } : {}), effect: [assign(entry, 1)] }] }];
    },
    place: () => null,
    meaning: (pure) => meaningOf(pure.meaning, pins, exclusive),
    compare: (of) => comparedMapcount(of),
  };
}

const meaningOf = (meaning: string, pins: Field, exclusive: Field): Expression | null =>
  meaning === "maybe-pinned" ? ne(pins, 0) : meaning === "anon-exclusive" ? eq(exclusive, 1) : meaning === "folio-anon" || meaning === "folio-mapcount" ? expression(1) : null;

const COUNTS_MAPPINGS = /^(?:folio_mapcount|page_mapcount|total_mapcount|folio_estimated_sharers|folio_likely_mapped_shared)$/;

/** True for a condition that asks how often a page is mapped. */
export const asksMapcount = (value: Value): boolean => someIn(value, (part) => part.kind === "call" && COUNTS_MAPPINGS.test(part.name));

/** The page is mapped once: whoever only counts mappings is content. */
function comparedMapcount(of: Value & { kind: "binary" }): Expression | null {
  const [count, number] = of.left.kind === "call" ? [of.left, of.right] : [of.right, of.left];
  if (count.kind !== "call" || !COUNTS_MAPPINGS.test(count.name) || number.kind !== "number") return null;
  const values: Readonly<Record<string, boolean>> = { "==": number.value === 1, "!=": number.value !== 1, ">": 1 > number.value, "<": 1 < number.value, ">=": 1 >= number.value, "<=": 1 <= number.value };
  const outcome = count === of.left ? values[of.operator] : undefined;
  return outcome === undefined ? null : expression(outcome ? 1 : 0);
}

/** GUP-fast of another thread: reads the entry, pins, and looks whether the entry is still the same. */
function addGupFast(model: ModelBuilder, { from, pins, device, exclusive }: Objects): void {
  const thread = model.thread("pin_user_pages_fast(old address)", "environment");
  thread.step({ text: "gup_pte_range(): the entry maps the page for writing", alternatives: [{ guard: and(eq(from, 1), eq(exclusive, 1)) }, { guard: eq(and(eq(from, 1), eq(exclusive, 1)), 0), to: "END", note: "no: slow path, waits for mmap_lock" }] });
  thread.step({ text: "try_grab_folio(FOLL_PIN)", effect: [assign(pins, 1)] });
  thread.step({
    text: "is the entry still the same?",
    alternatives: [
      { guard: eq(from, 1), effect: [assign(device, 1)], note: "yes: the device gets the page", to: "END" },
      { guard: eq(from, 0), effect: [assign(pins, 0)], note: "no: gives it back", to: "END" },
    ],
  });
}

/** The page came from a parent that forked: a child read it into a pipe with vmsplice() and exited, if anybody did. */
function addPast(model: ModelBuilder, { exclusive }: Objects, begun: Field): void {
  const thread = model.thread("process A", "environment");
  thread.step({
    text: "how the page got here",
    alternatives: [
      { effect: [assign(begun, 1)], note: "private to A from the start" },
      { effect: [assign(exclusive, 0), assign(begun, 1)], note: "fork(); the child reads it by vmsplice() and exits: mapped once, with a reference in the pipe" },
    ],
  });
}

/** A page is moved although it is pinned, or not exclusive. */
export function pageMoved(move: Move, forgotten: Forgotten): Experiment {
  const property = forgotten === "pins" ? "pinned-page-moved" : "shared-page-made-writable";
  const name = forgotten === "pins" ? "pinned-page-moved" : "shared-page-moved";
  const test = { ...synthetic("", { kind: "maySleep" }), name: TEST[forgotten], shown: TEST[forgotten] };
  return {
    name,
    primary: [property],
    secondary: [],
    bounds: forgotten === "pins" ? "environment {one GUP-fast at the old address}, one anonymous page, loops unbounded, SC" : "environment {fork and vmsplice() of a child before}, one anonymous page, loops unbounded, SC",
    build(program: EffectProgram, release: Release): BuiltModel | null {
      const model = modelBuilder(name);
      const objects: Objects = {
        from: model.field("old entry", 1, { labels: { 0: "none", 1: "the page" } }),
        to: model.field("new entry", 0, { labels: { 0: "none", 1: "the page" } }),
        pins: model.field("pins of the page", 0),
        device: model.field("page of the device", 0, { labels: { 0: "none", 1: "the page" } }),
        exclusive: model.field("AnonExclusive", 1, { labels: { 0: "no", 1: "yes" } }),
      };
      const begun = model.field("begun", forgotten === "pins" ? 1 : 0, { hidden: true });
      if (forgotten === "pins") addGupFast(model, objects);
      else addPast(model, objects, begun);
      const gated = insertAtStart(program, [{ ...synthetic("", { kind: "maySleep" }), name: GATE }]);
      const lifted = lift(model, gated, release, () => world(gated, move, forgotten, objects, begun));
      const steps = lifted.stepsOf.get(move.node) ?? [];
      if (steps.length === 0) return null;
      for (const step of steps) model.reach(lifted.thread, step, "the new entry");
      return { model: model.finish(), assumptions: lifted.assumptions };
    },
    fix: (program) => ({ title: `${forgotten === "pins" ? "folio_maybe_dma_pinned()" : "PageAnonExclusive()"} once the old entry is cleared, else the entry is put back`, program: insertBefore(program, (_, id) => (id === move.node ? [test] : [])) }),
    mutate: (fixed) => without(fixed, (one) => one.kind === "call" && isTest(one, forgotten)),
    wrongFixes: [],
  };
}
