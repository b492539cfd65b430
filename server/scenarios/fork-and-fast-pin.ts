// SPDX-License-Identifier: GPL-2.0-only
import { ERAS, gupEra } from "../kernel/era.ts";
import type { Release } from "../kernel/release.ts";
import type { Value } from "../program/code.ts";
import type { BoundEffect, CallNode, EffectProgram, NodeId, ProgramNode } from "../program/program.ts";
import { render } from "../program/render.ts";
import { modelBuilder, type ModelBuilder, type ThreadBuilder } from "../simulator/build.ts";
import { assign, assignAt, decrementAt, increment } from "../simulator/effect.ts";
import { and, eq, FALSE, ne, not, or, plus, TRUE, type Expression, type Field } from "../simulator/expression.ts";
import type { Alternative } from "../simulator/model.ts";
import { unmapFolio } from "../simulator/objects/folio.ts";
import { folioOf, isReadOnlyPte, isWritablePte, writablePte } from "../simulator/objects/pte.ts";
import { downWrite, isHeldForWrite, upWrite } from "../simulator/objects/rwsem.ts";
import { seqcount, writeBegin, writeEnd, type Seqcount } from "../simulator/objects/seqcount.ts";
import { addDma, dmaDevice, type Device } from "./environment/device.ts";
import type { BuiltModel, Experiment } from "./experiment.ts";
import { lift } from "./lift.ts";
import { mapFresh } from "./mechanism/fault.ts";
import { addFork, copySteps } from "./mechanism/fork.ts";
import { grab } from "./mechanism/gup.ts";
import { addressSpace, privateMemory, type AddressSpace, type Memory } from "./mechanism/memory.ts";
import { decidingCount, mayReuse, reuseReason } from "./mechanism/reuse.ts";
import { insertAtEnd, insertAtStart, insertBefore, name, synthetic, without } from "./rewrite.ts";
import type { LiftedStep, Lifting, World } from "./world.ts";

/*
 * fork() against GUP-fast from 5.11 on (57efa1fe5957): fork() asks for pins and shares the page inside of a write section of
 * mm->write_protect_seq; the walk takes no lock, reads the counter before the first entry and after the last grab, and has told
 * the mm of its pins before. One of the three functions is lifted, the others are as the release has them. What goes wrong is
 * the same each time: a pin on a page that the child shares, which the parent's next store moves away from the device.
 */

const GATE = "begin";
const RETURNED = "returned";
const PIN = { write: true, pin: true } as const;

interface Objects {
  readonly memory: Memory;
  readonly a: AddressSpace;
  readonly b: AddressSpace;
  readonly seq: Seqcount;
  readonly device: Device;
}

function objectsOf(model: ModelBuilder, release: Release): Objects {
  const memory = privateMemory(model, ERAS[gupEra(release)]);
  return {
    memory,
    a: addressSpace(memory, "A", 2),
    b: addressSpace(memory, "B", 0),
    seq: seqcount(model, "write_protect_seq"),
    device: dmaDevice(memory),
  };
}

/** The other side, a store of the parent, and the device. */
function addSurroundings(model: ModelBuilder, objects: Objects, fork: boolean): void {
  const { memory, a, b, seq, device } = objects;
  if (fork) addFork(model.thread("fork of A", "environment"), memory, { parent: a, child: b, seq, done: [] });
  const thread = model.thread("thread of A", "environment");
  const store = thread.step({ text: `stores to va: ${memory.behavior.names.writeFault}`, alternatives: stores(objects) });
  model.reach(thread, store, "the parent stores");
  addDma(model, device, a);
}

