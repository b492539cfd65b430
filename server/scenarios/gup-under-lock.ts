// SPDX-License-Identifier: GPL-2.0-only
import type { Release } from "../kernel/release.ts";
import type { BoundEffect, CallNode, EffectProgram, NodeId } from "../program/program.ts";
import { render } from "../program/render.ts";
import { modelBuilder, type ModelBuilder } from "../simulator/build.ts";
import { assign } from "../simulator/effect.ts";
import { eq, ne, or, type Field } from "../simulator/expression.ts";
import type { Alternative } from "../simulator/model.ts";
import { acquireWrite, downReadFair, fairRwsem, queueWrite, upReadFair, upWriteFair, type FairRwsem } from "../simulator/objects/fair-rwsem.ts";
import { upRead, upWrite } from "../simulator/objects/rwsem.ts";
import { someIn } from "./doubt.ts";
import type { BuiltModel, Experiment } from "./experiment.ts";
import { lift, type LiftedThread } from "./lift.ts";
import { guessedNames } from "./obligation/guessed.ts";
import { insertBefore, synthetic, without } from "./rewrite.ts";
import type { LiftedStep, Lifting, World } from "./world.ts";

/*
 * GUP and mmap_lock: the plain and remote forms walk VMAs that only the lock keeps, the fast and unlocked ones take the lock
 * themselves, and wait for it where a writer is queued. mm/gup.c:2280-2370,3040-3070 (6.1.192).
 */

interface Objects {
  readonly lock: FairRwsem;
  /** What the thread under review holds: nothing, for reading, for writing. */
  readonly mine: Field;
  /** 1 once the function has done what nobody may do who holds the lock. */
  readonly free: Field;
  readonly vma: Field;
  /** 1 while GUP works with the VMA. */
  readonly walking: Field;
}

const READ = 1;
const WRITE = 2;

const objectsOf = (model: ModelBuilder): Objects => ({
  lock: fairRwsem(model, "mmap_lock"),
  mine: model.field("held here", 0, { hidden: true }),
  free: model.field("caller holds nothing", 0, { hidden: true }),
  vma: model.field("VMA", 1, { labels: { 0: "freed", 1: "mapped" } }),
  walking: model.field("VMA found", 0, { hidden: true }),
});

/** Which form is looked at, and how it is used wrongly. */
export type LockMisuse = "not-held" | "taken-again";

type LockEffect = BoundEffect & { kind: "acquire" | "release"; lock: "mmap_lock" };

const isLockEffect = (effect: BoundEffect): effect is LockEffect => (effect.kind === "acquire" || effect.kind === "release") && effect.lock === "mmap_lock";

/** True for what deadlocks where mmap_lock is held already: it was not. */
const excludesLock = (effect: BoundEffect): boolean => effect.kind === "requiresNotHeld" && effect.lock === "mmap_lock";

const ADDED_LOCK = "mmap_read_lock(mm) around the call";
const ADDED_UNLOCK = "mmap_read_unlock(mm)";

function world(program: EffectProgram, node: NodeId, misuse: LockMisuse, objects: Objects): World {
  const site = program.nodes[node];
  const guessed = guessedNames(program);
  const isSite = (effect: BoundEffect, call: CallNode): boolean => effect.kind === "gup" && call.at === (site?.kind === "call" ? site.at : -2) && call.at >= 0;
  return {
    sees: (effect, call) => isSite(effect, call) || isLockEffect(effect) || (excludesLock(effect) && !isSite({ ...effect, kind: "gup" } as BoundEffect, call)),
    reads: () => [],
    refine(effect, call, lifting) {
      if (isLockEffect(effect)) return [effect.kind === "acquire" ? taking(effect, call, lifting, objects) : releasing(objects)];
      if (effect.kind === "gup") return effect.form === "fast" || effect.form === "unlocked" ? takingItself(effect.form, call, lifting, objects) : walking(call, lifting, objects, misuse);
      return [{ hidden: true, alternatives: [{ effect: [assign(objects.free, 1), ...lifting.set(call.result, 0)] }, { effect: [assign(objects.free, 1), ...lifting.set(call.result, 1)] }] }];
    },
    place: () => null,
    meaning: () => null,
    unseen: () => [{ text: "mmap_lock", hidden: true, alternatives: [{ effect: [assign(objects.free, 0)] }] }],
    decidedBy: (value) => someIn(value, (part) => guessed.has(render(part))),
    // Whoever is handed an address space may take its lock, or give it up.
    handed: (call) => (/lock/.test(call.name) ? call.name : (call.args.map(render).find((arg) => /\bmm\b|vma/.test(arg)) ?? null)),
  };
}

