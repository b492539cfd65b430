// SPDX-License-Identifier: GPL-2.0-only
import type { CallNode, EffectProgram, ProgramNode } from "../program/program.ts";
import { render } from "../program/render.ts";
import type { Experiment } from "./experiment.ts";
import { buildInvalidation } from "./invalidation.ts";
import { DEVICE, KVM_GUEST, type Mirror } from "./mirror.ts";
import { rangeOf } from "./refused-invalidation.ts";
import { name } from "./rewrite.ts";

/*
 * What becomes of the value of a non-blocking start: where it was refused, the entries of the range must stay as they are.
 * The reference fix leaves the function there.
 */

const REFUSED = "$refused";
const mayBeRefused = (node: ProgramNode): node is CallNode => node.kind === "call" && node.effects.some((effect) => effect.kind === "notifierStart" && !effect.blocking);

/** Leaves the function where a non-blocking start was refused; the value goes where it went. */
export function leaveWhereRefused(program: EffectProgram): EffectProgram {
  const nodes: ProgramNode[] = [...program.nodes];
  program.nodes.forEach((node, id) => {
    if (!mayBeRefused(node)) return;
    const next = node.result === null ? node.next : nodes.push({ kind: "assign", target: name(node.result), operator: "=", value: name(REFUSED), at: -1, end: -1, next: node.next }) - 1;
    const left = nodes.push({ kind: "branch", condition: name(REFUSED), negated: false, shown: `if (refused) leave ${program.name}()`, at: -1, end: -1, then: program.exit, otherwise: next }) - 1;
    nodes[id] = { ...node, result: REFUSED, next: left };
  });
  return { ...program, nodes };
}

/** Goes on whatever the start returned. */
export const goOnWhereRefused = (fixed: EffectProgram): EffectProgram => ({
  ...fixed,
  nodes: fixed.nodes.map((node) => (node.kind === "branch" && node.at < 0 && render(node.condition) === REFUSED ? { kind: "label", name: null, at: -1, next: node.otherwise } : node)),
});

/** The entries of a range that a subscriber refused are changed all the same. In the OOM reaper no vCPU runs any more. */
export const changedAfterRefusal = (mirror: "guest" | "device"): Experiment => {
  const seen: Mirror = mirror === "guest" ? KVM_GUEST : DEVICE;
  return {
    name: "refused-invalidation",
    primary: ["stale-secondary-mapping"],
    secondary: ["notifier-imbalance"],
    bounds: `environment {interval subscriber that may refuse, ${seen.thread}}, loops unbounded, SC`,
    build(program, release) {
      const bound = rangeOf(program);
      return bound && buildInvalidation(program, release, { scenario: "refused-invalidation", entry: bound.entry, mirror: seen });
    },
    fix: (program) => ({ title: "the range is left alone where its start was refused", program: leaveWhereRefused(program) }),
    mutate: goOnWhereRefused,
    wrongFixes: [],
  };
};
