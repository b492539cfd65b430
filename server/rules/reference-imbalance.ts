// SPDX-License-Identifier: GPL-2.0-only
import type { Value } from "../program/code.ts";
import { stepPlace, textAt } from "../program/place.ts";
import type { CallNode, EffectProgram } from "../program/program.ts";
import { proofOf } from "../scenarios/prove.ts";
import { isUsed, putIn, referenceExperiment, type Questions, type Reference } from "../scenarios/reference/experiment.ts";
import { isHandedOver, isHandedToUnknown, isPutByOther } from "../scenarios/reference/handed.ts";
import { keeperOf } from "../scenarios/reference/keeper.ts";
import type { ScheduleRow } from "../scenarios/schedule.ts";
import { aliasesOf, originOf, pointerNamed } from "../scenarios/reference/object.ts";
import { laterEndFixes } from "./fix/later-end.ts";
import { missingEndFixes } from "./fix/missing-end.ts";
import { surplusEndFixes } from "./fix/surplus-end.ts";
import type { Candidate, Fix, Rule, Site, Standing } from "./rule.ts";
import { calledPlace, isAffordable, placeOf } from "./rule.ts";
import { MAX_STATES } from "./budget.ts";

export const referenceImbalance: Rule = {
  meta: {
    id: "reference-imbalance",
    title: "reference leaked, put twice, or its object used after the last put",
    severity: "error",
    since: "2.6.12",
    until: null,
    why:
      "A reference that a failing way forgets keeps its object for ever. One that is put twice frees the object under whoever " +
      "still has one, and an object whose reference was put is there only as long as somebody else keeps it.",
    messages: { imbalance: "{function}(): {bad}" },
    offersEdits: true,
    scenarios: ["reference-imbalance"],
    sources: [
      { thread: "userfaultfd: UFFDIO_MOVE uABI", who: "commit adef440691ba", date: "6.8", link: null },
      { thread: "lookups of folios in the page cache return an error pointer", who: "commit 66dabbb65d67", date: "6.4", link: null },
    ],
  },
  effects: ["getReference", "returnsReference"],
  seesInlined: true,
  *check(site: Site): Iterable<Candidate> {
    const { program, call, effect, target } = site;
    // What a helper takes for its caller it returns; what else it does is its own affair.
    if (call.inlined !== undefined && effect.kind !== "returnsReference") return;
    const reference = referenceAt(site);
    if (reference === null || program.openEnd || !isAffordable(site)) return;
    for (const questions of questionsAbout(reference, program)) {
      const proof = proofOf(referenceExperiment(reference, questions), program, target.release, MAX_STATES);
      if (!proof) continue;
      const seen = proof.property === "reference-leaked" ? null : wrongUse(program, proof.schedule);
      yield {
        ruleId: "reference-imbalance",
        messageId: "imbalance",
        data: { function: program.name, name: reference.name, bad: proof.badState },
        place: calledPlace(program, seen?.use ?? call),
        related: [
          ...(seen?.put ? [{ message: "put here", place: placeOf(program, seen.put) }] : []),
          ...(isOfHelper(program, call) ? [{ message: "a helper takes the reference here and returns it", place: placeOf(program, call) }] : []),
        ],
        prove: () => proof,
        asked: (code) => askedOf(code, site, questions),
        fixes: () => fixesOf(program, reference, proof.property, seen),
      };
    }
  },
};

/** The same reference in code that may have been edited. A put that an edit brings must not be one too many, whoever else has one. */
function askedOf(code: Standing, { program, node }: Site, questions: Questions): ReturnType<NonNullable<Candidate["asked"]>> {
  const [there, id] = [code.program(program), code.node(program, node)];
  const call = there && id !== null ? there.nodes[id] : undefined;
  const reference = there && call?.kind === "call" ? call.effects.map((effect) => referenceAt({ program: there, call, effect })).find((one) => one !== null) : null;
  return there && reference ? [{ experiment: referenceExperiment(reference, { ...questions, twice: questions.twice || questions.leaked }), program: there }] : null;
}

