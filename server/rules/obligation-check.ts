// SPDX-License-Identifier: GPL-2.0-only
import type { CallNode, EffectProgram } from "../program/program.ts";
import { stepPlace } from "../program/place.ts";
import { obligationExperiment } from "../scenarios/obligation/experiment.ts";
import { isHandedOn } from "../scenarios/obligation/handed-on.ts";
import { nameOf, type ObligationKind } from "../scenarios/obligation/obligation.ts";
import { isPossible } from "../scenarios/obligation/possible.ts";
import { proofOf, type Proof } from "../scenarios/prove.ts";
import type { ScheduleRow } from "../scenarios/schedule.ts";
import { missingEndFixes } from "./fix/missing-end.ts";
import { surplusEndFixes } from "./fix/surplus-end.ts";
import type { At, Candidate, Fix, Site, Standing } from "./rule.ts";
import { calledPlace, isAffordable, placeOf } from "./rule.ts";
import { MAX_STATES } from "./budget.ts";

/** How a rule has its findings mended. */
export interface ObligationEdits {
  /** Edits that may mend it. Missing, or null: the end on a way that lacks it, or not on one that has two. */
  readonly mends?: (proof: Proof) => readonly Fix[] | null;
  /** The kind for an edited function, where it is made from the function. */
  readonly kindIn?: (program: EffectProgram) => ObligationKind;
}

/**
 * A rule that is an obligation: the call at the site begins something, and exploring the function shows a way on which it
 * is not ended as it must be. Exploring is the search itself, so there is no candidate that it does not prove: a way that
 * is only assumed is no finding. `at`: where the finding stands; missing: at the call.
 */
export function* checkObligation(ruleId: string, messageId: string, kind: ObligationKind, site: Site, at?: (proof: Proof) => At | null, { mends, kindIn = () => kind }: ObligationEdits = {}): Iterable<Candidate> {
  const { program, call, effect, target } = site;
  const role = kind.role(effect, call);
  if (role?.does !== "begin" || program.openEnd || !isAffordable(site)) return;
  const name = nameOf(role, call);
  if (name === null || (role.place === null && isHandedOn(program, name))) return;
  if (!isPossible(kind, { call, effect }, program)) return;
  const proof = proofOf(obligationExperiment(kind, { call, effect }), program, target.release, MAX_STATES);
  if (!proof || isBegunLater(kind, site, role.place, proof)) return;
  const place = at?.(proof) ?? calledPlace(program, call);
  yield {
    ruleId,
    messageId,
    data: { function: program.name, name, bad: proof.badState },
    place,
    related: call.inlined === undefined ? [] : [{ message: `${call.inlined}() begins it here`, place: placeOf(program, call) }],
    prove: () => proof,
    asked: (code) => askedOf(code, kindIn, site),
    fixes: () => mends?.(proof) ?? balancingFixes(program, call, (one) => one.effects.some((end) => kind.role(end, one)?.does === "end")),
  };
}

/** True where the failing schedule begins it at another call of the function last: exploring for that one shows the same. */
function isBegunLater(kind: ObligationKind, { program, call }: Site, place: string | null, { schedule }: Proof): boolean {
  const lastRow = (node: CallNode): number => schedule.findLastIndex((row) => isRowOf(program, node, row));
  const begins = (node: CallNode): boolean => node.effects.some((effect) => {
    const role = kind.role(effect, node);
    return role?.does === "begin" && role.place === place;
  });
  return place !== null && program.nodes.some((node) => node.kind === "call" && node.at >= 0 && node.at !== call.at && begins(node) && lastRow(node) > lastRow(call));
}

const isRowOf = (program: EffectProgram, node: CallNode, row: ScheduleRow): boolean => {
  const place = stepPlace(program.image, node.at);
  return place !== null && place.line === row.patchLine && (place.line !== null || place.fileLine === row.newLine) && row.step.startsWith(program.image.text.slice(node.at, node.end).split("\n")[0] ?? "");
};

/** An end more, or one less. */
const balancingFixes = (program: EffectProgram, call: CallNode, isEnd: (call: CallNode) => boolean): readonly Fix[] => [
  ...missingEndFixes(program, call, isEnd), ...surplusEndFixes(program, isEnd).map((fix) => ({ ...fix, isFallback: true as const })),
];

/** The same call in code that may have been edited. */
function askedOf(code: Standing, kindIn: (program: EffectProgram) => ObligationKind, { program, node, effect }: Site): ReturnType<NonNullable<Candidate["asked"]>> {
  const [there, id] = [code.program(program), code.node(program, node)];
  const call = there && id !== null ? there.nodes[id] : undefined;
  const same = call?.kind === "call" ? call.effects.find((one) => one.kind === effect.kind) : undefined;
  return there && call?.kind === "call" && same ? [{ experiment: obligationExperiment(kindIn(there), { call, effect: same }), program: there }] : null;
}

/** The call of the function at which its failing schedule ends; null: none is visible. */
export function lastCallNode(program: EffectProgram, proof: Proof): CallNode | null {
  const last = proof.schedule.at(-1);
  if (!last) return null;
  const node = program.nodes.find((one) => one.kind === "call" && one.at >= 0 && isRowOf(program, one, last));
  return node?.kind === "call" ? node : null;
}

/** The place of that call. */
export function lastCall(program: EffectProgram, proof: Proof): At | null {
  const node = lastCallNode(program, proof);
  return node && calledPlace(program, node);
}
