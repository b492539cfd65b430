// SPDX-License-Identifier: GPL-2.0-only
import { spins } from "../kernel/lock-order.ts";
import type { Value } from "../program/code.ts";
import type { BoundEffect, CallNode, EffectProgram, ProgramNode } from "../program/program.ts";
import { render } from "../program/render.ts";
import { modelBuilder, type ModelBuilder, type ThreadBuilder } from "../simulator/build.ts";
import { assign } from "../simulator/effect.ts";
import { and, eq, FALSE, gt, lt, minus, ne, or, plus, TRUE, type Expression, type Field } from "../simulator/expression.ts";
import type { Alternative } from "../simulator/model.ts";
import { SWAP } from "../simulator/objects/entry.ts";
import { someIn } from "./doubt.ts";
import type { Experiment } from "./experiment.ts";
import { lift } from "./lift.ts";
import { pointerOf } from "./obligation/handed-on.ts";
import { isSite, type Site } from "./obligation/obligation.ts";
import { name, synthetic, without } from "./rewrite.ts";
import type { LiftedStep, Lifting, World } from "./world.ts";

/*
 * What was read of an entry without its lock, or before a wait, is old by the time that it is acted on. Whoever changes the
 * entry in between does so under the page-table lock: reclaim (mm/rmap.c, try_to_unmap_one()), a fault of another thread
 * (mm/memory.c, do_anonymous_page()), the same function run by another thread. Tables are taken away under pmd lock and
 * page-table lock: from 6.6 on those of file mappings without the mmap lock (mm/khugepaged.c, retract_page_tables()), from
 * 6.14 on any that is empty with the mmap lock held for reading (mm/pt_reclaim.c, try_to_free_pte()).
 */

/** Who takes a table away from readers of the mmap lock: khugepaged that of a file mapping, reclaim (6.14) any empty one. */
export type TableTaker = "khugepaged" | "reclaim";

/** What is old, and by what it is told from what is there. */
export type Stale =
  /** A folio that was found in the entry, kept over a retry. */
  | { readonly is: "folio"; readonly pointer: string; readonly copy: string; readonly folio: string; /** The jump back with which it gets old. */ readonly retry: Retry }
  /** A copy of the entry that a decision was made on. */
  | { readonly is: "entry"; readonly pointer: string; readonly copy: string; readonly faults: boolean }
  /** The table that the entry is in. */
  | { readonly is: "table"; readonly pointer: string; readonly pmd: string; readonly by: TableTaker };

/** A `goto` backwards: the last call in front of it, and where it stands. */
export interface Retry {
  readonly after: CallNode;
  readonly at: number;
  readonly end: number;
}

/** Jumps back over a call, in order of text. */
export function retriesOver(program: EffectProgram, call: CallNode): readonly Retry[] {
  return program.nodes
    .flatMap((node): Retry[] => {
      if (node.kind !== "call" || node.at <= call.at || node.inlined !== undefined) return [];
      const jump = /^[\s;]*(goto\s+\w+)/.exec(program.image.text.slice(node.end, node.end + 200));
      const target = jump && jumpsTo(program, node.next);
      if (!jump || target === null || target > call.at) return [];
      const end = node.end + jump[0].length;
      return [{ after: node, at: end - (jump[1] ?? "").length, end }];
    })
    .toSorted((a, b) => a.at - b.at);
}

/** Offset of the first node behind an edge that stands somewhere, or null. */
function jumpsTo(program: EffectProgram, id: number): number | null {
  for (let at = id, left = 20; left > 0; left--) {
    const node = program.nodes[at];
    if (!node || node.kind === "exit" || node.kind === "stop" || node.kind === "unseen") return null;
    if (node.kind !== "label") return node.at;
    at = node.next;
  }
  return null;
}

const RETRIES = "goes back";

/** The program with a mark at each jump back: which of them was the last. */
function marked(program: EffectProgram, stale: Stale): EffectProgram {
  if (stale.is !== "folio") return program;
  const nodes: ProgramNode[] = [...program.nodes];
  for (const map of program.nodes) {
    if (map.kind !== "call" || map.result !== stale.pointer || !map.effects.some(({ kind }) => kind === "mapPte")) continue;
    for (const { after } of retriesOver(program, map)) {
      const id = nodes.findIndex((node) => node.kind === "call" && node.at === after.at && node.name === after.name);
      const node = nodes[id];
      if (node?.kind !== "call") continue;
      const isIt = node.at === stale.retry.after.at;
      nodes[id] = { ...node, next: nodes.push({ ...synthetic(isIt ? "goto" : "goto another", { kind: "accessEntry", pte: name(stale.pointer), write: false }), name: RETRIES, next: node.next }) - 1 };
    }
  }
  return { ...program, nodes };
}