/** A store with its fault, which waits for mmap_lock; the copy is made in one step. */
function stores({ memory, a }: Objects): Alternative[] {
  const { folios, behavior } = memory;
  const page = folioOf(a.pte);
  const faults = and(isReadOnlyPte(a.pte), not(isHeldForWrite(a.mmapLock)));
  const may = mayReuse(behavior.reuse, folios, page);
  return [
    { guard: isWritablePte(a.pte), note: "no fault" },
    { guard: and(faults, may), effect: [assignAt(folios.anonExclusive, page, 1), assign(a.pte.value, writablePte(page))], note: `${reuseReason[behavior.reuse]}: keeps the page` },
    { guard: and(faults, not(may)), effect: [...unmapFolio(folios, page), ...mapFresh(memory, a, folios.next, true), increment(folios.next)], note: `${decidingCount[behavior.reuse]} is not 1: gets a copy` },
  ];
}

/** The lockless walk in two steps: what it does between the reads of the counter, and the second of them. */
function addFastPin(model: ModelBuilder, { memory, a, seq, device }: Objects): void {
  const { folios } = memory;
  const thread = model.thread("pin_user_pages_fast()", "environment");
  const [page, seen] = [thread.local("page", 0, { hidden: true }), thread.local("seq read", 0, { hidden: true })];
  const may = and(eq(seq.open, 0), isWritablePte(a.pte));
  thread.step({
    text: "lockless_pages_from_mm(): reads write_protect_seq, pins the page, reads the entry again",
    alternatives: [
      { guard: may, effect: [assign(a.hasPinned, 1), assign(page, folioOf(a.pte)), ...grab(memory, folioOf(a.pte), PIN), assign(seen, seq.count)], note: "even, and unchanged" },
      { guard: not(may), to: "END", note: "the slow path waits for mmap_lock" },
    ],
  });
  thread.step({
    text: "read_seqcount_retry(&mm->write_protect_seq)",
    alternatives: [
      { guard: eq(seq.count, seen), effect: [assign(device.page, page)], note: "unchanged: the device gets the page" },
      { guard: ne(seq.count, seen), effect: [decrementAt(folios.refcount, page), decrementAt(folios.pincount, page)], note: "changed: the page is given back" },
    ],
  });
}

const isGate = (call: CallNode): boolean => call.at < 0 && call.name === GATE;
const gated = (program: EffectProgram): EffectProgram => insertAtStart(program, [{ ...synthetic("", { kind: "maySleep" }), name: GATE }]);

/** The counter of the parent; a counter of somebody else is none of the scenario's. */
const isOfParent = (effect: BoundEffect): boolean =>
  effect.kind === "seqcountSection" && /write_protect_seq/.test(render(effect.seqcount)) && !/dst|child|new/.test(render(effect.seqcount));

/** The range that is copied is one of a private mapping with anonymous pages. */
const ofMapping = (value: Value): number | null => {
  if (value.kind === "member" && value.field === "anon_vma") return 1;
  if (value.kind !== "binary" || value.operator !== "&" || value.right.kind !== "name" || !value.right.name.startsWith("VM_")) return null;
  return value.right.name === "VM_MAYWRITE" || value.right.name === "VM_WRITE" ? 1 : 0;
};

function forkWorld({ memory, a, b, seq }: Objects, shared: Field): World {
  return {
    sees: (effect, call) => isGate(call) || effect.kind === "forkCopy" || isOfParent(effect),
    reads: () => [],
    refine(effect, call, lifting): readonly LiftedStep[] {
      if (isGate(call)) return [{ ...downWrite(a.mmapLock), hidden: true }];
      if (effect.kind === "seqcountSection") return [effect.step === "begin" ? writeBegin(seq) : writeEnd(seq)];
      const copied = lifting.label("copied");
      const [asks, ...others] = copySteps(memory, { parent: a, child: b }, copied);
      if (!asks) return [];
      const first = asks.alternatives.map((way) => ({ ...way, guard: and(way.guard ?? TRUE, eq(shared, 0)), effect: [...(way.effect ?? []), assign(shared, 1)] }));
      const later = { guard: eq(shared, 1), to: copied, note: "other entries" };
      return [{ text: asks.text, alternatives: [...first, later] }, ...others, { label: copied, hidden: true, alternatives: [1, 0].map((value) => ({ effect: lifting.set(call.result, value) })) }];
    },
    place: ofMapping,
    meaning: (pure) => (pure.meaning === "cow-mapping" ? TRUE : pure.meaning === "hugetlb-vma" ? FALSE : null),
  };
}