/** Puts what leaks, drops one of two puts, or puts later. */
function fixesOf(program: EffectProgram, { site, name }: Reference, property: string, seen: ReturnType<typeof wrongUse> | null): readonly Fix[] {
  const names = aliasesOf(program, name);
  const isPut = (call: CallNode): boolean => call.effects.some((effect) => effect.kind === "putReference" && names.has(pointerNamed(program, effect.object) ?? ""));
  const isUse = (call: CallNode): boolean => isUsed({ ...program, nodes: [call] }, names);
  if (property === "reference-leaked") return missingEndFixes(program, site.call, isPut);
  if (property === "uaf") return seen?.use ? laterEndFixes(program, seen.use, isPut, isUse) : [];
  return surplusEndFixes(program, isPut);
}

/** The calls in which a schedule ends, and in which it put the reference before. */
function wrongUse(program: EffectProgram, schedule: readonly ScheduleRow[]): { readonly use: CallNode | null; readonly put: CallNode | null } {
  const [last] = schedule.slice(-1);
  const put = schedule.slice(0, -1).findLast(({ state }) => state.endsWith(": taken -> put"));
  return { use: last ? callIn(program, last) : null, put: put ? callIn(program, put) : null };
}

/** The call that a row shows. */
const callIn = (program: EffectProgram, row: ScheduleRow): CallNode | null =>
  program.nodes.find((node): node is CallNode => {
    if (node.kind !== "call" || node.at < 0 || !row.step.startsWith(textAt(program.image, node.at, node.end))) return false;
    const place = stepPlace(program.image, node.at);
    return place !== null && place.line === row.patchLine && (place.fileLine ?? null) === (row.newLine ?? null);
  }) ?? null;

/** The reference that a call takes, where the object has one name and came from one place. */
function referenceAt({ program, call, effect }: Pick<Site, "program" | "call" | "effect">): Reference | null {
  if (effect.kind === "returnsReference") {
    const name = call.result;
    if (name === null || effect.out !== undefined || effect.reference !== "get" || effect.to === "pages" || effect.failure === "negative") return null;
    if (call.inlined === undefined) return program.variables.has(name) ? { site: { call, effect }, name, origin: null } : null;
    // What a helper does not hand to its caller is its own affair.
    const shown = [...aliasesOf(program, name)].find((one) => program.variables.has(one) && !/__\d+$/.test(one));
    return shown !== undefined && program.variables.has(name) ? { site: { call, effect }, name, shown, origin: null } : null;
  }
  if (effect.kind !== "getReference") return null;
  const name = pointerNamed(program, effect.object);
  const origin = name === null ? null : originOf(program, name);
  return name === null || origin === null ? null : { site: { call, effect }, name, origin };
}

/** True for a call that stands in the text of a helper. */
const isOfHelper = (program: EffectProgram, call: CallNode): boolean => call.inlined !== undefined || call.at < program.start || call.at >= program.end;

/**
 * What can be asked about a reference, one exploration for each. Whoever takes several, or never puts any, does not own them
 * alone.
 */
function questionsAbout({ name, origin, site: { call, effect } }: Reference, program: EffectProgram): Questions[] {
  const names = aliasesOf(program, name);
  if (putIn(program, names) === null || takesSeveral(program, names) || isHandedToUnknown(program, name) || isPutByOther(program, name)) return [];
  const keeper = isUsed(program, names) ? keeperOf(effect, call) : null;
  return [
    // What came from elsewhere may have a reference of the caller besides.
    ...(isHandedOver(program, name) ? [] : [{ leaked: true, twice: origin === null, keeper: null }]),
    ...(keeper === null ? [] : [{ leaked: false, twice: false, keeper }]),
  ];
}

/** True where references are taken in more than one place, or counted with a number. */
function takesSeveral(program: EffectProgram, names: ReadonlySet<string>): boolean {
  const isOurs = (object: Value): boolean => names.has(pointerNamed(program, object) ?? "");
  let taken = 0;
  for (const node of program.nodes) {
    if (node.kind !== "call") continue;
    for (const effect of node.effects) {
      if (effect.kind === "returnsReference" && node.result !== null && names.has(node.result)) taken++;
      if ((effect.kind !== "getReference" && effect.kind !== "putReference") || !isOurs(effect.object)) continue;
      if (node.args.length > 1) return true;
      if (effect.kind === "getReference") taken++;
    }
  }
  return taken > 1;
}
