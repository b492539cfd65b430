// SPDX-License-Identifier: GPL-2.0-only
import { spins } from "../kernel/lock-order.ts";
import { atLeast, type Release } from "../kernel/release.ts";
import type { Value } from "../program/code.ts";
import { successors, type BoundEffect, type CallNode, type EffectProgram, type NodeId } from "../program/program.ts";
import { render } from "../program/render.ts";
import { written } from "../program/written.ts";
import { partsOf } from "../program/value-parts.ts";
import { modelBuilder, type ModelBuilder, type ThreadBuilder } from "../simulator/build.ts";
import { assign } from "../simulator/effect.ts";
import { and, eq, FALSE, gt, lt, minus, ne, not, plus, TRUE, type Expression, type Field } from "../simulator/expression.ts";
import { SWAP } from "../simulator/objects/entry.ts";
import { someIn } from "./doubt.ts";
import { entryPointers, type EntryPointers } from "./entries.ts";
import type { Experiment } from "./experiment.ts";
import { lift } from "./lift.ts";
import { sourceOf } from "./obligation/foreign-unmap.ts";
import { pointerOf } from "./obligation/handed-on.ts";
import type { LiftedStep, Lifting, World } from "./world.ts";

/*
 * A BUG_ON() on what another thread may change. Two things change without anyone holding what the function holds: the MMU
 * sets the accessed and dirty bits of a present entry at any time; and from 6.6 on khugepaged takes the table of a file
 * mapping away (retract_page_tables(), under pmd lock and page-table lock, no mmap lock), after which a fault maps the huge
 * page of the file (do_set_pmd(), under the pmd lock). UFFDIO_MOVE: 4828d207dc51 (6.11).
 */

/** The entry that an assertion is about: one of the page directory that a table was mapped through, or a mapped one. */
export type AssertedState = { readonly level: "pmd"; readonly pointer: string } | { readonly level: "pte" };

const NONE = 0;
/** A pmd that points to a table; a pte that maps a page. */
const FIRST = 1;
/** A pmd that maps a huge page; a pte whose accessed or dirty bit was set since. */
const CHANGED = 2;

const PMD_TEST = /^pmd_(?:none|present|trans_huge|huge|leaf|devmap)$/;

/** The pointer through which a value reads an entry: `*pmd`, `pmdp_get(pmd)`. */
function readThrough(value: Value): Value | null {
  if (value.kind === "unary" && value.operator === "*") return value.of;
  if (value.kind !== "call") return null;
  const [first] = value.args;
  if (!first) return null;
  return /^(?:pmdp|ptep|huge_ptep)_get(?:_lockless)?$/.test(value.name) ? first : /^(?:READ_ONCE|pmd_read_atomic)$/.test(value.name) ? (readThrough(first) ?? first) : null;
}

/** Pointers to page directory entries that a condition tests. */
function testedPmds(program: EffectProgram, condition: Value): readonly string[] {
  if (condition.kind === "call" && PMD_TEST.test(condition.name) && condition.args[0]) {
    const pointer = readThrough(condition.args[0]);
    const name = pointer ? render(pointer) : sourceOf(program, render(condition.args[0]));
    return name === null ? [] : [name];
  }
  return partsOf(condition).flatMap((part) => testedPmds(program, part));
}

const comparesEntries = (value: Value): boolean => someIn(value, (part) => part.kind === "call" && /^(?:huge_)?pte_(?:same|val)$/.test(part.name));

/** What the assertion at a node is about; null: nothing that is known to change. */
export function assertedState(program: EffectProgram, node: NodeId, condition: Value | null, release: Release): AssertedState | null {
  const isConstant = condition === null || condition.kind === "number";
  if (!isConstant) {
    const pmds = testedPmds(program, condition);
    const mapped = program.nodes.flatMap((one) => (one.kind === "call" ? one.effects.flatMap((effect) => (effect.kind === "mapPte" ? [render(effect.pmd)] : [])) : []));
    const pointer = pmds.find((one) => mapped.includes(one));
    if (pointer !== undefined) return atLeast(release, "6.6") ? { level: "pmd", pointer } : null;
    return comparesEntries(condition) ? { level: "pte" } : null;
  }
  const asks = program.nodes.some((one) => one.kind === "branch" && successors(one).some((next) => leadsTo(program, next, node)) && comparesEntries(one.condition));
  return asks ? { level: "pte" } : null;
}