const NONE = 0;
const FIRST = 1;
const SECOND = 2;

const RECHECK = "checked again by the fix";
const isRecheck = (node: ProgramNode): boolean => node.kind === "call" && node.name === RECHECK;

interface Objects {
  readonly slot: Field;
  /** 1 while the pmd points to the table. */
  readonly pmd: Field;
  /** Spinning locks that the function holds. */
  readonly locks: Field;
  /** The lock of the first folio. */
  readonly folioLock: Field;
  /** 1 where the function changed the entry itself since it read it. */
  readonly own: Field;
  /** 1 where the jump back that is looked at was the last. */
  readonly retried: Field;
}

const objectsOf = (model: ModelBuilder, stale: Stale): Objects => ({
  slot: model.field(`entry(${stale.pointer})`, FIRST, { labels: { [NONE]: "none", [FIRST]: "F1", [SECOND]: "F2", [SWAP]: "swap" } }),
  pmd: model.field("pmd", 1, { labels: { 0: "none", 1: "the table" }, hidden: stale.is !== "table" }),
  locks: model.field("locks held", 0, { hidden: true }),
  folioLock: model.field("lock of F1", 0, { labels: { 0: "free", 1: "held" }, hidden: stale.is !== "folio" }),
  own: model.field("changed here", 0, { hidden: true }),
  retried: model.field("went back", 0, { hidden: true }),
});

/** What must hold at the step that acts. */
function mustHold(stale: Stale, { slot, pmd, locks, own, retried }: Objects, lifting: Lifting): { holds: Expression; property: string; message: string } | null {
  switch (stale.is) {
    case "folio": {
      const folio = lifting.translate(name(stale.folio));
      return folio && { holds: or(eq(retried, 0), eq(folio, NONE), eq(slot, NONE), eq(slot, folio)), property: "rmap-mismatch", message: `the entry maps F2 by now: ${stale.folio}, found in it on an earlier pass, is moved in the place of F2, which is lost` };
    }
    case "entry": {
      const copy = lifting.translate(name(stale.copy));
      return copy && { holds: or(eq(locks, 0), eq(own, 1), eq(slot, copy)), property: "stale-entry", message: `the entry is not ${stale.copy} any more: what another thread did to it is overwritten` };
    }
    case "table":
      return { holds: or(eq(locks, 0), eq(pmd, 1)), property: "detached-table", message: "an entry is written into a table that the page directory no longer points to: the page is lost" };
  }
}

