// SPDX-License-Identifier: GPL-2.0-only
import type { CallNode, EffectProgram, NodeId } from "../program/program.ts";
import { proofOf } from "../scenarios/prove.ts";
import { isFirstOfArray, releasesOf } from "../scenarios/user-pages/experiment.ts";
import { writtenPageGivenBackClean } from "../scenarios/user-pages/lost-data.ts";
import { userPages } from "../scenarios/user-pages/names.ts";
import { dirtiedWithoutPageLock } from "../scenarios/user-pages/unlocked-dirty.ts";
import { isOfPages } from "../scenarios/user-pages/world.ts";
import { dirtyReleaseFixes, lockedMarkFixes } from "./fix/dirty-mark.ts";
import { dataAccesses, linesOf } from "./other-lines.ts";
import { askedOfPages } from "./pages-asked.ts";
import type { Candidate, Rule, Site } from "./rule.ts";
import { isAffordable, placeOf } from "./rule.ts";

const MAX_STATES = 50_000;

export const gupNotDirtied: Rule = {
  meta: {
    id: "gup-not-dirtied",
    title: "Written pages of GUP that are not marked dirty, or not under the page lock",
    severity: "warning",
    since: "2.6.12",
    until: null,
    why:
      "GUP with FOLL_WRITE marks a page dirty when it takes it. Writeback may clean the page at once, and writes through a kernel address or by a device set no dirty bit. " +
      "Whoever wrote marks the page dirty again before it is given back, with the page lock held: nothing else keeps the mapping that set_page_dirty() works with.",
    messages: {
      clean: "{function}() has pages of {call}() written and does not mark them dirty before {release}(): once writeback has cleaned them, reclaim may drop what was written",
      unlocked: "{function}() marks a page of {call}() dirty without the page lock: its mapping may be truncated and freed meanwhile",
    },
    offersEdits: true,
    scenarios: ["written-page-given-back-clean", "dirtied-without-page-lock"],
    sources: [
      { thread: "who may call set_page_dirty()", who: "mm/gup.c:317-320, mm/page-writeback.c:2715", date: "6.1.192", link: null },
      { thread: "", who: "Documentation/core-api/pin_user_pages.rst", date: "6.1.192", link: null },
    ],
  },
  effects: ["gup"],
  *check(site: Site): Iterable<Candidate> {
    const { program, call, node, effect, target } = site;
    if (effect.kind !== "gup" || !isAffordable(site) || !isFirstOfArray(program, node)) return;
    const related = linesOf("taken here", program, [call]);
    const written = linesOf("the data is accessed here", program, dataAccesses(program, call));
    for (const release of releasesOf(program, node)) {
      const proof = proofOf(writtenPageGivenBackClean({ node, release }), program, target.release, MAX_STATES);
      if (!proof) continue;
      yield {
        ruleId: this.meta.id, messageId: "clean", data: { function: program.name, call: call.name, release: release.name }, place: placeOf(program, release), related: [...related, ...written], prove: () => proof,
        asked: askedOfPages(site, release, (at, other) => writtenPageGivenBackClean({ node: at, release: other })),
        fixes: () => dirtyReleaseFixes(program, release),
      };
    }
    for (const mark of unlockedMarks(program, node)) {
      const proof = proofOf(dirtiedWithoutPageLock({ node, release: null, mark }), program, target.release, MAX_STATES);
      if (!proof) continue;
      yield {
        ruleId: this.meta.id, messageId: "unlocked", data: { function: program.name, call: call.name }, place: placeOf(program, mark), related, prove: () => proof,
        asked: askedOfPages(site, mark, (at, other) => dirtiedWithoutPageLock({ node: at, release: null, mark: other })),
        fixes: () => lockedMarkFixes(program, mark),
      };
    }
  },
};

/** Calls that mark pages of the call dirty and leave the page lock to their caller. */
function unlockedMarks(program: EffectProgram, node: NodeId): CallNode[] {
  const found = userPages(program, node);
  if (!found) return [];
  return program.nodes.flatMap((one) =>
    one.kind === "call" && one.inlined === undefined && one.effects.some((effect) => effect.kind === "marksDirty" && !effect.locks && effect.through === "mapping" && isOfPages(found, { pages: effect.page, count: null })) ? [one] : [],
  );
}
