// SPDX-License-Identifier: GPL-2.0-only
import { stepPlace } from "../program/place.ts";
import type { EffectProgram } from "../program/program.ts";
import { isFirstOfArray, pagesAccounted, pagesLeaked, pagesReleasedUntaken, releasesOf } from "../scenarios/user-pages/experiment.ts";
import { isProved, prove, type Proof } from "../scenarios/prove.ts";
import { leakFixes, type OnSchedule } from "./fix/leaked-pages.ts";
import { untakenFixes } from "./fix/untaken-pages.ts";
import { linesOf } from "./other-lines.ts";
import { askedOfCall } from "./pages-asked.ts";
import type { Candidate, Rule, Site } from "./rule.ts";
import { isAffordable, placeOf } from "./rule.ts";
import { MAX_STATES } from "./budget.ts";

export const gupPartialLeak: Rule = {
  meta: {
    id: "gup-partial-leak",
    title: "Pages of GUP that are not given back exactly once",
    severity: "error",
    since: "2.6.12",
    until: null,
    why:
      "get_user_pages*() and pin_user_pages*() may take fewer pages than they were asked for and say how many. " +
      "Those are the caller's to give back, each exactly once: who takes the short count for a failure leaks them, who releases what was asked for gives away references of others.",
    messages: {
      leaked: "{function}() may return without giving back pages that {call}() took: they are never freed, moved or swapped out",
      untaken: "{function}() gives back pages that {call}() did not take, or that are given back already: it drops references of somebody else",
    },
    offersEdits: true,
    scenarios: ["pages-leaked", "pages-released-untaken"],
    sources: [
      { thread: "every pin is released by an unpin call", who: "Documentation/core-api/pin_user_pages.rst", date: "6.1.192", link: null },
    ],
  },
  effects: ["gup"],
  *check(site: Site): Iterable<Candidate> {
    const { program, call, node, effect, target } = site;
    if (effect.kind !== "gup" || program.openEnd || program.openStart || !isAffordable(site) || !isFirstOfArray(program, node)) return;
    const common = { ruleId: this.meta.id, data: { function: program.name, call: call.name }, related: [] };
    const accounted = (asked: "page-leaked" | "released-unpinned") => askedOfCall(site, (at, there) => pagesAccounted(at, asked, there));
    const leak = prove(pagesLeaked(node, effect.reference), program, target.release, MAX_STATES);
    if (isProved(leak)) yield { ...common, messageId: "leaked", place: placeOf(program, call), related: linesOf("a way out that gives nothing back", program, waysOut(program, leak)), prove: () => leak, asked: accounted("page-leaked"), fixes: () => leakFixes(program, node, target.release, onSchedule(program, leak)) };
    for (const release of releasesOf(program, node)) {
      const proof = prove(pagesReleasedUntaken({ node, release }), program, target.release, MAX_STATES);
      if (isProved(proof)) yield { ...common, messageId: "untaken", place: placeOf(program, release), related: [{ message: "taken here", place: placeOf(program, call) }], prove: () => proof, asked: accounted("released-unpinned"), fixes: () => untakenFixes(program, node, target.release) };
    }
  },
};

/** Where the failing schedule returns. */
const waysOut = (program: EffectProgram, proof: Proof): readonly { at: number; end: number }[] => {
  const isOn = onSchedule(program, proof);
  return program.nodes.flatMap((node) => (node.kind === "return" && node.at >= 0 && isOn(node.at) ? [{ at: node.at, end: node.end }] : []));
};

/** Offsets on lines of the failing schedule. */
function onSchedule({ image }: EffectProgram, { schedule }: Proof): OnSchedule {
  const lines = new Set(schedule.flatMap(({ patchLine, newLine }) => patchLine ?? newLine ?? []));
  return (at) => {
    const place = stepPlace(image, at);
    return place !== null && lines.has(place.line ?? place.fileLine ?? -1);
  };
}
