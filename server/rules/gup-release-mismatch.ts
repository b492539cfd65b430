// SPDX-License-Identifier: GPL-2.0-only
import { atLeast } from "../kernel/release.ts";
import type { CallNode } from "../program/program.ts";
import { isFirstOfArray, pagesReleasedWrongly, releasesOf, wrongPage } from "../scenarios/user-pages/experiment.ts";
import { releaseOf } from "../scenarios/user-pages/world.ts";
import { proofOf } from "../scenarios/prove.ts";
import { functionText } from "../program/statements.ts";
import { releasedAs, releasedOfFolio, type Reference } from "./fix/release-call.ts";
import { askedOfPages } from "./pages-asked.ts";
import type { Candidate, Fix, Rule, Site } from "./rule.ts";
import { isAffordable, placeOf } from "./rule.ts";
import { MAX_STATES } from "./budget.ts";

export const gupReleaseMismatch: Rule = {
  meta: {
    id: "gup-release-mismatch",
    title: "Page of GUP released as another kind of reference",
    severity: "error",
    since: "5.7",
    until: null,
    why:
      "A pin of a small page is 1024 references, a get is one; of a large folio pins are counted apart. " +
      "put_page() of a pinned page leaves it pinned for ever, unpin_user_page() of a referenced one takes references of others, and __free_page() takes no page off the LRU lists.",
    messages: {
      mismatch: "{function}() gives pages of {call}() back with {release}(): {right}",
      otherPage: "{function}() gives a pin of {call}() back as one of the folio's first page: {release}() of a page that may not have been pinned",
    },
    offersEdits: true,
    scenarios: ["pages-released-wrongly"],
    sources: [
      { thread: "FOLL_PIN and FOLL_GET are not mixed", who: "Documentation/core-api/pin_user_pages.rst", date: "6.1.192", link: null },
      { thread: "gup_put_folio(), sanity_check_pinned_pages()", who: "mm/gup.c", date: "6.1.192", link: null },
    ],
  },
  effects: ["gup"],
  *check(site: Site): Iterable<Candidate> {
    const { program, call, node, effect, target } = site;
    if (effect.kind !== "gup" || !isAffordable(site) || !isFirstOfArray(program, node)) return;
    for (const release of releasesOf(program, node)) {
      const isOther = wrongPage(release) && effect.reference === "pin" && atLeast(target.release, "6.11");
      if (!isOther && !release.effects.some((one) => mayMismatch(releaseOf(one)?.how, effect.reference))) continue;
      const proof = proofOf(pagesReleasedWrongly({ node, release }), program, target.release, MAX_STATES);
      if (!proof) continue;
      yield {
        ruleId: this.meta.id,
        messageId: isOther ? "otherPage" : "mismatch",
        data: { function: program.name, call: call.name, release: release.name, right: consequenceOf(release, effect.reference) },
        place: placeOf(program, release),
        related: [{ message: "taken here", place: placeOf(program, call) }],
        prove: () => proof,
        asked: askedOfPages(site, release, (at, other) => pagesReleasedWrongly({ node: at, release: other })),
        fixes: () => rightRelease(site, release, isOther, effect.reference),
      };
    }
  },
};

/** What comes of the release, and which one is meant. */
function consequenceOf(release: CallNode, taken: Reference): string {
  const isFree = release.effects.some((one) => releaseOf(one)?.how === "free");
  const meant = taken === "pin" ? "a pin ends with unpin_user_page*()" : "a reference ends with put_page()";
  return `${isFree ? "it frees a page that may be on the LRU lists" : taken === "pin" ? "the page stays pinned" : "it drops references of others"}; ${meant}`;
}

const mayMismatch = (how: "pin" | "get" | "free" | "by-flags" | undefined, taken: "pin" | "get"): boolean => how !== undefined && how !== "by-flags" && how !== taken;

function rightRelease({ program, call, target }: Site, release: CallNode, isOther: boolean, reference: Reference): readonly Fix[] {
  const fn = functionText(program);
  const edits = fn && (isOther ? releasedOfFolio(fn, release) : releasedAs(fn, release, reference, target.release));
  const name = /^\w+/.exec(edits?.[0]?.text ?? "")?.[0];
  return edits && name !== undefined ? [{ title: `Give pages of ${call.name}() back with ${name}()`, edits }] : [];
}
