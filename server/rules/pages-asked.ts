// SPDX-License-Identifier: GPL-2.0-only
import type { CallNode, EffectProgram, NodeId } from "../program/program.ts";
import type { Experiment } from "../scenarios/experiment.ts";
import type { Asked } from "../scenarios/prove.ts";
import type { Site, Standing } from "./rule.ts";

/*
 * What the simulator is asked about pages of one call of GUP, in code that may have been edited: the same call, and the same
 * release of them.
 */

type At = Pick<Site, "program" | "node">;

/** Experiments about the call. */
export function askedOfCall({ program, node }: At, ...experiments: readonly ((node: NodeId, program: EffectProgram) => Experiment)[]): (code: Standing) => readonly Asked[] | null {
  return (code) => {
    const [there, at] = [code.program(program), code.node(program, node)];
    return there && at !== null ? experiments.map((experiment) => ({ experiment: experiment(at, there), program: there })) : null;
  };
}

/** One experiment about the call and another one that does something with its pages. */
export function askedOfPages({ program, node }: At, other: CallNode, experiment: (node: NodeId, other: CallNode) => Experiment): (code: Standing) => readonly Asked[] | null {
  const id = program.nodes.indexOf(other);
  return (code) => {
    const [there, at, otherAt] = [code.program(program), code.node(program, node), code.node(program, id)];
    const call = there && otherAt !== null ? there.nodes[otherAt] : undefined;
    return there && at !== null && call?.kind === "call" ? [{ experiment: experiment(at, call), program: there }] : null;
  };
}