function world(program: EffectProgram, site: Site, stale: Stale, objects: Objects): World {
  const { slot, pmd, locks } = objects;
  const isEntry = (pointer: Value): boolean => render(pointerOf(pointer)) === stale.pointer;
  const isPmd = (pointer: Value): boolean => stale.is === "table" && render(pointer) === stale.pmd;
  const slotOf = (pointer: Value): Field | null => (isEntry(pointer) ? slot : isPmd(pointer) ? pmd : null);
  const isLock = (effect: BoundEffect): boolean => (effect.kind === "acquire" || effect.kind === "release") && (spins(effect.lock) || (stale.is === "folio" && effect.lock === "folio_lock"));
  const tracked = [stale.is === "table" ? null : stale.copy, stale.is === "folio" ? stale.folio : null].flatMap((one) => (one === null ? [] : [name(one)]));
  const isAbout = (value: Value): boolean =>
    (value.kind === "name" && stale.is !== "table" && value.name === stale.copy) || (value.kind === "unary" && value.operator === "*" && slotOf(value.of) !== null);
  return {
    sees: (effect, call) =>
      isLock(effect) || effect.kind === "lockEntryTable" || effect.kind === "mapPte" || effect.kind === "unmapPte" ||
      ((effect.kind === "clearEntry" || effect.kind === "setEntry") && isEntry(effect.pte)) || (effect.kind === "accessEntry" && (call.result !== null || isRecheck(call) || call.name === RETRIES) && slotOf(effect.pte) !== null),
    reads: (effect, call) => (isSite(site, call) || isRecheck(call) ? tracked : effect.kind === "acquire" || effect.kind === "release" ? (effect.lock === "folio_lock" && effect.object ? [effect.object] : []) : []),
    refine: (effect, call, lifting) => refine(effect, call, lifting, site, stale, objects, slotOf),
    place(value) {
      if (value.kind === "unary" && value.operator === "*") return slotOf(value.of);
      // The pmd points to a table or to nothing.
      return value.kind === "call" && /^pmd_(?:trans_huge|huge|leaf|devmap)$/.test(value.name) && value.args.some((arg) => arg.kind === "unary" && arg.operator === "*" && isPmd(arg.of)) ? FALSE : null;
    },
    meaning(pure, args, translate) {
      const first = args[0];
      if (pure.meaning === "load-entry") {
        const found = first ? slotOf(first) : null;
        return found && { kind: "field", field: found };
      }
      // The folio is anonymous and mapped once: what a mover wants to see.
      if (stale.is === "folio" && (pure.meaning === "folio-anon" || pure.meaning === "folio-mapcount")) return TRUE;
      const value = first ? translate(first) : null;
      if (pure.meaning === "entry-none") return value && eq(value, NONE);
      if (pure.meaning === "entry-present") return value && and(ne(value, NONE), ne(value, SWAP));
      const other = pure.meaning === "entry-same" && args[1] ? translate(args[1]) : null;
      return value && other && eq(value, other);
    },
    compare({ operator, left, right }, translate) {
      const isValue = (value: Value): boolean => value.kind === "call" && /^(?:pte|pmd)_val$/.test(value.name);
      if ((operator !== "==" && operator !== "!=") || !isValue(left) || !isValue(right)) return null;
      const [a, b] = [translate(left), translate(right)];
      return a && b && (operator === "==" ? eq(a, b) : ne(a, b));
    },
    decidedBy: (value) => someIn(value, isAbout, (part) => part.kind === "call" && /_(?:young|dirty|write|special|soft_dirty|uffd_wp|protnone|devmap)$/.test(part.name)),
    handed: (call) => {
      const lock = call.args.find((arg) => arg.kind === "name" && program.variables.get(arg.name)?.type === "spinlock_t");
      if (lock) return render(lock);
      // A helper that gets the pointer may look again, or hold it against others.
      const entry = call.args.find(isEntry);
      return entry ? render(entry) : null;
    },
    unseen: () => [{ text: "", hidden: true, alternatives: [{ effect: [assign(locks, 1)] }] }],
  };
}

function refine(effect: BoundEffect, call: CallNode, lifting: Lifting, site: Site, stale: Stale, objects: Objects, slotOf: (pointer: Value) => Field | null): LiftedStep[] {
  const { slot, pmd, locks, folioLock, own } = objects;
  const up = assign(locks, plus(locks, lt(locks, 8)));
  const down = assign(locks, minus(locks, gt(locks, 0)));
  const checks = isSite(site, call) ? [mustHold(stale, objects, lifting)].flatMap((one) => one ?? []) : [];
  switch (effect.kind) {
    case "mapPte": {
      const [yes, no] = effect.pteOut ? [0, 1] : [1, 0];
      const read = effect.pmdOut?.kind === "unary" ? lifting.set(render(effect.pmdOut.of), 1) : [];
      const mapped: Alternative = { ...(stale.is === "table" && render(effect.pmd) === stale.pmd ? { guard: eq(pmd, 1) } : {}), effect: [...lifting.set(call.result, yes), ...read, ...(effect.locks ? [up] : [])], note: "mapped" };
      return [{ alternatives: effect.mayFail ? [mapped, { effect: lifting.set(call.result, no), note: "not mapped" }] : [mapped] }];
    }
    case "unmapPte":
      return [{ alternatives: [{ effect: effect.ptl === null ? [] : [down] }], hidden: effect.ptl === null }];
    case "lockEntryTable":
      return [{ alternatives: [{ effect: [up, ...lifting.set(call.result, 1)] }, ...(effect.held === "nonzero" ? [{ effect: lifting.set(call.result, 0) }] : [])] }];
    case "acquire":
    case "release": {
      const folio = effect.lock === "folio_lock" ? folioLocking(effect, call, lifting, folioLock) : null;
      if (folio) return folio;
      if (effect.kind === "release") return [{ alternatives: [{ effect: [down] }] }];
      const taken = { effect: [up, ...lifting.set(call.result, effect.held === "zero" ? 0 : 1)] };
      return [{ alternatives: effect.held === "always" ? [taken] : [taken, { effect: lifting.set(call.result, effect.held === "zero" ? 1 : 0), note: "not taken" }] }];
    }
    case "accessEntry": {
      if (call.name === RETRIES) return [{ alternatives: [{ effect: [assign(objects.retried, call.shown === "goto" ? 1 : 0)] }], hidden: true }];
      if (isRecheck(call)) return rechecking(stale, objects, lifting);
      const from = slotOf(effect.pte);
      return from ? [{ alternatives: [{ effect: [...lifting.set(call.result, from), assign(own, 0)] }] }] : [];
    }
    case "clearEntry":
      return [{ alternatives: [{ checks, effect: [...lifting.set(call.result, slot), assign(slot, NONE), assign(own, 1)] }] }];
    case "setEntry":
      return [{ alternatives: [{ checks, effect: [assign(slot, FIRST), assign(own, 1)] }] }];
    default:
      return [];
  }
}

