// SPDX-License-Identifier: GPL-2.0-only
import type { Experiment } from "../scenarios/experiment.ts";
import { proofOf, prove } from "../scenarios/prove.ts";
import { placeOf, type At, type Candidate, type Site } from "./rule.ts";

/*
 * For rules about decisions and orders: nothing but a schedule says that one is wrong, so that there is a candidate only where
 * there is a proof. It is found twice; models that were explored are remembered.
 */

/** States of a question that is worth a finding: the models have some hundreds to some thousands. */
const MAX_STATES = 40_000;

export const proved = (experiment: Experiment, site: Site): boolean => provenProperty(experiment, site) !== null;

/** The property that is violated for certain, or null. */
export const provenProperty = (experiment: Experiment, { program, target }: Site): string | null =>
  proofOf(experiment, program, target.release, MAX_STATES)?.property ?? null;

/** Where the beginning of the function is not visible, it may decide before: never above `contract`. */
export const provedCandidate = (
  { program, target, call }: Site,
  ruleId: string,
  messageId: string,
  data: Candidate["data"],
  experiment: Experiment,
  place: At = placeOf(program, call),
): Candidate => ({
  ruleId, messageId, data, place, related: [],
  prove: (max) => prove(experiment, program, target.release, max),
  ...(program.openStart ? { asks: true } : {}),
});