function taking({ mode, held }: LockEffect & { kind: "acquire" | "release" } & { held?: "always" | "nonzero" | "zero" }, call: CallNode, lifting: Lifting, { lock, mine, free }: Objects): LiftedStep {
  const isRead = mode === "read";
  const part = isRead ? downReadFair(lock) : { ...acquireDirectly(lock) };
  const result = held === "nonzero" ? 1 : 0;
  const got = part.alternatives.map((one): Alternative => ({ ...one, effect: [...(one.effect ?? []), assign(mine, isRead ? READ : WRITE), assign(free, 1), ...lifting.set(call.result, result)] }));
  const failed: Alternative = { effect: [...lifting.set(call.result, 1 - result)], note: held === "nonzero" ? "busy" : "a signal" };
  return { ...part, alternatives: held === undefined || held === "always" ? got : [...got, failed] };
}

/** The thread under review needs no place in the queue: who waits behind it shows nothing. */
const acquireDirectly = ({ state }: FairRwsem) => ({ alternatives: [{ guard: eq(state, 0), effect: [assign(state, 255)] }], acquires: [{ lock: state, name: state.name }] });

/** What was not taken here is a caller's, and none of the model's business. */
function releasing({ lock, mine }: Objects): LiftedStep {
  const give = (how: number, part: ReturnType<typeof upRead>): Alternative[] =>
    part.alternatives.map((one) => ({ ...one, checks: [], guard: eq(mine, how), effect: [...(one.effect ?? []), assign(mine, 0)] }));
  return { alternatives: [...give(READ, upRead(lock.state)), ...give(WRITE, upWrite(lock.state)), { guard: eq(mine, 0) }], releases: [{ lock: lock.state }] };
}

/** The fast walk needs nothing; what it does not find is faulted in under the lock. */
function takingItself(form: "fast" | "unlocked", call: CallNode, lifting: Lifting, { lock }: Objects): LiftedStep[] {
  const done = lifting.label("done");
  const results = [1, 0].map((value) => lifting.set(call.result, value));
  const part = downReadFair(lock);
  return [
    ...(form === "fast" ? [{ text: `${call.name}(): walks the page tables`, alternatives: [{ note: "a page is missing" }, ...results.map((effect): Alternative => ({ effect, to: done, note: "all pages are there" }))] }] : []),
    { text: `${call.name}(): takes mmap_lock for reading`, ...part },
    { text: `${call.name}(): gives mmap_lock up`, alternatives: results.flatMap((effect) => upReadFair(lock).alternatives.map((one) => ({ ...one, effect: [...(one.effect ?? []), ...effect] }))), releases: [{ lock: lock.state }] },
    { label: done, hidden: true, alternatives: [{}] },
  ];
}

/** Finds the VMA, then works with it. */
function walking(call: CallNode, lifting: Lifting, { mine, free, vma, walking: found }: Objects, misuse: LockMisuse): LiftedStep[] {
  const holds = or(eq(found, 0), eq(vma, 1), ne(mine, 0), eq(free, 0));
  const checks = misuse === "not-held" ? [{ holds, property: "uaf", message: `${call.name}() works with a VMA that munmap() has freed: only mmap_lock keeps it` }] : [];
  const results = [1, 0].map((value) => lifting.set(call.result, value));
  return [
    { text: `${call.name}(): looks the VMA up`, alternatives: [{ effect: [assign(found, vma)] }] },
    { alternatives: results.map((effect) => ({ checks, effect: [assign(found, 0), ...effect], note: "walks the VMA" })) },
  ];
}

