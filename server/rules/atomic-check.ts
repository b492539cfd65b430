// SPDX-License-Identifier: GPL-2.0-only
import type { CallNode, EffectProgram, NodeId } from "../program/program.ts";
import { atomicCall, entersAtomic } from "../scenarios/atomic-call.ts";
import { announcesWait, waitSection } from "../scenarios/wait-section.ts";
import { isProved, prove, type Proof } from "../scenarios/prove.ts";
import type { Candidate, Site, Standing } from "./rule.ts";
import { render } from "../program/render.ts";
import { outOfSectionFixes } from "./fix/out-of-section.ts";
import { isAffordable, placeOf } from "./rule.ts";
import { MAX_STATES } from "./budget.ts";

/** A kind of call that sleeps, as one rule is about it. */
export type IsSleeper = (program: EffectProgram, call: CallNode) => boolean;

/** Functions in which none of the calls that a rule is about sleeps in a section: they are explored once, all calls together. */
const clean = new WeakMap<IsSleeper, WeakMap<EffectProgram, boolean>>();

function isClean(isSleeper: IsSleeper, { program, target }: Site): boolean {
  const known = clean.get(isSleeper) ?? new WeakMap<EffectProgram, boolean>();
  clean.set(isSleeper, known);
  const answer = known.get(program) ?? prove(atomicCall((call) => isSleeper(program, call), target), program, target.release, MAX_STATES).verdict !== "fail";
  known.set(program, answer);
  return answer;
}

/** What exploring shows of one call; null: it does not sleep in a section, or only on ways that are assumed. */
function proofOf(site: Site): Proof | null {
  const isSite = (_: CallNode, node: NodeId): boolean => node === site.node;
  const proof = prove(atomicCall(isSite, site.target), site.program, site.target.release, MAX_STATES);
  return isProved(proof) ? proof : null;
}

/** A call that sleeps between the announcement of a wait and the wait. */
export function* checkAnnounced(ruleId: string, messageId: string, isSleeper: IsSleeper, site: Site): Iterable<Candidate> {
  const { program, call, target } = site;
  const isOffender = call.effects.every(({ kind }) => kind !== "taskState") && isSleeper(program, call);
  if (!isOffender || !announcesWait(program) || !isAffordable(site)) return;
  const proof = prove(waitSection((_, node) => node === site.node), program, target.release, MAX_STATES);
  if (!isProved(proof)) return;
  yield { ruleId, messageId, data: { function: program.name, call: call.name }, place: placeOf(program, call), related: [], prove: () => proof };
}

/** A rule about calls that sleep: one finding for each that a schedule shows in a section that must not sleep. */
export function* checkSleeper(ruleId: string, messageId: string, isSleeper: IsSleeper, site: Site, fixes: typeof outOfSectionFixes = outOfSectionFixes): Iterable<Candidate> {
  const { program, call } = site;
  if (!isSleeper(program, call) || !entersAtomic(program, site.target) || isClean(isSleeper, site) || !isAffordable(site)) return;
  const proof = proofOf(site);
  if (!proof) return;
  yield {
    ruleId, messageId, data: { function: program.name, call: call.name }, place: placeOf(program, call), related: [], prove: () => proof,
    asked: (code) => askedOf(code, site),
    fixes: () => fixes(program, call),
  };
}

/** The same call in code that may have been edited: it may stand elsewhere. */
function askedOf(code: Standing, { program, node, call, target }: Site): ReturnType<NonNullable<Candidate["asked"]>> {
  const [there, id] = [code.program(program), code.node(program, node)];
  const words = render({ kind: "call", name: call.name, args: call.args, at: -1, end: -1 });
  const isSame = (other: CallNode, at: NodeId): boolean => (id === null ? other.at >= 0 && render({ kind: "call", name: other.name, args: other.args, at: -1, end: -1 }) === words : at === id);
  return there && [{ experiment: atomicCall(isSame, target), program: there }];
}