/** The section around the whole function. */
function inSection(program: EffectProgram): EffectProgram {
  const bare = without(program, (node) => node.kind === "call" && node.effects.some(isOfParent));
  const section = (step: "begin" | "end") =>
    synthetic(`raw_write_seqcount_${step}(&src_mm->write_protect_seq)`, { kind: "seqcountSection", step, seqcount: { kind: "name", name: "src_mm->write_protect_seq", at: -1 } });
  return insertAtEnd(insertAtStart(bare, [section("begin")]), [section("end")]);
}

/** FORK-1, G4: entries are shared and write-protected outside of a write section. */
export const forkOutsideSection: Experiment = {
  name: "fork-outside-section",
  primary: ["lost-dma"],
  secondary: [],
  bounds: "environment {pin_user_pages_fast(FOLL_WRITE), one store of the parent, device}, one private anonymous page, mmap_lock held for write, SC",
  build(program, release): BuiltModel {
    const model = modelBuilder("fork-outside-section");
    const objects = objectsOf(model, release);
    const lifted = lift(model, gated(program), release, (thread) => forkWorld(objects, thread.local("copied", 0, { hidden: true })), { next: "copied" });
    lifted.thread.label("copied");
    const done = lifted.thread.step({ text: "dup_mmap(): mmap_write_unlock(A)", ...upWrite(objects.a.mmapLock) });
    model.reach(lifted.thread, done, "fork is over");
    addFastPin(model, objects);
    addSurroundings(model, objects, false);
    return { model: model.finish(), assumptions: lifted.assumptions };
  },
  fix: (program) => ({ title: "write section of write_protect_seq around the copy (57efa1fe5957)", program: inSection(program) }),
  mutate: (fixed) => without(fixed, (node) => node.kind === "call" && node.at < 0 && node.effects.some(isOfParent)),
  wrongFixes: [],
};

interface Walk extends Objects {
  /** The call that walks. */
  readonly walk: NodeId;
  readonly program: EffectProgram;
  /** Page that the walk holds, 0 for none. */
  readonly taken: Field;
  /** The counter as the walk has read it: twice the sections that began, and 1 inside of one. */
  readonly seen: Field;
}

const counter = ({ seq }: Objects): Expression => plus(plus(seq.count, seq.count), seq.open);

/** fork() spares pins only: a walk for references is none of the scenario's. */
const pins = (call: CallNode, lifting: Lifting): Expression => {
  const effect = call.effects.find((one) => one.kind === "gupFastWalk");
  return (effect?.kind === "gupFastWalk" ? lifting.flag(effect.write, "FOLL_PIN") : null) ?? TRUE;
};

const take = ({ memory, a, taken }: Walk) => [assign(taken, folioOf(a.pte)), ...grab(memory, folioOf(a.pte), PIN)];

const drop = ({ memory, taken }: Walk) => [decrementAt(memory.folios.refcount, taken), decrementAt(memory.folios.pincount, taken), assign(taken, 0)];

/** Values of the call: 0 is no page. */
const got = (lifting: Lifting, call: CallNode, any: boolean) => lifting.set(call.result, any ? 1 : 0);

