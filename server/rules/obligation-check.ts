// SPDX-License-Identifier: GPL-2.0-only
import type { CallNode, EffectProgram } from "../program/program.ts";
import { rowAt } from "../program/place.ts";
import { obligationExperiment } from "../scenarios/obligation/experiment.ts";
import { isHandedOn, namesOf, pointerOf } from "../scenarios/obligation/handed-on.ts";
import { nameOf, type ObligationKind } from "../scenarios/obligation/obligation.ts";
import { isPossible } from "../scenarios/obligation/possible.ts";
import { proofOf, type Proof } from "../scenarios/prove.ts";
import type { ScheduleRow } from "../scenarios/schedule.ts";
import { render } from "../program/render.ts";
import { missingEndFixes } from "./fix/missing-end.ts";
import { surplusEndFixes } from "./fix/surplus-end.ts";
import { isOnRow, returnAt, shownCalls } from "./shown-calls.ts";
import type { At, Candidate, Fix, Site, Standing } from "./rule.ts";
import { calledPlace, isAffordable, placeOf } from "./rule.ts";
import { wayOut } from "./way-out.ts";
import { MAX_STATES } from "./budget.ts";

/** How a rule has its findings mended. */
export interface ObligationEdits {
  /** Edits that may mend it. Missing, or null: the end on a way that lacks it, or not on one that has two. */
  readonly mends?: (proof: Proof) => readonly Fix[] | null;
  /** The kind for an edited function, where it is made from the function. */
  readonly kindIn?: (program: EffectProgram) => ObligationKind;
  /** What is said of the call that begins it. Missing: its state from then on. */
  readonly begun?: string;
}

/** What is wrong on a way, as an obligation has it. */
export type Wrong = "leftOpen" | "endedTwice" | "endedRefused" | "endedUnbegun" | "begunAgain" | "renewedOpen" | "usedAfter" | "missed";
const WRONGS: readonly Wrong[] = ["leftOpen", "endedTwice", "endedRefused", "endedUnbegun", "begunAgain", "renewedOpen", "usedAfter", "missed"];

/** What a proof shows of the thing of that name. */
const wrongOf = (kind: ObligationKind, name: string, { badState }: Proof): Wrong => WRONGS.find((one) => kind[one]?.message(name) === badState) ?? "leftOpen";

/** The message for what is wrong: one for all, or one for each, with one for the rest. */
export type MessageIds = string | (Readonly<Partial<Record<Wrong, string>>> & { readonly otherwise: string });
const messageIdOf = (ids: MessageIds, wrong: Wrong): string => (typeof ids === "string" ? ids : (ids[wrong] ?? ids.otherwise));

/**
 * A rule that is an obligation: the call at the site begins something, and exploring the function shows a way on which it
 * is not ended as it must be. Exploring is the search itself, so there is no candidate that it does not prove: a way that
 * is only assumed is no finding. `at`: where the finding stands; missing: at the call.
 */
export function* checkObligation(ruleId: string, messageIds: MessageIds, kind: ObligationKind, site: Site, at?: (proof: Proof, wrong: Wrong) => At | null, { mends, kindIn = () => kind, begun = kind.states.open }: ObligationEdits = {}): Iterable<Candidate> {
  const { program, call, effect, target } = site;
  const role = kind.role(effect, call);
  if (role?.does !== "begin" || program.openEnd || !isAffordable(site)) return;
  const name = nameOf(role, call);
  if (name === null || (role.place === null && isHandedOn(program, name))) return;
  if (!isPossible(kind, { call, effect }, program)) return;
  const proof = proofOf(obligationExperiment(kind, { call, effect }), program, target.release, MAX_STATES);
  if (!proof || isBegunLater(kind, site, role.place, proof)) return;
  const wrong = wrongOf(kind, name, proof);
  const place = at?.(proof, wrong) ?? calledPlace(program, call);
  yield {
    ruleId,
    messageId: messageIdOf(messageIds, wrong),
    data: { function: program.name, name, bad: proof.badState },
    place,
    related: relatedOf(kind, program, { call, name, begun, wrong }, proof, place),
    prove: () => proof,
    asked: (code) => askedOf(code, kindIn, site),
    fixes: () => mends?.(proof) ?? balancingFixes(program, call, (one) => one.effects.some((end) => kind.role(end, one)?.does === "end")),
  };
}