function addMunmap(model: ModelBuilder, { lock, vma }: Objects): void {
  const thread = model.thread("another thread of the process", "environment");
  thread.step({ text: "munmap(): mmap_write_lock(), queued", ...queueWrite(lock) });
  thread.step({ text: "munmap(): has mmap_lock", ...acquireWrite(lock) });
  thread.step({ text: "munmap(): the VMA is freed", effect: [assign(vma, 0)] });
  thread.step({ text: "munmap(): mmap_write_unlock()", ...upWriteFair(lock) });
}

function build(name: string, node: NodeId, misuse: LockMisuse, program: EffectProgram, release: Release): BuiltModel | null {
  const model = modelBuilder(name);
  const objects = objectsOf(model);
  const lifted: LiftedThread = lift(model, program, release, () => world(program, node, misuse, objects));
  const [first] = lifted.stepsOf.get(node) ?? [];
  if (first === undefined) return null;
  model.reach(lifted.thread, first, "the call");
  addMunmap(model, objects);
  return { model: model.finish(), assumptions: lifted.assumptions };
}

/** A form that needs mmap_lock, called without it. */
export function gupWithoutLock(node: NodeId): Experiment {
  const name = "gup-without-mmap-lock";
  const lockCall = { ...synthetic("", { kind: "acquire", lock: "mmap_lock", object: null, mode: "read", sleeps: true, held: "always" }), name: ADDED_LOCK, shown: ADDED_LOCK };
  const unlockCall = { ...synthetic("", { kind: "release", lock: "mmap_lock", object: null, mode: "read" }), name: ADDED_UNLOCK, shown: ADDED_UNLOCK };
  return {
    name,
    primary: ["uaf"],
    secondary: ["deadlock"],
    bounds: "environment {one munmap() of another thread}, loops unbounded, SC",
    build: (program, release) => build(name, node, "not-held", program, release),
    fix(program) {
      const call = program.nodes[node];
      const next = call?.kind === "call" ? call.next : null;
      if (next === null) return null;
      const nodes = [...program.nodes];
      const unlock = nodes.push({ ...unlockCall, next }) - 1;
      nodes[node] = { ...(call as CallNode), next: unlock };
      return { title: ADDED_LOCK, program: insertBefore({ ...program, nodes }, (_, id) => (id === node ? [lockCall] : [])) };
    },
    mutate: (fixed) => without(fixed, (one) => one.kind === "call" && one.at < 0 && (one.name === ADDED_LOCK || one.name === ADDED_UNLOCK)),
    wrongFixes: [],
  };
}

/** A form that takes mmap_lock, called with it. */
export function gupTakesLockAgain(node: NodeId, original: EffectProgram): Experiment {
  const name = "gup-takes-mmap-lock-again";
  const plain = (call: CallNode): string => call.name.replace(/_(?:fast|unlocked)$/, "");
  const change = (program: EffectProgram): EffectProgram => ({
    ...program,
    nodes: program.nodes.map((one, id) => (id === node && one.kind === "call" ? { ...one, name: plain(one), shown: `${plain(one)}()`, effects: one.effects.flatMap((effect): BoundEffect[] => (effect.kind === "gup" ? [{ ...effect, form: "plain" }] : excludesLock(effect) ? [] : [effect])) } : one)),
  });
  return {
    name,
    primary: ["deadlock"],
    secondary: [],
    bounds: "environment {one munmap() of another thread}, loops unbounded, SC",
    build: (program, release) => build(name, node, "taken-again", program, release),
    fix(program) {
      const call = program.nodes[node];
      return call?.kind === "call" ? { title: `${plain(call)}(), which is called with the lock held`, program: change(program) } : null;
    },
    mutate: (fixed) => ({ ...fixed, nodes: fixed.nodes.map((one, id) => (id === node ? (original.nodes[id] ?? one) : one)) }),
    wrongFixes: [],
  };
}