/** `lockless_pages_from_mm()` as the release has it, in two steps. */
function wholeWalk(walk: Walk, call: CallNode, lifting: Lifting): LiftedStep[] {
  const { a, seq, taken, seen } = walk;
  const may = and(eq(seq.open, 0), isWritablePte(a.pte), eq(taken, 0), pins(call, lifting));
  const over = lifting.label("over");
  return [
    {
      alternatives: [
        { guard: may, effect: [...take(walk), assign(seen, counter(walk))], note: "write_protect_seq is even; takes the page" },
        { guard: not(may), effect: got(lifting, call, false), to: over, note: "takes nothing" },
      ],
    },
    {
      text: "read_seqcount_retry(&mm->write_protect_seq)",
      alternatives: [
        { guard: eq(counter(walk), seen), effect: got(lifting, call, true), note: "unchanged" },
        { guard: ne(counter(walk), seen), effect: [...drop(walk), ...got(lifting, call, false)], note: "changed: the pages are given back" },
      ],
    },
    { label: over, hidden: true, alternatives: [{}] },
  ];
}

/** A call inside of the walk: entry read, page taken, entry read again. */
function bareWalk(walk: Walk, call: CallNode, lifting: Lifting): LiftedStep[] {
  const may = and(isWritablePte(walk.a.pte), eq(walk.taken, 0), pins(call, lifting));
  return [
    {
      alternatives: [
        { guard: may, effect: [...take(walk), ...got(lifting, call, true)], note: "the entry is writable: pins the page" },
        { guard: not(may), effect: got(lifting, call, false), note: "takes nothing" },
      ],
    },
  ];
}

/** True for a release of pins, as many as there are: one page less, or a reference instead, leaves a pin behind. */
const givesAllBack = (effect: BoundEffect & { kind: "unpin" }): boolean =>
  effect.reference === "pin" && (effect.count === undefined || effect.count.kind === "name" || effect.count.kind === "member");

const isSeqcount = (value: Value): boolean => value.kind === "call" && value.args.length > 0 && /write_protect_seq/.test(render(value));

function walkWorld(walk: Walk, isWhole: boolean, isTold: boolean): World {
  const { program, a, taken } = walk;
  const isWalk = (call: CallNode): boolean => program.nodes[walk.walk] === call;
  return {
    sees: (effect, call) => isGate(call) || (call.at < 0 && call.name === RETURNED) || isWalk(call) || effect.kind === "notesPins" || effect.kind === "unpin",
    reads: () => [],
    readsFlags: (effect) => (effect.kind === "gupFastWalk" ? [{ word: effect.write, bit: "FOLL_PIN" }] : []),
    refine(effect, call, lifting): readonly LiftedStep[] {
      if (isGate(call)) return [{ alternatives: [{ effect: isTold ? [assign(a.hasPinned, 1)] : [] }], hidden: true }];
      if (call.at < 0 && call.name === RETURNED) return [emptyHanded(taken)];
      if (effect.kind === "notesPins") return [{ alternatives: [{ effect: [assign(a.hasPinned, 1)] }] }];
      if (effect.kind === "unpin" && !givesAllBack(effect)) return [{ alternatives: [{ note: "not all that was pinned" }] }];
      if (effect.kind === "unpin") return [{ alternatives: [{ guard: ne(taken, 0), effect: drop(walk) }, { guard: eq(taken, 0), note: "nothing is pinned" }] }];
      return isWhole ? wholeWalk(walk, call, lifting) : bareWalk(walk, call, lifting);
    },
    place: (value) => {
      if (!isSeqcount(value) || value.kind !== "call") return null;
      if (/^(?:raw_)?read_seqcount(?:_begin)?$|^raw_read_seqcount$/.test(value.name)) return counter(walk);
      return null;
    },
    meaning: () => null,
    compare: (of, translate) => hasMoved(of, translate) ?? aboutCounter(of, translate) ?? outsideMask(of),
    parameter: (name, bit) => (bit !== null && name.endsWith("flags") ? (["FOLL_PIN", "FOLL_WRITE"].includes(bit) ? 1 : 0) : null),
  };
}

