// SPDX-License-Identifier: GPL-2.0-only
import type { Value } from "../../program/code.ts";
import { successors, type BoundEffect, type CallNode, type EffectProgram, type NodeId, type ProgramNode } from "../../program/program.ts";
import { render } from "../../program/render.ts";
import { modelBuilder } from "../../simulator/build.ts";
import { assign } from "../../simulator/effect.ts";
import { eq } from "../../simulator/expression.ts";
import { someIn } from "../doubt.ts";
import type { BuiltModel, Experiment } from "../experiment.ts";
import { lift } from "../lift.ts";
import type { World } from "../world.ts";
import { addPin, addSurroundings, gated, isGate, objectsOf, type Objects } from "./surroundings.ts";

/*
 * A function makes an mm forget that it has pins. Nobody knows when the last pin of an mm is gone: pages are given back without
 * their mm (include/linux/sched/coredump.h:77-83, 6.1.192: "never cleared").
 */

const FLAG = "MMF_HAS_PINNED";

/** What a call makes of MMF_HAS_PINNED; null: nothing. */
export function pinFlagAfter(effect: BoundEffect): "set" | "clear" | null {
  if (effect.kind === "notesPins") return "set";
  return effect.kind === "changesBit" && render(effect.bit) === FLAG ? effect.to : null;
}

const USES = new Set<BoundEffect["kind"]>(["gup", "unpin", "gupFastWalk", "notesPins"]);

/** True for an mm that may have pins: the current one, or that of a function which pins or unpins. A new one has none. */
function mayHavePins(program: EffectProgram, word: Value): boolean {
  const text = render(word);
  if (/dst|child|new|init/.test(text)) return false;
  const isCurrent = (mm: string): boolean =>
    mm.startsWith("current->mm") || program.nodes.some((node) => node.kind === "assign" && node.value && render(node.target) === mm && render(node.value) === "current->mm");
  return isCurrent(text.replace(/^&/, "")) || isCurrent(/^&?(\w+)->/.exec(text)?.[1] ?? "") || program.nodes.some((node) => node.kind === "call" && node.effects.some(({ kind }) => USES.has(kind)));
}

/** True where the flag of an mm that may have pins is cleared, and not set again. */
export function forgetsPins(program: EffectProgram, node: NodeId): boolean {
  const call = program.nodes[node];
  if (call?.kind !== "call") return false;
  const clears = call.effects.some((effect) => effect.kind === "changesBit" && pinFlagAfter(effect) === "clear" && mayHavePins(program, effect.word));
  return clears && !setBehind(program, call.next);
}

function setBehind(program: EffectProgram, from: NodeId): boolean {
  const seen = new Set<NodeId>();
  for (const work = [from]; work.length > 0; ) {
    const id = work.pop() ?? from;
    const node = program.nodes[id];
    if (!node || seen.has(id)) continue;
    seen.add(id);
    if (node.kind === "call" && node.effects.some((effect) => pinFlagAfter(effect) === "set")) return true;
    work.push(...successors(node));
  }
  return false;
}

/** A count of pins, kept by whoever may know; what a call of GUP returned is none. */
const countsPins = (value: Value, names: ReadonlySet<string>): boolean =>
  someIn(value, (part) => (part.kind === "name" && names.has(part.name)) || (part.kind === "member" && /pin/i.test(part.field)) || (part.kind === "call" && /pinned|has_pin|pins/i.test(part.name)));

const world = ({ a }: Objects, call: CallNode): World => ({
  sees: (effect, node) => isGate(node) || (node.at === call.at && pinFlagAfter(effect) === "clear"),
  reads: () => [],
  refine(_effect, node, lifting) {
    if (isGate(node)) return [{ alternatives: [{ guard: eq(a.hasPinned, 1) }], hidden: true }];
    // The value of a call that returns the bit is what it was.
    return [{ alternatives: [{ effect: [...lifting.set(node.result, a.hasPinned), assign(a.hasPinned, 0)] }] }];
  },
  place: () => null,
  meaning: () => null,
  decidedBy: countsPins,
});

const inPlace = (program: EffectProgram, call: CallNode, change: (node: CallNode) => CallNode): EffectProgram => ({
  ...program,
  nodes: program.nodes.map((node): ProgramNode => (node.kind === "call" && node.at === call.at && node.name === call.name ? change(node) : node)),
});

/** FORK-3: the mm is made to forget that it has pins. */
export const pinsForgotten = (node: NodeId, call: CallNode): Experiment => ({
  name: "pins-forgotten",
  primary: ["lost-dma"],
  secondary: [],
  bounds: "environment {pin_user_pages(FOLL_WRITE), fork, one store of the parent, device}, one private anonymous page, SC",
  build(program, release): BuiltModel | null {
    const model = modelBuilder("pins-forgotten");
    const objects = objectsOf(model, release);
    const lifted = lift(model, gated(program), release, () => world(objects, call));
    for (const step of lifted.stepsOf.get(node) ?? []) model.reach(lifted.thread, step, "the call");
    addPin(model, objects);
    addSurroundings(model, objects, true);
    return { model: model.finish(), assumptions: lifted.assumptions };
  },
  fix: (program) => ({ title: `${FLAG} stays as it is (008cfe4418b3)`, program: inPlace(program, call, (one) => ({ ...one, effects: [] })) }),
  mutate: (fixed) => inPlace(fixed, call, (one) => ({ ...one, effects: call.effects })),
  wrongFixes: [],
});
