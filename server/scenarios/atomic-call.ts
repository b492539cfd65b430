// SPDX-License-Identifier: GPL-2.0-only
import { factFor } from "../kernel/facts.ts";
import { spins } from "../kernel/lock-order.ts";
import type { Target } from "../kernel/target.ts";
import type { BoundEffect, CallNode, EffectProgram, NodeId } from "../program/program.ts";
import { render } from "../program/render.ts";
import { modelBuilder, type ThreadBuilder } from "../simulator/build.ts";
import { assign, increment } from "../simulator/effect.ts";
import type { Alternative, Assignment } from "../simulator/model.ts";
import { atomicContext, type Context, leaveIfEntered, mightSleep } from "../simulator/objects/context.ts";
import { handedSection } from "./atomic-handed.ts";
import { someIn } from "./doubt.ts";
import type { Experiment } from "./experiment.ts";
import { whereThere } from "./followed-pointers.ts";
import { lift } from "./lift.ts";
import { guessedNames, unseenNames } from "./obligation/guessed.ts";
import { insertBefore, synthetic, without } from "./rewrite.ts";
import type { LiftedStep, Lifting, World } from "./world.ts";

/*
 * A call that may sleep, in a section that must not: under a spinlock, in an RCU read-side section (a mapped entry is one
 * from 6.6 on, 146b42e07494), with interrupts or preemption off. One thread shows it: the section is entered where the
 * text enters it, and the call comes before its end.
 */

/** The calls that are looked at: they are known to sleep, whatever their arguments. */
export type Sleepers = (call: CallNode, node: NodeId) => boolean;

/** What the fix puts in front of the call. */
const LEFT = "leaves the section first";

/** Explores one function; the call of a fix that leaves the sections is the only one that is not in the text. */
export function atomicCall(sleepers: Sleepers, { release: asked, config }: Pick<Target, "release" | "config">): Experiment {
  const isLeft = (call: CallNode): boolean => call.at < 0 && call.shown === LEFT;
  return {
    name: "sleep-in-atomic",
    primary: ["sleep-in-atomic"],
    secondary: [],
    bounds: "one thread, every way through the function, loops unbounded",
    build(program, release) {
      const model = modelBuilder("sleep-in-atomic");
      const sites = program.nodes.flatMap((node, id) => (node.kind === "call" && sleepers(node, id) ? [id] : []));
      if (sites.length === 0) return null;
      const lifted = lift(model, program, release, (thread) => world(program, thread, sleepers, isLeft, { release: asked, config }));
      for (const id of sites) for (const step of lifted.stepsOf.get(id)?.slice(0, 1) ?? []) model.reach(lifted.thread, step, "the call that sleeps");
      return { model: model.finish(), assumptions: lifted.assumptions };
    },
    fix: (program) => ({
      title: "the section is left before the call",
      program: insertBefore(program, (node, id) => (node.kind === "call" && sleepers(node, id) ? [synthetic(LEFT, { kind: "leaveAtomic", reason: "preempt" })] : [])),
    }),
    mutate: (fixed) => without(fixed, (node) => node.kind === "call" && isLeft(node)),
    wrongFixes: [],
  };
}

/** How an effect changes the number of atomic sections that the thread is in; null: not at all. */
export type DepthOf = (effect: BoundEffect, call: CallNode) => "enter" | "leave" | null;

/** Whether a call maps or unmaps an entry by kmap_atomic() (HIGHPTE), in the configuration that is asked about. */
function mapsAtomically({ release, config }: Pick<Target, "release" | "config">, effect: BoundEffect, call: CallNode): boolean {
  if (effect.kind !== "mapPte" && effect.kind !== "unmapPte") return false;
  const fact = factFor(call.name, call.args.length, release)?.fact;
  const adds = (fact?.underConfig ?? []).flatMap((one) => (Object.entries(one.config).every(([symbol, value]) => config[symbol] === value) ? one.adds : []));
  return adds.some(({ kind }) => kind === "enterAtomic" || kind === "leaveAtomic");
}

/** With a configuration that the user set, more calls enter a section: kmap_atomic() behind a mapped entry (HIGHPTE). */
export const sectionsIn = (target: Pick<Target, "release" | "config">): DepthOf => (effect, call) =>
  sectionDepth(effect) ?? (mapsAtomically(target, effect, call) ? (effect.kind === "mapPte" ? "enter" : "leave") : null);

/** How many sections an effect enters or leaves: a mapped entry is one, and its lock another. */
export type TimesOf = (effect: BoundEffect, call: CallNode) => number;
export const timesIn = (target: Pick<Target, "release" | "config">): TimesOf => (effect, call) => {
  if (effect.kind !== "mapPte" && effect.kind !== "unmapPte") return 1;
  const isLock = effect.kind === "mapPte" ? effect.locks : effect.ptl !== null;
  return Number(effect.rcu || mapsAtomically(target, effect, call)) + Number(isLock);
};

