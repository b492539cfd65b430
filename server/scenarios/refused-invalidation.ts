// SPDX-License-Identifier: GPL-2.0-only
import type { Release } from "../kernel/release.ts";
import type { Value } from "../program/code.ts";
import type { BoundEffect, CallNode, EffectProgram, ProgramNode } from "../program/program.ts";
import { render } from "../program/render.ts";
import { entryPointers } from "./entries.ts";
import type { BuiltModel, Experiment } from "./experiment.ts";
import { buildInvalidation, clearedBy } from "./invalidation.ts";
import { KVM_GUEST } from "./mirror.ts";
import { rangePlace } from "./obligation/notifier-range.ts";
import { insertAtEnd, insertAtStart, without } from "./rewrite.ts";

/*
 * A subscriber refuses a non-blocking invalidation, the caller goes on all the same, and KVM's mapping goes stale.
 * `mn_itree_invalidate()` runs before the list of subscribers: an interval subscriber (i915, mlx5, amdgpu, ...) that
 * refuses ends the start with -EAGAIN before KVM was called (mm/mmu_notifier.c, __mmu_notifier_invalidate_range_start()).
 */

const BOUNDS = "environment {interval subscriber that may refuse, KVM vCPU}, loops unbounded, SC";

/** The range that a program starts without blocking, and the entry that it invalidates; null where none is found. */
export function rangeOf(program: EffectProgram): { range: string; entry: string } | null {
  const start = program.nodes.find(
    (node): node is CallNode => node.kind === "call" && node.effects.some((effect) => effect.kind === "notifierStart"),
  );
  const effect = start?.effects.find((one) => one.kind === "notifierStart");
  if (!effect) return null;
  const range = rangePlace(effect.range);
  const pointers = entryPointers(program);
  const cleared = new Set(program.nodes.flatMap((node) => (node.kind === "call" ? node.effects.flatMap((one) => clearedBy(one, pointers) ?? []) : [])));
  const candidates = pointers.entries.filter((one) => cleared.has(one.name));
  const init = initOf(program, range);
  const [address, mm] = init ? [render(init.start), render(init.mm)] : [null, null];
  const matching =
    candidates.find((one) => one.address === address && one.mm === mm) ??
    candidates.find((one) => one.address === address) ??
    candidates.find((one) => one.mm === mm) ??
    candidates[0];
  return matching ? { range, entry: matching.name } : null;
}

function initOf(program: EffectProgram, range: string): (BoundEffect & { kind: "notifierInit" }) | null {
  for (const node of program.nodes)
    if (node.kind === "call")
      for (const effect of node.effects) if (effect.kind === "notifierInit" && rangePlace(effect.range) === range) return effect;
  return null;
}

function build(program: EffectProgram, release: Release): BuiltModel | null {
  const bound = rangeOf(program);
  return bound && buildInvalidation(program, release, { scenario: "refused-invalidation", entry: bound.entry, mirror: KVM_GUEST });
}

const isStart = (node: ProgramNode): node is CallNode => node.kind === "call" && node.effects.some((effect) => effect.kind === "notifierStart");
const isEnd = (node: ProgramNode): node is CallNode => node.kind === "call" && node.effects.some((effect) => effect.kind === "notifierEnd");
const isInit = (node: ProgramNode): node is CallNode => node.kind === "call" && node.effects.some((effect) => effect.kind === "notifierInit");

/** The same call with the other kind of start; a blocking one has no value. */
function withBlocking(node: CallNode, blocking: boolean): CallNode {
  const name = blocking ? "mmu_notifier_invalidate_range_start" : "mmu_notifier_invalidate_range_start_nonblock";
  return {
    ...node,
    name,
    shown: `${name}(${node.args.map(render).join(", ")})`,
    effects: node.effects.map((effect) => (effect.kind === "notifierStart" ? { ...effect, blocking } : effect)),
  };
}

/** A blocking start in the place of the non-blocking one: what the name suggests and what does not work under a PTE map. */
export const blockingInPlace = (program: EffectProgram): EffectProgram => ({
  ...program,
  nodes: program.nodes.map((node) => (isStart(node) ? { ...withBlocking(node, true) } : node)),
});

/** Undoes the blocking of the reference fix: must fail again. */
export const nonblockingAgain = (program: EffectProgram): EffectProgram => ({
  ...program,
  nodes: program.nodes.map((node) => (isStart(node) ? withBlocking(node, false) : node)),
});

/**
 * Reference fix: one blocking start before anything is mapped or locked (above every label from which a map can be
 * reached again), one end as the last thing before each return, after the unmaps.
 */
export function hoistBlockingStart(program: EffectProgram): EffectProgram | null {
  const start = program.nodes.find(isStart);
  const init = program.nodes.find(isInit);
  const end = program.nodes.find(isEnd);
  if (!start || !init) return null;
  const shown = (node: CallNode): CallNode => ({ ...node, result: null, at: -1, end: -1, shown: `${node.name}(${node.args.map(render).join(", ")})` });
  const close = shown(end ?? { ...start, name: "mmu_notifier_invalidate_range_end", effects: [{ kind: "notifierEnd", range: rangeArgument(start) }] });
  const bare = without(program, (node) => isStart(node) || isEnd(node) || isInit(node));
  return insertAtStart(insertAtEnd(bare, [close]), [shown(init), shown(withBlocking(start, true))]);
}

function rangeArgument(start: CallNode): Value {
  const effect = start.effects.find((one) => one.kind === "notifierStart");
  if (effect?.kind !== "notifierStart") throw new Error("a start has its effect");
  return effect.range;
}

/** How the rule proves a dropped result. */
export const refusedInvalidation: Experiment = {
  name: "refused-invalidation",
  primary: ["stale-secondary-mapping"],
  secondary: ["notifier-imbalance", "sleep-in-atomic"],
  bounds: BOUNDS,
  build,
  fix: (program) => {
    const fixed = hoistBlockingStart(program);
    return fixed && { title: "blocking start before anything is mapped or locked, end after the last unmap", program: fixed };
  },
  mutate: nonblockingAgain,
  wrongFixes: [
    {
      title: "the blocking start in the same place",
      program: blockingInPlace,
    },
  ],
};

/** The result is looked at, but the range is ended although its start was refused: KVM sees an end too many. */
export const endAfterRefusal: Experiment = {
  ...refusedInvalidation,
  primary: ["notifier-imbalance"],
  secondary: ["stale-secondary-mapping", "sleep-in-atomic"],
};
