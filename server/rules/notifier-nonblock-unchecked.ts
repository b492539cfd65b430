// SPDX-License-Identifier: GPL-2.0-only
import { isOwnRange, rangePlace, refusedRange } from "../scenarios/obligation/notifier-range.ts";
import type { BoundEffect, CallNode, EffectProgram } from "../program/program.ts";
import { obligationExperiment } from "../scenarios/obligation/experiment.ts";
import { proofOf, type Proof } from "../scenarios/prove.ts";
import { changedAfterRefusal } from "../scenarios/unchecked-start.ts";
import { doesTo, isFirstStart, isUnderEntangled } from "./notifier-doing.ts";
import { OOM_REAPER } from "./oom-reaper.ts";
import { blockingStartFixes } from "./fix/blocking-start.ts";
import { heedRefusalFixes } from "./fix/heed-refusal.ts";
import { checkObligation } from "./obligation-check.ts";
import { isResultTested } from "./result-tested.ts";
import { shownCalls } from "./shown-calls.ts";
import type { Candidate, Fix, Rule, Site } from "./rule.ts";
import { isAffordable, placeOf } from "./rule.ts";
import { wayOut } from "./way-out.ts";
import { MAX_STATES } from "./budget.ts";

export const notifierNonblockUnchecked: Rule = {
  meta: {
    id: "notifier-nonblock-unchecked",
    title: "refused invalidation that is gone on with",
    severity: "error",
    since: "2.6.27",
    until: null,
    why:
      "A non-blocking start returns -EAGAIN where a subscriber refuses: then the invalidation was not started. Whoever changes entries " +
      "all the same leaves a stale mapping behind, and whoever ends the range gives subscribers an end whose start they did not see: " +
      "BUG_ON() in KVM.",
    messages: {
      unbalanced: "{function}() does not heed what the start of {name} returned: {bad}",
      changed: "{function}() changes entries of {name} where a subscriber refused its start: that subscriber keeps its mapping of them",
      left: "{function}() returns with {name} started where nobody refused: subscribers wait for an end that never comes",
    },
    offersEdits: true,
    scenarios: ["notifier-imbalance", "refused-invalidation"],
    sources: [
      { thread: "on -EAGAIN the non-blocking caller must not call mmu_notifier_invalidate_range_end()", who: "mm/mmu_notifier.c:444-473", date: "6.1.192", link: null },
      { thread: "mm/mmu_notifiers: ensure range_end() is paired with range_start()", who: "commit c2655835fd8c", date: "5.12", link: null },
    ],
  },
  effects: ["notifierStart"],
  *check(site: Site): Iterable<Candidate> {
    const { program, call, effect } = site;
    if (effect.kind !== "notifierStart" || effect.blocking) return;
    const place = rangePlace(effect.range);
    if (!isOwnRange(program, place) || !isFirstStart(program, call, place) || isUnderEntangled(program, place)) return;
    const found = [...checkObligation(this.meta.id, { leftOpen: "left", otherwise: "unbalanced" }, refusedRange(place, isResultTested(program, call)), site, (proof) =>
      // A way out is one from a start that succeeded.
      isLeftOpen(proof) ? wayOut(program, proof, (one) => doesTo(one, place), call.result) : placeOf(program, call), { mends: (proof) => (isLeftOpen(proof) ? null : refusalFixes(site, place)) })];
    yield* found.length > 0 ? found.map((one) => ({ ...one, asked: askedOf(site, place) })) : changed(site, place);
  },
};

const isLeftOpen = ({ badState }: Proof): boolean => badState.startsWith("the function returns");

/** The reaper may leave alone what was refused. Everybody else must not be refused. */
const refusalFixes = ({ program, call }: Site, place: string): readonly Fix[] =>
  program.name === OOM_REAPER ? heedRefusalFixes(program, call, ends(place)) : blockingStartFixes(program, call);

const ends = (place: string) => (call: CallNode): boolean => doesTo(call, place) === "ends";

/** Both questions about code that may have been edited: it looks at the value, or starts the range elsewhere. */
const askedOf = (site: Site, place: string): NonNullable<Candidate["asked"]> => (code) => {
  const program = code.program(site.program);
  const start = program && startOf(program, place);
  if (!program || !start) return null;
  return [obligationExperiment(refusedRange(place, true), start), changedAfterRefusal(mirrorOf(site))].map((experiment) => ({ experiment, program }));
};

/** The first start of a range. */
function startOf(program: EffectProgram, place: string): { readonly call: CallNode; readonly effect: BoundEffect } | null {
  for (const node of program.nodes)
    for (const effect of node.kind === "call" ? node.effects : []) if (node.kind === "call" && effect.kind === "notifierStart" && rangePlace(effect.range) === place) return { call: node, effect };
  return null;
}

/** The last call of a schedule that changes entries. */
const changesOf = (program: EffectProgram, { schedule }: Proof): readonly CallNode[] =>
  shownCalls(program, schedule).flatMap(({ call }) => (call.effects.some(({ kind }) => kind === "clearEntry" || kind === "clearRange" || kind === "modifyEntry") ? [call] : [])).slice(-1);

const mirrorOf = ({ program }: Site): "device" | "guest" => (program.name === OOM_REAPER ? "device" : "guest");

/** Entries of the range are changed where the start was refused. */
function* changed(site: Site, place: string): Iterable<Candidate> {
  const { program, call, target } = site;
  if (program.openStart || program.openEnd || !isAffordable(site)) return;
  const proof = proofOf(changedAfterRefusal(mirrorOf(site)), program, target.release, MAX_STATES);
  if (!proof) return;
  yield {
    ruleId: "notifier-nonblock-unchecked",
    messageId: "changed",
    data: { function: program.name, name: place, bad: proof.badState },
    place: placeOf(program, call),
    related: changesOf(program, proof).map((one) => ({ message: "changed here all the same", place: placeOf(program, one) })),
    prove: () => proof,
    asked: askedOf(site, place),
    fixes: () => refusalFixes(site, place),
  };
}
