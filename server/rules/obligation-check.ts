// SPDX-License-Identifier: GPL-2.0-only
import { obligationExperiment } from "../scenarios/obligation/experiment.ts";
import { isHandedOn } from "../scenarios/obligation/handed-on.ts";
import { nameOf, type ObligationKind } from "../scenarios/obligation/obligation.ts";
import { isPossible } from "../scenarios/obligation/possible.ts";
import { isProved, prove } from "../scenarios/prove.ts";
import type { Candidate, Site } from "./rule.ts";
import { isAffordable, placeOf } from "./rule.ts";

/** States of one function around one object: more means that the text was not understood. */
const MAX_STATES = 20_000;

/**
 * A rule that is an obligation: the call at the site begins something, and exploring the function shows a way on which it
 * is not ended as it must be. Exploring is the search itself, so there is no candidate that it does not prove: a way that
 * is only assumed is no finding.
 */
export function* checkObligation(ruleId: string, messageId: string, kind: ObligationKind, site: Site): Iterable<Candidate> {
  const { program, call, effect, target } = site;
  const role = kind.role(effect, call);
  if (role?.does !== "begin" || program.openEnd || !isAffordable(site)) return;
  const name = nameOf(role, call);
  if (name === null || (role.place === null && isHandedOn(program, name))) return;
  if (!isPossible(kind, { call, effect }, program)) return;
  const proof = prove(obligationExperiment(kind, { call, effect }), program, target.release, MAX_STATES);
  if (!isProved(proof)) return;
  yield {
    ruleId,
    messageId,
    data: { function: program.name, name, bad: proof.badState },
    place: placeOf(program, call),
    related: [],
    prove: () => proof,
  };
}