/** The lock of the folio that the call is handed: that of F1 has another user, that of F2 has none. */
function folioLocking(effect: BoundEffect & { kind: "acquire" | "release" }, call: CallNode, lifting: Lifting, lock: Field): LiftedStep[] | null {
  const which = effect.object && lifting.translate(effect.object);
  if (which === null) return null;
  const [isFirst, isOther] = [eq(which, FIRST), ne(which, FIRST)];
  if (effect.kind === "release") return [{ alternatives: [{ guard: isFirst, effect: [assign(lock, 0)] }, { guard: isOther }], releases: [{ lock }] }];
  const taken = lifting.set(call.result, effect.held === "zero" ? 0 : 1);
  const ways: Alternative[] = [{ guard: and(isFirst, eq(lock, 0)), effect: [assign(lock, 1), ...taken], note: "acquired" }, { guard: isOther, effect: taken }];
  if (effect.held !== "always") ways.push({ guard: and(isFirst, ne(lock, 0)), effect: lifting.set(call.result, effect.held === "zero" ? 1 : 0), note: "busy" });
  return [{ alternatives: ways, acquires: [{ lock, name: lock.name }] }];
}

/** The look that the fix adds, and the way out where something changed. */
function rechecking(stale: Stale, objects: Objects, lifting: Lifting): LiftedStep[] {
  const { slot, pmd } = objects;
  const same = ((): Expression | null => {
    if (stale.is === "table") return eq(pmd, 1);
    const copy = lifting.translate(name(stale.copy));
    if (stale.is === "entry") return copy && eq(slot, copy);
    const folio = lifting.translate(name(stale.folio));
    return folio && copy && or(eq(folio, NONE), eq(folio, copy));
  })();
  if (same === null) return [];
  return [{ alternatives: [{ guard: same, note: "the same" }, { guard: { kind: "not", of: same }, to: "END", note: "changed: -EAGAIN" }] }];
}

/** An entry of a file that khugepaged collapses is none: its pages were unmapped before. */
const TAKERS: Readonly<Record<TableTaker, { readonly name: string; readonly text: string; readonly bounds: string }>> = {
  khugepaged: { name: "khugepaged", text: "retract_page_tables(): pmd_lock(), spin_lock(ptl), pmdp_collapse_flush()", bounds: "environment {khugepaged that takes the table of a file mapping away}" },
  reclaim: { name: "MADV_DONTNEED of the rest of the table", text: "try_to_free_pte(): pmd_lock(), spin_lock(ptl), all none: pmd_clear()", bounds: "environment {reclaim of empty page tables}" },
};

/** Others that change the entry, each with what it holds. */
function others(model: ModelBuilder, program: EffectProgram, stale: Stale, { slot, pmd, locks, folioLock }: Objects): { readonly thread: ThreadBuilder; readonly step: number } {
  const free = eq(locks, 0);
  if (stale.is === "table") {
    const { name: taker, text } = TAKERS[stale.by];
    const thread = model.thread(taker, "environment");
    return { thread, step: thread.step({ text, guard: and(free, eq(slot, NONE)), effect: [assign(pmd, 0)] }) };
  }
  if (stale.is === "entry") {
    const thread = model.thread(stale.faults ? "page fault of another thread" : "kswapd", "environment");
    const step = stale.faults
      ? thread.step({ text: "do_anonymous_page(): spin_lock(ptl), maps F2", guard: and(free, eq(slot, NONE)), effect: [assign(slot, SECOND)] })
      : thread.step({ text: "try_to_unmap_one(): spin_lock(ptl), unmaps F1, which is freed", guard: and(free, eq(slot, FIRST)), effect: [assign(slot, SWAP)] });
    return { thread, step };
  }
  const thread = model.thread(`${program.name}() in another thread`, "environment");
  thread.step({ text: "folio_trylock(F1)", guard: eq(folioLock, 0), effect: [assign(folioLock, 1)], acquires: [{ lock: folioLock, name: folioLock.name }] });
  const step = thread.step({ text: "under the page-table locks: moves F1 to a third place", alternatives: [{ guard: and(free, eq(slot, FIRST)), effect: [assign(slot, NONE)] }, { guard: and(free, ne(slot, FIRST)), note: "is gone" }] });
  thread.step({ text: "folio_unlock(F1)", effect: [assign(folioLock, 0)], releases: [{ lock: folioLock }] });
  thread.step({ text: "a fault, under the page-table lock: maps F2", guard: and(free, eq(slot, NONE)), effect: [assign(slot, SECOND)] });
  return { thread, step };
}