/** True where control comes from one node to another without a step between. */
function leadsTo(program: EffectProgram, from: NodeId, to: NodeId): boolean {
  for (let at = from, left = 10; left > 0; left--) {
    if (at === to) return true;
    const node = program.nodes[at];
    if (node?.kind !== "label") return false;
    at = node.next;
  }
  return false;
}

/** What counts as held against khugepaged and against faults: any spinning lock, and the lock of the mapping. */
const isLock = (effect: BoundEffect): effect is BoundEffect & { kind: "acquire" | "release" } =>
  (effect.kind === "acquire" || effect.kind === "release") && (spins(effect.lock) || effect.lock === "i_mmap_rwsem");

interface Objects {
  readonly slots: ReadonlyMap<string, Field>;
  readonly slotOf: (pointer: Value) => Field | null;
  readonly locks: Field;
}

function objectsOf(model: ModelBuilder, program: EffectProgram, state: AssertedState): Objects {
  const locks = model.field("locks held", 0, { hidden: true });
  if (state.level === "pmd") {
    const slot = model.field(`*${state.pointer}`, FIRST, { labels: { [NONE]: "none", [FIRST]: "a table", [CHANGED]: "a huge page" } });
    return { slots: new Map([[state.pointer, slot]]), slotOf: (pointer) => (render(pointer) === state.pointer ? slot : null), locks };
  }
  const pointers = entryPointers(program);
  const labels = { [NONE]: "none", [FIRST]: "X", [CHANGED]: "X, dirty", [SWAP]: "swap" };
  const names = assertedEntries(program, pointers);
  const slots = new Map(names.map((name) => [name, model.field(`entry(${name})`, FIRST, { labels })] as const));
  return { slots, slotOf: (pointer) => slots.get(pointers.entryOf(pointerOf(pointer)) ?? "") ?? null, locks };
}

/** Entries that are compared once they are cleared, or under the lock: those of all others say nothing. */
function assertedEntries(program: EffectProgram, pointers: EntryPointers): readonly string[] {
  const cleared = program.nodes.flatMap((node) => (node.kind === "call" ? node.effects.flatMap((effect) => (effect.kind === "clearEntry" ? (pointers.entryOf(effect.pte) ?? []) : [])) : []));
  const found = [...new Set(cleared)];
  return (found.length > 0 ? found : pointers.entries.map(({ name }) => name)).slice(0, 2);
}

/** An entry that the function finds is any: none, a page, or swapped out. */
const anyEntry = (thread: ThreadBuilder, name: string, slot: Field): void =>
  void thread.step({ text: name, hidden: true, alternatives: [FIRST, NONE, SWAP].map((value) => ({ effect: [assign(slot, value)] })) });

const HUGE = /^pmd_(?:trans_huge|huge|leaf|devmap)$/;

