// SPDX-License-Identifier: GPL-2.0-only
import type { Proof } from "../scenarios/prove.ts";
import { isProved } from "../scenarios/prove.ts";
import type { Candidate } from "../rules/rule.ts";
import type { Evidence, Tier } from "./finding.ts";

/** What a proof looks like to everything that shows it. */
export function evidenceOf({ assumedBranches, assumptions, ...proof }: Proof): Evidence {
  return { ...proof, assumptions: [...assumptions, ...assumedBranches.map((branch) => `branch taken without justification: ${branch}`)] };
}

/** `proved` only where the failing schedule and the fix were both explored and nothing unseen carries the finding. */
export const tierOf = (candidate: Candidate, proof: Proof | null): Tier =>
  proof !== null && isProved(proof) && candidate.asks !== true ? "proved" : "contract";