/** The function returns 0: its caller gives nothing back. */
const emptyHanded = (taken: Field): LiftedStep => ({
  text: "return 0",
  alternatives: [{ checks: [{ holds: eq(taken, 0), property: "leak", message: "the walk returns without pages and keeps one pinned: nobody gives it back" }], to: "END" }],
});

/** `seq & 1`: inside of a write section, in which the walk must not begin. */
function aboutCounter(of: Value & { kind: "binary" }, translate: (value: Value) => Expression | null): Expression | null {
  if (of.operator !== "&" || of.right.kind !== "number" || of.right.value !== 1) return null;
  const value = translate(of.left);
  return value && or(eq(value, 1), eq(value, 3));
}

/** The counter against what was read of it. */
function hasMoved(of: Value & { kind: "binary" }, translate: (value: Value) => Expression | null): Expression | null {
  if (of.operator !== "!=" || !isSeqcount(of.left)) return null;
  const [now, seen] = [translate(of.left), translate(of.right)];
  return now && seen && ne(now, seen);
}

/** `flags & ~(A | B)`: flags that no caller passes. */
const outsideMask = (of: Value & { kind: "binary" }): Expression | null => (of.operator === "&" && of.right.kind === "unary" && of.right.operator === "~" ? FALSE : null);

/** The program with `read_seqcount_retry()` as a comparison, so that its second argument is read. */
const withRetry = (program: EffectProgram): EffectProgram => ({
  ...program,
  nodes: program.nodes.map((node): ProgramNode => {
    if (node.kind !== "branch" || node.condition.kind !== "call" || !/^(?:__)?read_seqcount_retry$/.test(node.condition.name)) return node;
    const [place, seen] = node.condition.args;
    if (!place || !seen) return node;
    const now: Value = { kind: "call", name: "raw_read_seqcount", args: [place], at: node.condition.at, end: node.condition.end };
    return { ...node, condition: { kind: "binary", operator: "!=", left: now, right: seen, at: node.condition.at } };
  }),
});

/** Returns of 0 are seen: the caller is told that there is nothing. */
function withEmptyReturns(program: EffectProgram): EffectProgram {
  const zero = new Set(program.nodes.flatMap((node) => (node.kind === "assign" && node.operator === "=" && node.value?.kind === "number" && node.value.value === 0 ? [render(node.target)] : [])));
  return insertBefore(program, (node) => (node.kind === "return" && node.value?.kind === "name" && node.value.name.startsWith("$") && zero.has(node.value.name) ? [{ ...synthetic("", { kind: "maySleep" }), name: RETURNED }] : []));
}

function buildWalk(name: string, program: EffectProgram, release: Release, walk: NodeId, isWhole: boolean, isTold: boolean): BuiltModel | null {
  if (program.nodes[walk]?.kind !== "call") return null;
  const model = modelBuilder(name);
  const objects = objectsOf(model, release);
  const ready = withRetry(gated(isWhole ? program : withEmptyReturns(program)));
  const registers = (thread: ThreadBuilder): Walk => ({ ...objects, walk, program: ready, taken: thread.local("pinned page", 0, { hidden: true }), seen: thread.local("seq read", 0, { hidden: true }) });
  let made: Walk | null = null;
  const lifted = lift(model, ready, release, (thread) => walkWorld((made = registers(thread)), isWhole, isTold), { next: "handed" });
  const { taken } = made as unknown as Walk;
  lifted.thread.label("handed");
  const gives = lifted.thread.step({
    text: "the caller's device gets the page",
    alternatives: [{ guard: ne(taken, 0), effect: [assign(objects.device.page, taken)] }, { guard: eq(taken, 0), to: "END", note: "the slow path waits for mmap_lock" }],
  });
  for (const step of lifted.stepsOf.get(walk) ?? []) if (step === lifted.stepsOf.get(walk)?.[0]) model.reach(lifted.thread, step, "the walk");
  model.reach(lifted.thread, gives, "the function returns");
  addSurroundings(model, objects, true);
  return { model: model.finish(), assumptions: [...lifted.assumptions, "called for a FOLL_PIN | FOLL_WRITE reference"] };
}

