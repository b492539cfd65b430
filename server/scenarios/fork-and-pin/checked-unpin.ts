// SPDX-License-Identifier: GPL-2.0-only
import { nameIn } from "../../kernel/mechanism.ts";
import type { Release } from "../../kernel/release.ts";
import type { BoundEffect, CallNode, EffectProgram, NodeId, ProgramNode } from "../../program/program.ts";
import { render } from "../../program/render.ts";
import type { Experiment } from "../experiment.ts";
import { buildWalk, WALK_BOUNDS } from "./walk.ts";

type Unpin = BoundEffect & { kind: "unpin" };

const isUnpin = (effect: BoundEffect): effect is Unpin => effect.kind === "unpin";

/** True for a release that asks whether the pages are exclusive. */
export const checksPages = (call: CallNode): boolean => call.effects.some((effect) => isUnpin(effect) && effect.asserts !== undefined);

const inCalls = (program: EffectProgram, change: (call: CallNode) => CallNode): EffectProgram => ({
  ...program,
  nodes: program.nodes.map((node): ProgramNode => (node.kind === "call" ? change(node) : node)),
});

const withEffects = (call: CallNode, change: (effect: Unpin) => Unpin): CallNode => ({ ...call, effects: call.effects.map((effect) => (isUnpin(effect) ? change(effect) : effect)) });

/** The unchecked release in the place of a checked one; `callee`: what it is called in the release. */
function unchecked(call: CallNode, callee: string): CallNode {
  const { asserts: _, ...unpin } = call.effects.find(isUnpin) ?? { kind: "unpin", reference: "pin", pages: call.args[0] };
  return { ...withEffects(call, () => unpin), shown: `${callee}(${call.args.slice(0, 2).map(render).join(", ")})` };
}

/** FAST-3: what was pinned while fork() was at work is given back by a call that takes it for exclusive (b6a2619c60b4, 5.19). */
export function checkedUnpin(walk: NodeId, release: Release): Experiment {
  const callee = nameIn("release-beside-fork", release);
  return {
    name: "checked-unpin",
    primary: ["bug-on"],
    secondary: ["lost-dma", "leak"],
    bounds: WALK_BOUNDS,
    build: (program, target) => buildWalk("checked-unpin", program, target, walk, false, true),
    fix: (program) => ({ title: `${callee}(): the pages may be shared by now`, program: inCalls(program, (call) => (checksPages(call) ? unchecked(call, callee) : call)) }),
    mutate: (fixed) => inCalls(fixed, (call) => (call.shown?.startsWith(callee) ? withEffects(call, (effect) => ({ ...effect, asserts: "exclusive" })) : call)),
    wrongFixes: [],
  };
}
