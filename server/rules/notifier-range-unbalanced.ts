// SPDX-License-Identifier: GPL-2.0-only
import { isOwnRange, notifierRange, rangePlace } from "../scenarios/obligation/notifier-range.ts";
import type { EffectProgram, NodeId, ProgramNode } from "../program/program.ts";
import { reachable } from "./hugetlb-callers.ts";
import { doesTo, isFirstStart, isUnderEntangled } from "./notifier-doing.ts";
import { checkObligation, lastCall } from "./obligation-check.ts";
import { isResultTested } from "./result-tested.ts";
import type { Candidate, Rule, Site } from "./rule.ts";
import { wayOut } from "./way-out.ts";

const MESSAGES = { leftOpen: "left", endedTwice: "twice", endedUnbegun: "unstarted", begunAgain: "again", otherwise: "renewed" } as const;

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
    messages: {
      left: "{function}() returns with {name} started: subscribers wait for an end that never comes, KVM lets no fault of the guest through",
      twice: "{function}() ends {name} twice: subscribers count one end more than starts, BUG_ON() in KVM",
      unstarted: "{function}() ends {name} on a way on which it was not started: subscribers count an end without a start, BUG_ON() in KVM",
      again: "{function}() starts {name} again before its end: of two starts one is never ended",
      renewed: "{function}() initializes {name} again before its end: what was started is never ended",
    },
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
    const severity = hangOnTwoConditions(program, place) ? { severity: "warning" as const } : {};
    const found = checkObligation(this.meta.id, MESSAGES, notifierRange(place, "always-starts"), site, (proof, wrong) =>
      // An end that is one too many is no way out.
      (wrong.startsWith("ended") ? null : wayOut(program, proof, (one) => doesTo(one, place))) ?? lastCall(program, proof));
    for (const one of found) yield { ...one, ...severity };
  },
};

/**
 * True where an end can be come to past every start, and the way out past every end: start and end hang on two conditions, and
 * only whoever keeps both knows whether they are one.
 */
function hangOnTwoConditions(program: EffectProgram, place: string): boolean {
  const is = (what: "begins" | "ends") => (node: ProgramNode | undefined): boolean => node?.kind === "call" && doesTo(node, place) === what;
  const past = (from: NodeId, what: "begins" | "ends"): readonly (ProgramNode | undefined)[] => [...reachable(program, from, is(what))].map((id) => program.nodes[id]);
  const starts = program.nodes.flatMap((node, id) => (is("begins")(node) ? [id] : []));
  return past(program.entry, "begins").some(is("ends")) && starts.some((id) => past(id, "ends").some((node) => node?.kind === "exit" || node?.kind === "return"));
}