/** Whatever the configuration is. */
export function sectionDepth(effect: BoundEffect): ReturnType<DepthOf> {
  switch (effect.kind) {
    case "acquire":
      return spins(effect.lock) ? "enter" : null;
    case "release":
      return spins(effect.lock) ? "leave" : null;
    case "lockEntryTable":
      return "enter";
    // Lazy MMU mode is left by whoever sleeps.
    case "enterAtomic":
      return effect.reason === "lazy_mmu" ? null : "enter";
    case "leaveAtomic":
      return effect.reason === "lazy_mmu" ? null : "leave";
    case "mapPte":
      return effect.rcu || effect.locks ? "enter" : null;
    case "unmapPte":
      return effect.rcu || effect.ptl !== null ? "leave" : null;
    case "consumes":
      return "leave";
    default:
      return null;
  }
}

function world(program: EffectProgram, thread: ThreadBuilder, sleepers: Sleepers, isLeft: (call: CallNode) => boolean, target: Pick<Target, "release" | "config">): World {
  const [depth, times] = [sectionsIn(target), timesIn(target)];
  const context = atomicContext(thread);
  const guessed = guessedNames(program);
  const hides = unseenNames(program);
  const ids = new Map(program.nodes.flatMap((node, id) => (node.kind === "call" ? [[node, id] as const] : [])));
  const sleeps = (call: CallNode): boolean => sleepers(call, ids.get(call) ?? -1);
  const counted = (call: CallNode): readonly BoundEffect[] => call.effects.filter((effect) => depth(effect, call) !== null);
  // All that a call does to the depth is one step: what its value decides, it decides for all of it.
  const changes = (effect: BoundEffect, call: CallNode, lifting: Lifting): LiftedStep[] =>
    effect !== counted(call)[0] ? [] : [isLeft(call) ? { alternatives: [{ effect: [assign(context, 0)] }] } : whereThere(counted(call).some(({ kind }) => kind === "acquire") ? call.args : [], lifting, change(counted(call), call, lifting, (one) => changed(times(one, call), depth(one, call), context)))];
  return {
    sees: (effect, call) => depth(effect, call) !== null || (sleeps(call) && effect === call.effects[0]),
    reads: () => [],
    refine: (effect, call, lifting) => [
      ...(sleeps(call) && effect === call.effects[0] ? [{ alternatives: [{ checks: [mightSleep(context, `${call.name}()`)] }] }] : []),
      ...changes(effect, call, lifting),
    ],
    place: () => null,
    meaning: () => null,
    // What is not visible may have left every section.
    unseen: () => [{ text: "sections", hidden: true, alternatives: [{ effect: [assign(context, 0)] }] }],
    decidedBy: (value) => someIn(value, (part) => guessed.has(render(part)) || hides(render(part))),
    hides,
    handed: handedSection(program, depth),
  };
}

const changed = (times: number, way: ReturnType<DepthOf>, context: Context): readonly Assignment[] =>
  Array.from({ length: times }, () => (way === "leave" ? leaveIfEntered(context) : increment(context)));

/** True where a value is asked for that has nothing to do with the sections: a lock or an entry that is always there is no NULL. */
const isFree = (effects: readonly BoundEffect[], call: CallNode, lifting: Lifting): boolean =>
  lifting.set(call.result, 1).length > 0 && !effects.some(({ kind }) => kind === "lockEntryTable" || kind === "mapPte");

/** The step of a call: with each of its values, what happens with that value. */
function change(effects: readonly BoundEffect[], call: CallNode, lifting: Lifting, changes: (effect: BoundEffect) => readonly Assignment[]): LiftedStep {
  const way = (value: 0 | 1): Alternative => ({
    effect: [...effects.filter((effect) => failureOf(effect) !== (value === 0 ? "zero" : "nonzero")).flatMap((effect) => [...changes(effect), ...lockOf(effect, lifting)]), ...lifting.set(call.result, value)],
  });
  const failure = effects.map(failureOf).find((one) => one !== null);
  if (failure === undefined) return { alternatives: isFree(effects, call, lifting) ? [way(1), way(0)] : [way(1)] };
  const [entered, not]: readonly (0 | 1)[] = failure === "nonzero" ? [0, 1] : [1, 0];
  return { alternatives: [{ ...way(entered ?? 1), note: "entered" }, { ...way(not ?? 0), note: "not entered" }] };
}

/** The lock of a mapped entry is there, for whoever takes it through the variable that names it. */
const lockOf = (effect: BoundEffect, lifting: Lifting): readonly Assignment[] =>
  effect.kind === "mapPte" && effect.ptlOut?.kind === "unary" && effect.ptlOut.operator === "&" ? lifting.set(render(effect.ptlOut.of), 1) : [];

/** Value of the call where the section was not entered; null: it always is. */
export function failureOf(effect: BoundEffect): "zero" | "nonzero" | null {
  if (effect.kind === "mapPte") return !effect.mayFail ? null : effect.pteOut ? "nonzero" : "zero";
  const held = "held" in effect ? effect.held : undefined;
  return held === undefined || held === "always" ? null : held === "zero" ? "nonzero" : "zero";
}
