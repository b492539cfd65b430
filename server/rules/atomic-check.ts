// SPDX-License-Identifier: GPL-2.0-only
import { highPteSeverity } from "../kernel/high-pte.ts";
import { atLeast } from "../kernel/release.ts";
import type { Target } from "../kernel/target.ts";
import type { CallNode, EffectProgram, NodeId } from "../program/program.ts";
import { atomicCall } from "../scenarios/atomic-call.ts";
import { nodesInSections } from "../scenarios/atomic-possible.ts";
import { announcesWait, waitSection } from "../scenarios/wait-section.ts";
import { failsForCertain, proofOf, type Proof } from "../scenarios/prove.ts";
import { textAt } from "../program/place.ts";
import { render } from "../program/render.ts";
import { outOfSectionFixes } from "./fix/out-of-section.ts";
import type { Candidate, Site, Standing } from "./rule.ts";
import { isAffordable, placeOf } from "./rule.ts";
import { MAX_STATES } from "./budget.ts";
import { openSections } from "./open-sections.ts";
import { shownCalls } from "./shown-calls.ts";

/** A kind of call that sleeps, as one rule is about it. */
export type IsSleeper = (program: EffectProgram, call: CallNode) => boolean;

/** Nodes of a function that may be in a section, for the release and configuration of the calls that are asked about. */
const inSections = new WeakMap<Target, WeakMap<EffectProgram, ReadonlySet<NodeId>>>();

/** What of a site is asked about, for one target: states are not. */
type Placed = Pick<Site, "program" | "target" | "node" | "call">;

function mayBeInSection({ program, target, node }: Placed): boolean {
  const known = inSections.get(target) ?? new WeakMap<EffectProgram, ReadonlySet<NodeId>>();
  inSections.set(target, known);
  const nodes = known.get(program) ?? nodesInSections(program, target);
  known.set(program, nodes);
  return nodes.has(node);
}

/** Functions in which none of the calls that a rule is about sleeps in a section: they are explored once, all calls together. */
const clean = new WeakMap<IsSleeper, WeakMap<Target, WeakMap<EffectProgram, boolean>>>();

function isClean(isSleeper: IsSleeper, { program, target }: Placed): boolean {
  const ofRule = clean.get(isSleeper) ?? new WeakMap<Target, WeakMap<EffectProgram, boolean>>();
  clean.set(isSleeper, ofRule);
  const known = ofRule.get(target) ?? new WeakMap<EffectProgram, boolean>();
  ofRule.set(target, known);
  const answer = known.get(program) ?? !failsForCertain(atomicCall((call) => isSleeper(program, call), target), program, target.release, MAX_STATES);
  known.set(program, answer);
  return answer;
}

/** What exploring shows of one call; null: it does not sleep in a section, or only on ways that are assumed. */
const proofAt = ({ node, program, target }: Placed): Proof | null =>
  proofOf(atomicCall((_, id) => id === node, target), program, target.release, MAX_STATES);

/** A call that sleeps between the announcement of a wait and the wait. */
export function* checkAnnounced(ruleId: string, messageId: string, isSleeper: IsSleeper, site: Site): Iterable<Candidate> {
  const { program, call, target } = site;
  const isOffender = call.effects.every(({ kind }) => kind !== "taskState") && isSleeper(program, call);
  if (!isOffender || !announcesWait(program) || !isAffordable(site)) return;
  const proof = proofOf(waitSection((_, node) => node === site.node), program, target.release, MAX_STATES);
  if (!proof) return;
  const announced = shownCalls(program, proof.schedule).findLast((one) => one.call.at !== call.at && one.call.effects.some(({ kind }) => kind === "taskState"))?.call;
  yield {
    ruleId, messageId, data: { function: program.name, call: call.name, announced: announced ? textAt(program.image, announced.at, announced.end) : "the task state was set" },
    place: placeOf(program, call),
    related: announced ? [{ message: "the wait is announced here", place: placeOf(program, announced) }] : [],
    prove: () => proof,
  };
}

/** With high page tables, which a target may have or not: kmap_atomic() behind a mapped entry. */
const withHighTables = new WeakMap<Target, Target>();

function highTables(target: Target): Target {
  const known = withHighTables.get(target) ?? { ...target, config: { ...target.config, HIGHPTE: true } };
  withHighTables.set(target, known);
  return known;
}

/** The targets to ask about, with what a finding weighs there: up to 6.4 one that only some configurations show is a warning. */
const targetsOf = (target: Target): readonly { readonly asked: Target; readonly severity?: "warning" }[] =>
  atLeast(target.release, "6.5") || highPteSeverity(target) !== "warning" ? [{ asked: target }] : [{ asked: target }, { asked: highTables(target), severity: "warning" }];

/** A rule about calls that sleep: one finding for each that a schedule shows in a section that must not sleep. */
export function* checkSleeper(ruleId: string, messageId: string, isSleeper: IsSleeper, site: Site, fixes: typeof outOfSectionFixes = outOfSectionFixes): Iterable<Candidate> {
  const { program, call } = site;
  if (!isSleeper(program, call)) return;
  for (const { asked, severity } of targetsOf(site.target)) {
    const there: Placed = { program, call, node: site.node, target: asked };
    if (!mayBeInSection(there) || isClean(isSleeper, there) || !isAffordable(site)) continue;
    const proof = proofAt(there);
    if (!proof) continue;
    const sections = openSections(program, proof, asked);
    yield {
      ruleId, messageId, ...(severity ? { severity } : {}),
      data: { function: program.name, call: call.name, context: sections.at(-1)?.words ?? "in atomic context" },
      place: placeOf(program, call),
      related: sections.map(({ related }) => related),
      prove: () => proof,
      asked: (code) => askedOf(code, there),
      fixes: () => fixes(program, call),
    };
    return;
  }
}

/** The same call in code that may have been edited: it may stand elsewhere. */
function askedOf(code: Standing, { program, node, call, target }: Placed): ReturnType<NonNullable<Candidate["asked"]>> {
  const [there, id] = [code.program(program), code.node(program, node)];
  const words = render({ kind: "call", name: call.name, args: call.args, at: -1, end: -1 });
  const isSame = (other: CallNode, at: NodeId): boolean => (id === null ? other.at >= 0 && render({ kind: "call", name: other.name, args: other.args, at: -1, end: -1 }) === words : at === id);
  return there && [{ experiment: atomicCall(isSame, target), program: there }];
}
