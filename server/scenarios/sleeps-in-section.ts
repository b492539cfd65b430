// SPDX-License-Identifier: GPL-2.0-only
import type { Release } from "../kernel/release.ts";
import type { BoundEffect, CallNode, EffectProgram, NodeId } from "../program/program.ts";
import { render } from "../program/render.ts";
import { modelBuilder, type ThreadBuilder } from "../simulator/build.ts";
import { assign, decrement, increment } from "../simulator/effect.ts";
import { eq, gt, type Field } from "../simulator/expression.ts";
import type { Alternative } from "../simulator/model.ts";
import { atomicContext, mightSleep } from "../simulator/objects/context.ts";
import { someIn } from "./doubt.ts";
import type { BuiltModel, Experiment } from "./experiment.ts";
import { lift } from "./lift.ts";
import { guessedNames } from "./obligation/guessed.ts";
import { insertBefore, synthetic, without } from "./rewrite.ts";
import type { LiftedStep, Lifting, World } from "./world.ts";

/*
 * One call that may sleep, and the sections of its own function in which nothing may: spin locks, page-table locks, RCU,
 * interrupts or preemption off.
 */

type Section = BoundEffect & { kind: "acquire" | "release" | "enterAtomic" | "leaveAtomic" };

const isSection = (effect: BoundEffect): effect is Section =>
  effect.kind === "enterAtomic" || effect.kind === "leaveAtomic" || ((effect.kind === "acquire" || effect.kind === "release") && (effect.lock === "spinlock" || effect.lock === "ptl"));

const LEFT = "the section is left for the call";
const ENTERED = "and entered again";

interface Depth {
  readonly depth: Field;
  /** Depth to go back to. */
  readonly before: Field;
}

function world(program: EffectProgram, node: NodeId, why: string, thread: ThreadBuilder): World {
  const fields: Depth = { depth: atomicContext(thread), before: thread.local("depth before", 0, { hidden: true }) };
  const site = program.nodes[node];
  const guessed = guessedNames(program);
  const isSite = (call: CallNode): boolean => site?.kind === "call" && call.at === site.at && call.at >= 0;
  const isAround = (call: CallNode): boolean => call.at < 0 && (call.name === LEFT || call.name === ENTERED);
  return {
    sees: (effect, call) => isAround(call) || isSection(effect) || (isSite(call) && effect === call.effects.at(-1)),
    reads: () => [],
    refine(effect, call, lifting) {
      if (isAround(call)) return [call.name === LEFT ? { alternatives: [{ effect: [assign(fields.before, fields.depth), assign(fields.depth, 0)] }] } : { alternatives: [{ effect: [assign(fields.depth, fields.before)] }] }];
      if (isSection(effect)) return [section(effect, call, lifting, fields.depth)];
      const results = [1, 0].map((value): Alternative => ({ checks: [mightSleep(fields.depth, why)], effect: lifting.set(call.result, value) }));
      return [{ alternatives: lifting.set(call.result, 1).length > 0 ? results : results.slice(0, 1) }];
    },
    place: () => null,
    meaning: () => null,
    unseen: () => [{ text: "sections", hidden: true, alternatives: [{ effect: [assign(fields.depth, 0)] }] }],
    decidedBy: (value) => someIn(value, (part) => guessed.has(render(part))),
    // A callee that is not known may end the section.
    handed: (call) => (/lock|preempt|irq|rcu|atomic/.test(call.name) ? call.name : null),
  };
}

function section(effect: Section, call: CallNode, lifting: Lifting, depth: Field): LiftedStep {
  switch (effect.kind) {
    case "acquire":
    case "enterAtomic": {
      const held = effect.held ?? "always";
      const taken: Alternative = { effect: [increment(depth), ...lifting.set(call.result, held === "zero" ? 0 : 1)] };
      return { alternatives: held === "always" ? [{ effect: [increment(depth)] }] : [taken, { effect: lifting.set(call.result, held === "zero" ? 1 : 0), note: "not taken" }] };
    }
    default:
      return { alternatives: [{ guard: gt(depth, 0), effect: [decrement(depth)] }, { guard: eq(depth, 0) }] };
  }
}

/** The call at the node sleeps in a section of its function. `why`: the call, in the words of the check. */
export function sleepsInSection(node: NodeId, why: string): Experiment {
  const name = "sleeps-in-section";
  const around = (words: string) => ({ ...synthetic("", { kind: "maySleep" }), name: words, shown: words });
  return {
    name,
    primary: ["sleep-in-atomic"],
    secondary: [],
    bounds: "one thread, every way through the function, loops unbounded",
    build(program: EffectProgram, release: Release): BuiltModel | null {
      const model = modelBuilder(name);
      const lifted = lift(model, program, release, (thread) => world(program, node, why, thread));
      const [first] = lifted.stepsOf.get(node) ?? [];
      if (first === undefined) return null;
      model.reach(lifted.thread, first, "the call");
      return { model: model.finish(), assumptions: lifted.assumptions };
    },
    fix(program) {
      const call = program.nodes[node];
      if (call?.kind !== "call") return null;
      const nodes = [...program.nodes];
      const entered = nodes.push({ ...around(ENTERED), next: call.next }) - 1;
      nodes[node] = { ...call, next: entered };
      return { title: `${call.name}() outside of the section`, program: insertBefore({ ...program, nodes }, (_, id) => (id === node ? [around(LEFT)] : [])) };
    },
    mutate: (fixed) => without(fixed, (one) => one.kind === "call" && one.at < 0 && (one.name === LEFT || one.name === ENTERED)),
    wrongFixes: [],
  };
}
