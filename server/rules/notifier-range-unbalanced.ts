// SPDX-License-Identifier: GPL-2.0-only
import { isOwnRange, notifierRange, rangePlace } from "../scenarios/obligation/notifier-range.ts";
import { doesTo, isFirstStart, isUnderEntangled } from "./notifier-doing.ts";
import { checkObligation, lastCall } from "./obligation-check.ts";
import { isResultTested } from "./result-tested.ts";
import type { Candidate, Rule, Site } from "./rule.ts";
import { wayOut } from "./way-out.ts";

export const notifierRangeUnbalanced: Rule = {
  meta: {
    id: "notifier-range-unbalanced",
    title: "invalidation that is not ended exactly once for each start",
    severity: "error",
    since: "2.6.27",
    until: null,
    why:
      "Subscribers count: KVM lets no fault through and changes no memory slot while an invalidation runs, so that one start too many " +
      "stops the guest for good, and one end too many runs into BUG_ON(). Each way from a start must come to one end of that range.",
    messages: { unbalanced: "{function}(): {bad}" },
    offersEdits: true,
    scenarios: ["notifier-imbalance"],
    sources: [
      { thread: "start and end must be paired", who: "include/linux/mmu_notifier.h:135-137", date: "6.1.192", link: null },
      { thread: "mm/mmu_notifiers: ensure range_end() is paired with range_start()", who: "commit c2655835fd8c", date: "5.12", link: null },
    ],
  },
  effects: ["notifierStart"],
  *check(site: Site): Iterable<Candidate> {
    const { program, call, effect } = site;
    if (effect.kind !== "notifierStart") return;
    const place = rangePlace(effect.range);
    if (!isOwnRange(program, place) || !isFirstStart(program, call, place) || isUnderEntangled(program, place)) return;
    // What becomes of a refusal is looked at by notifier-nonblock-unchecked, and with it the way where nobody refuses.
    if (!effect.blocking && isResultTested(program, call)) return;
    yield* checkObligation(this.meta.id, "unbalanced", notifierRange(place, "always-starts"), site, (proof) => wayOut(program, proof, (one) => doesTo(one, place)) ?? lastCall(program, proof));
  },
};
