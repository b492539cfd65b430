// SPDX-License-Identifier: GPL-2.0-only
import { isOwnRange, rangePlace, refusedRange } from "../scenarios/obligation/notifier-range.ts";
import { proofOf } from "../scenarios/prove.ts";
import { changedAfterRefusal } from "../scenarios/unchecked-start.ts";
import { doesTo, isFirstStart, isUnderEntangled } from "./notifier-doing.ts";
import { OOM_REAPER } from "./notifier-nonblock-outside-oom.ts";
import { checkObligation } from "./obligation-check.ts";
import { isResultTested } from "./result-tested.ts";
import type { Candidate, Rule, Site } from "./rule.ts";
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
    messages: { unbalanced: "{function}() does not heed what the start of {name} returned: {bad}" },
    scenarios: ["notifier-imbalance", "refused-invalidation"],
    sources: [],
  },
  effects: ["notifierStart"],
  *check(site: Site): Iterable<Candidate> {
    const { program, call, effect } = site;
    if (effect.kind !== "notifierStart" || effect.blocking) return;
    const place = rangePlace(effect.range);
    if (!isOwnRange(program, place) || !isFirstStart(program, call, place) || isUnderEntangled(program, place)) return;
    const found = [...checkObligation(this.meta.id, "unbalanced", refusedRange(place, isResultTested(program, call)), site, (proof) =>
      // A way out is one from a start that succeeded.
      proof.badState.startsWith("the function returns") ? wayOut(program, proof, (one) => doesTo(one, place), call.result) : placeOf(program, call))];
    yield* found.length > 0 ? found : changed(site, place);
  },
};

/** Entries of the range are changed where the start was refused. */
function* changed(site: Site, place: string): Iterable<Candidate> {
  const { program, call, target } = site;
  if (program.openStart || program.openEnd || !isAffordable(site)) return;
  const proof = proofOf(changedAfterRefusal(program.name === OOM_REAPER ? "device" : "guest"), program, target.release, MAX_STATES);
  if (!proof) return;
  yield {
    ruleId: "notifier-nonblock-unchecked",
    messageId: "unbalanced",
    data: { function: program.name, name: place, bad: proof.badState },
    place: placeOf(program, call),
    related: [],
    prove: () => proof,
  };
}