const boundsOf = (stale: Stale): string => {
  switch (stale.is) {
    case "folio":
      return "environment {another thread that runs the same function, then faults}";
    case "entry":
      return "environment {reclaim, or a page fault of another thread}";
    case "table":
      return TAKERS[stale.by].bounds;
  }
};

const PROPERTY: Readonly<Record<Stale["is"], string>> = { folio: "rmap-mismatch", entry: "stale-entry", table: "detached-table" };

export function entryRecheck(site: Site, stale: Stale): Experiment {
  const look = ((): string => {
    switch (stale.is) {
      case "folio":
        return `if (${stale.folio} && !pte_same(${stale.folio}_pte, ${stale.copy})) return -EAGAIN`;
      case "entry":
        return `if (!pte_same(ptep_get(${stale.pointer}), ${stale.copy})) return -EAGAIN`;
      case "table":
        return `if (!pmd_same(pmdval, pmdp_get_lockless(${stale.pmd}))) return -EAGAIN`;
    }
  })();
  const recheck = { ...synthetic(look, { kind: "accessEntry", pte: name(stale.pointer), write: false }), name: RECHECK };
  /** Reads the entry into the copy that the folio is found by. */
  const reads = (node: ProgramNode): boolean => {
    if (stale.is !== "folio") return false;
    if (node.kind === "assign") return render(node.target) === stale.copy && node.value?.kind === "unary" && node.value.operator === "*" && render(pointerOf(node.value.of)) === stale.pointer;
    return node.kind === "call" && node.result === stale.copy && node.effects.some((effect) => effect.kind === "accessEntry");
  };
  return {
    name: stale.is === "folio" ? "move-stale-folio" : stale.is === "table" ? "pte-table-detached" : "stale-entry-written",
    primary: [PROPERTY[stale.is]],
    secondary: [],
    bounds: `${boundsOf(stale)}, loops unbounded, SC`,
    build(text, release) {
      const program = marked(text, stale);
      const model = modelBuilder("entry-recheck");
      const objects = objectsOf(model, stale);
      const lifted = lift(model, program, release, (thread) => {
        const first = stale.is === "entry" ? (stale.faults ? [NONE] : [FIRST]) : stale.is === "table" ? [NONE, FIRST] : [FIRST];
        thread.step({ text: stale.pointer, hidden: true, alternatives: first.map((value) => ({ effect: [assign(objects.slot, value)] })) });
        return world(program, site, stale, objects);
      });
      const other = others(model, program, stale, objects);
      model.reach(other.thread, other.step, "the entry is changed");
      for (const [id, steps] of lifted.stepsOf) {
        const node = program.nodes[id];
        if (node?.kind === "call" && isSite(site, node) && steps[0] !== undefined) model.reach(lifted.thread, steps[0], "the entry is acted on");
      }
      return { model: model.finish(), assumptions: lifted.assumptions };
    },
    fix: (program) => ({ title: look, program: stale.is === "folio" ? insertAfter(program, reads, recheck) : insertInFront(program, site, recheck) }),
    mutate: (fixed) => without(fixed, isRecheck),
    wrongFixes: [],
  };
}

function insertAfter(program: EffectProgram, after: (node: ProgramNode) => boolean, call: Omit<CallNode, "next">): EffectProgram {
  const nodes: ProgramNode[] = [...program.nodes];
  program.nodes.forEach((node, id) => {
    if (after(node) && "next" in node) nodes[id] = { ...node, next: nodes.push({ ...call, next: node.next }) - 1 };
  });
  return { ...program, nodes };
}

/** Right in front of the call: what is checked again is checked under the lock that the call is made under. */
function insertInFront(program: EffectProgram, site: Site, call: Omit<CallNode, "next">): EffectProgram {
  const nodes: ProgramNode[] = [...program.nodes];
  program.nodes.forEach((node, id) => {
    if (node.kind !== "call" || !isSite(site, node)) return;
    const moved = nodes.push(node) - 1;
    nodes[id] = { ...call, next: moved };
  });
  return { ...program, nodes };
}