interface Begun {
  readonly call: CallNode;
  readonly name: string;
  readonly begun: string;
  readonly wrong: Wrong;
}

/** The other lines that matter: where it was begun, where it was ended, and the way out that does not end it. */
function relatedOf(kind: ObligationKind, program: EffectProgram, { call, name, begun, wrong }: Begun, proof: Proof, place: At): Candidate["related"] {
  const { ended } = kind.states;
  const ends = endsOf(kind, program, name);
  const shown = shownCalls(program, proof.schedule).filter(({ call: one, row }) => ends(one, row) && row !== proof.schedule.at(-1));
  const last = lastCallNode(program, proof);
  const before = wrong === "endedTwice" || wrong === "usedAfter" ? shown.at(-1)?.call : undefined;
  const again = wrong.startsWith("ended") ? last : null;
  const hasEnd = program.nodes.some((node) => node.kind === "call" && ends(node));
  const out = wrong !== "leftOpen" ? null : ((hasEnd ? wayOut(program, proof, (one) => (one.at === call.at ? "begins" : ends(one) ? "ends" : null), call.result) : null) ?? returnAt(program, proof)[0] ?? null);
  const lines = [
    { message: `${name} ${begun} here`, place: placeOf(program, call) },
    ...(before ? [{ message: `${name} ${ended} here`, place: placeOf(program, before) }] : []),
    ...(again ? [{ message: `${name} ${ended} ${wrong === "endedTwice" ? "again " : ""}here`, place: placeOf(program, again) }] : []),
    ...(out ? [{ message: `${name} is not ${ended} on this way out`, place: out }] : []),
  ];
  return lines.filter((one, index) => !isSameLine(one.place, place) && lines.findIndex((other) => isSameLine(other.place, one.place)) === index);
}

/** Whether a call ends the thing of that name, for certain or as its row says. */
const endsOf = (kind: ObligationKind, program: EffectProgram, name: string): ((call: CallNode, row?: ScheduleRow) => boolean) => {
  const names = namesOf(program, name);
  return (call, row) => call.effects.some((effect) => {
    const role = kind.role(effect, call);
    if (role?.does === "may-end") return role.handle.place === name && (row === undefined || role.outcomes.some(({ ends, note }) => ends && row.step.endsWith(`[${note}]`)));
    return role?.does === "end" && (role.handle.by === "place" ? role.handle.place === name : names.has(render(pointerOf(role.handle.of))));
  });
};

const isSameLine = (one: At, other: At): boolean => one.program.image === other.program.image && rowAt(one.program.image, one.at) === rowAt(other.program.image, other.at);

/** True where the failing schedule begins it at another call of the function last: exploring for that one shows the same. */
function isBegunLater(kind: ObligationKind, { program, call }: Site, place: string | null, { schedule }: Proof): boolean {
  const lastRow = (node: CallNode): number => schedule.findLastIndex((row) => isRowOf(program, node, row));
  const begins = (node: CallNode): boolean => node.effects.some((effect) => {
    const role = kind.role(effect, node);
    return role?.does === "begin" && role.place === place;
  });
  return place !== null && program.nodes.some((node) => node.kind === "call" && node.at >= 0 && node.at !== call.at && begins(node) && lastRow(node) > lastRow(call));
}

const isRowOf = (program: EffectProgram, node: CallNode, row: ScheduleRow): boolean =>
  isOnRow(program, node.at, row) && row.step.startsWith(program.image.text.slice(node.at, node.end).split("\n")[0] ?? "");

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