function world(program: EffectProgram, site: CallNode, state: AssertedState, { slotOf, locks }: Objects): World {
  const count = (up: boolean) => assign(locks, up ? plus(locks, lt(locks, 8)) : minus(locks, gt(locks, 0)));
  const isSite = (call: CallNode): boolean => call.at === site.at && call.name === site.name;
  /** Reads an entry of the model: `*pte`, `ptep_get(pte)`, what a clear returned. */
  const isEntry = (value: Value): boolean => {
    const through = readThrough(value);
    return (through !== null && slotOf(through) !== null) || (value.kind === "call" && value.args.some((arg) => slotOf(arg) !== null));
  };
  // A page that was found through an entry is not what the entry says.
  const copies = new Set(program.nodes.flatMap((node) => {
    if (node.kind === "assign") return node.value && isEntry(node.value) ? [render(node.target)] : [];
    return node.kind === "call" && node.result !== null && node.effects.some((effect) => (effect.kind === "accessEntry" || effect.kind === "clearEntry") && slotOf(effect.pte) !== null) ? [node.result] : [];
  }));
  return {
    sees: (effect, call) =>
      isLock(effect) || effect.kind === "lockEntryTable" || effect.kind === "mapPte" || effect.kind === "unmapPte" || (effect.kind === "bugIf" && isSite(call)) ||
      ((effect.kind === "clearEntry" || effect.kind === "setEntry" || (effect.kind === "accessEntry" && call.result !== null)) && slotOf(effect.pte) !== null),
    reads: (effect) => (effect.kind === "bugIf" ? (effect.condition === null ? [] : [effect.condition]) : effect.kind === "setEntry" ? [effect.value] : []),
    refine: (effect, call, lifting) => refine(effect, call, lifting, state, { slotOf, locks, count, property: "bug-on" }),
    place(value) {
      const through = readThrough(value);
      if (through !== null) return slotOf(through);
      if (value.kind !== "call" || !HUGE.test(value.name) || !value.args[0]) return null;
      const pointer = readThrough(value.args[0]);
      const slot = pointer && slotOf(pointer);
      return slot ? eq(slot, CHANGED) : null;
    },
    meaning(pure, args, translate) {
      const field = args[0] ? translate(args[0]) : null;
      switch (pure.meaning) {
        case "load-entry":
          return args[0] ? asField(slotOf(args[0])) : null;
        case "entry-none":
          return field && eq(field, NONE);
        case "entry-present":
          return field && and(ne(field, NONE), ne(field, SWAP));
        case "entry-same": {
          const other = args[1] ? translate(args[1]) : null;
          return field && other && eq(field, other);
        }
        default:
          return null;
      }
    },
    compare({ operator, left, right }, translate) {
      const isValue = (value: Value): value is Value & { kind: "call" } => value.kind === "call" && value.name === "pte_val";
      if ((operator !== "==" && operator !== "!=") || !isValue(left) || !isValue(right)) return null;
      const [a, b] = [translate(left), translate(right)];
      return a && b && (operator === "==" ? eq(a, b) : ne(a, b));
    },
    // Bits of an entry are no question of which page it maps.
    decidedBy: (value) => someIn(value, (part) => copies.has(render(part)) || isEntry(part), (part) => part.kind === "call" && /_(?:young|dirty|write|special|soft_dirty|uffd_wp|protnone|devmap)$/.test(part.name)),
    handed: (call) => {
      const lock = call.args.find((arg) => arg.kind === "name" && program.variables.get(arg.name)?.type === "spinlock_t");
      return lock ? render(lock) : null;
    },
  };
}

const asField = (field: Field | null): Expression | null => field && { kind: "field", field };

interface Refining extends Pick<Objects, "slotOf" | "locks"> {
  readonly count: (up: boolean) => ReturnType<typeof assign>;
  readonly property: string;
}

function refine(effect: BoundEffect, call: CallNode, lifting: Lifting, state: AssertedState, { slotOf, count, property }: Refining): LiftedStep[] {
  switch (effect.kind) {
    case "mapPte": {
      const slot = state.level === "pmd" && render(effect.pmd) === state.pointer ? slotOf(effect.pmd) : null;
      const [yes, no] = effect.pteOut ? [0, 1] : [1, 0];
      const mapped = { ...(slot ? { guard: eq(slot, FIRST) } : {}), effect: [...lifting.set(call.result, yes), ...(effect.locks ? [count(true)] : [])], note: "mapped" };
      return [{ alternatives: effect.mayFail ? [mapped, { effect: lifting.set(call.result, no), note: "not mapped" }] : [mapped] }];
    }
    case "unmapPte":
      return [{ alternatives: [{ effect: effect.ptl === null ? [] : [count(false)] }], hidden: true }];
    case "release":
      return [{ alternatives: [{ effect: [count(false)] }], hidden: true }];
    case "acquire":
    case "lockEntryTable": {
      const held = effect.held ?? "always";
      const taken = { effect: [count(true), ...lifting.set(call.result, held === "zero" ? 0 : 1)] };
      return [{ alternatives: held === "always" ? [taken] : [taken, { effect: lifting.set(call.result, held === "zero" ? 1 : 0), note: "not taken" }] }];
    }
    case "accessEntry":
    case "clearEntry": {
      const slot = slotOf(effect.pte);
      return slot ? [{ alternatives: [{ effect: [...lifting.set(call.result, slot), ...(effect.kind === "clearEntry" ? [assign(slot, NONE)] : [])] }] }] : [];
    }
    case "setEntry": {
      const slot = slotOf(effect.pte);
      const value = lifting.translate(effect.value);
      if (!slot) return [];
      return [{ alternatives: (value === null ? [{ value: NONE }, { value: FIRST }] : [{ value }]).map((one) => ({ effect: [assign(slot, one.value)] })) }];
    }
    case "bugIf": {
      const condition = effect.condition === null ? TRUE : lifting.translate(effect.condition);
      if (condition === null) return [];
      const shown = call.args[0] && effect.condition !== null && effect.condition.kind !== "number" ? `${call.name}(${written(lifting.program, call.args[0])})` : `${call.name}()`;
      return [{ alternatives: [{ checks: [{ holds: condition === TRUE ? FALSE : not(condition), property, message: `${shown} is reached by what another thread may do` }] }] }];
    }
    default:
      return [];
  }
}

