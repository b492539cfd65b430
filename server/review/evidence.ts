// SPDX-License-Identifier: GPL-2.0-only
import type { Proof } from "../scenarios/prove.ts";
import { isProved } from "../scenarios/prove.ts";
import type { Candidate } from "../rules/rule.ts";
import type { Evidence, Tier } from "./finding.ts";

/** What a proof looks like to everything that shows it. */
export function evidenceOf(proof: Proof): Evidence {
  return {
    scenario: proof.scenario,
    verdict: proof.verdict,
    property: proof.property,
    badState: proof.badState,
    states: proof.states,
    transitions: proof.transitions,
    bounds: proof.bounds,
    assumptions: [...proof.assumptions, ...proof.assumedBranches.map((branch) => `branch taken without justification: ${branch}`)],
    schedule: proof.schedule.map((step) => ({ thread: step.thread, step: step.step, patchLine: step.line, state: step.state })),
    fixed: proof.fixed,
    wrongFixes: proof.wrongFixes,
  };
}

/** `proved` only where the failing schedule and the fix were both explored and nothing unseen carries the finding. */
export const tierOf = (candidate: Candidate, proof: Proof | null): Tier =>
  proof !== null && isProved(proof) && candidate.asks !== true ? "proved" : "contract";