const WALK_BOUNDS = "environment {fork, one store of the parent, device}, one private anonymous page, FOLL_PIN | FOLL_WRITE, SC";

/** FORK-3: the mm is told of pins when the page is taken already, or not at all. */
export const pinsNotedLate = (walk: NodeId): Experiment => {
  const noted = synthetic("mm_set_has_pinned_flag(&current->mm->flags)", { kind: "notesPins" });
  return {
    name: "pins-noted-late",
    primary: ["lost-dma"],
    secondary: [],
    bounds: WALK_BOUNDS,
    build: (program, release) => buildWalk("pins-noted-late", program, release, walk, true, false),
    fix: (program) => ({ title: "the mm is told of its pins before the walk (008cfe4418b3)", program: insertAtStart(program, [noted]) }),
    mutate: (fixed) => without(fixed, (node) => node.kind === "call" && node.at < 0 && node.effects.some(({ kind }) => kind === "notesPins")),
    wrongFixes: [],
  };
};

const READ: Value = { kind: "call", name: "raw_read_seqcount", args: [name("current->mm->write_protect_seq")], at: -1, end: -1 };

/** The counter read first of all, and again before every way out behind the walk. */
function guarded(program: EffectProgram, walk: NodeId): EffectProgram {
  const call = program.nodes[walk];
  if (call?.kind !== "call") return program;
  const nodes: ProgramNode[] = [...program.nodes];
  const add = (node: ProgramNode): NodeId => nodes.push(node) - 1;
  const gone = add({ ...synthetic("", { kind: "maySleep" }), name: RETURNED, next: program.exit });
  const unpin = add({ ...synthetic("unpin_user_pages_lockless(pages, nr)", { kind: "unpin", reference: "pin", pages: name("pages") }), next: gone });
  const retry = add({ kind: "branch", condition: { kind: "binary", operator: "!=", left: READ, right: name("$seq"), at: -1 }, negated: false, shown: "if (read_seqcount_retry(&mm->write_protect_seq, seq))", at: -1, end: -1, then: unpin, otherwise: program.exit });
  nodes[walk] = { ...call, next: retry };
  const odd = add({ kind: "branch", condition: { kind: "binary", operator: "&", left: name("$seq"), right: { kind: "number", value: 1, at: -1 }, at: -1 }, negated: false, at: -1, end: -1, then: program.exit, otherwise: walk });
  const entry = add({ kind: "assign", target: name("$seq"), operator: "=", value: READ, at: -1, end: -1, next: odd });
  return { ...program, nodes, entry };
}

/** Takes the second look out of the fixed walk again. */
const unguarded = (program: EffectProgram): EffectProgram => ({
  ...program,
  nodes: program.nodes.map((node): ProgramNode => (node.kind === "branch" && node.at < 0 && node.shown?.includes("read_seqcount_retry") ? { kind: "label", name: null, at: -1, next: node.otherwise } : node)),
});

/** FAST-3, FAST-4: the counter is read too late or again too early, or what was pinned is kept. */
export const walkBesideFork = (walk: NodeId): Experiment => ({
  name: "walk-beside-fork",
  primary: ["lost-dma", "leak"],
  secondary: [],
  bounds: WALK_BOUNDS,
  build: (program, release) => buildWalk("walk-beside-fork", program, release, walk, false, true),
  fix: (program) => ({ title: "write_protect_seq read before the walk, and again behind it (57efa1fe5957)", program: guarded(program, walk) }),
  mutate: unguarded,
  wrongFixes: [],
});

/** True where fork() and GUP-fast keep out of each other's way in the release. */
export const protectsPins = (release: Release): boolean => {
  const { forkProtection } = ERAS[gupEra(release)];
  return forkProtection === "early-copy-seqcount" || forkProtection === "exclusive";
};