function others(model: ModelBuilder, state: AssertedState, { slots, locks }: Objects): void {
  if (state.level === "pte") {
    for (const [name, slot] of slots) {
      const cpu = model.thread(`MMU of another CPU, ${name}`, "environment");
      cpu.step({ text: "a store goes through the entry: its dirty bit is set", alternatives: [{ guard: eq(slot, FIRST), effect: [assign(slot, CHANGED)] }, { guard: ne(slot, FIRST), note: "not present, or set already" }] });
    }
    return;
  }
  const slot = slots.get(state.pointer)!;
  const khugepaged = model.thread("khugepaged", "environment");
  khugepaged.step({ text: "retract_page_tables(): pmd_lock(), spin_lock(ptl), pmdp_collapse_flush()", guard: and(eq(locks, 0), eq(slot, FIRST)), effect: [assign(slot, NONE)] });
  const fault = model.thread("page fault of another thread", "environment");
  fault.step({ text: "do_set_pmd(): pmd_lock(), maps the huge page of the file", guard: and(eq(locks, 0), eq(slot, NONE)), effect: [assign(slot, CHANGED)] });
}

/** `alone`: without anyone else, where the assertion must hold. */
export function racyAssertion(site: CallNode, state: AssertedState, alone = false): Experiment {
  const drop = (program: EffectProgram): EffectProgram => ({
    ...program,
    nodes: program.nodes.map((node) => (node.kind === "call" && node.at === site.at && node.name === site.name ? { ...node, effects: [], knowledge: "quiet" as const, shown: "/* no assertion */" } : node)),
  });
  return {
    name: "racy-assertion",
    primary: ["bug-on"],
    secondary: [],
    bounds: `environment {${state.level === "pmd" ? "khugepaged that takes the table of a file mapping away, page fault" : "MMU that sets bits of present entries"}}, loops unbounded, SC`,
    build(program, release) {
      const model = modelBuilder("racy-assertion");
      const objects = objectsOf(model, program, state);
      const lifted = lift(model, program, release, (thread) => {
        if (state.level === "pte") for (const [name, slot] of objects.slots) anyEntry(thread, name, slot);
        return world(program, site, state, objects);
      });
      if (!alone) others(model, state, objects);
      for (const [id, steps] of lifted.stepsOf) {
        const node = program.nodes[id];
        if (node?.kind === "call" && steps[0] !== undefined && node.effects.some((effect) => effect.kind === "mapPte")) model.reach(lifted.thread, steps[0], "the table is mapped");
      }
      return { model: model.finish(), assumptions: lifted.assumptions };
    },
    fix: (program) => ({ title: "no assertion: what it looks at may change, so it is an answer (-EAGAIN), or not looked at", program: drop(program) }),
    mutate: (fixed) => ({ ...fixed, nodes: fixed.nodes.map((node) => (node.kind === "call" && node.at === site.at && node.name === site.name ? { ...site, next: node.next } : node)) }),
    wrongFixes: [],
  };
}
