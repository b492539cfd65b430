// SPDX-License-Identifier: GPL-2.0-only
import { atLeast } from "../kernel/release.ts";
import { isFirstOfArray, pagesReleasedWrongly, releasesOf, wrongPage } from "../scenarios/user-pages/experiment.ts";
import { releaseOf } from "../scenarios/user-pages/world.ts";
import { isProved, prove } from "../scenarios/prove.ts";
import type { Candidate, Rule, Site } from "./rule.ts";
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
    scenarios: ["pages-released-wrongly"],
    sources: [],
  },
  effects: ["gup"],
  *check(site: Site): Iterable<Candidate> {
    const { program, call, node, effect, target } = site;
    if (effect.kind !== "gup" || !isAffordable(site) || !isFirstOfArray(program, node)) return;
    for (const release of releasesOf(program, node)) {
      const isOther = wrongPage(release) && effect.reference === "pin" && atLeast(target.release, "6.11");
      if (!isOther && !release.effects.some((one) => mayMismatch(releaseOf(one)?.how, effect.reference))) continue;
      const proof = prove(pagesReleasedWrongly({ node, release }), program, target.release, MAX_STATES);
      if (!isProved(proof)) continue;
      yield {
        ruleId: this.meta.id,
        messageId: isOther ? "otherPage" : "mismatch",
        data: { function: program.name, call: call.name, release: release.name, right: effect.reference === "pin" ? "a pin ends with unpin_user_page*()" : "a reference ends with put_page()" },
        place: placeOf(program, release),
        related: [{ message: "taken here", place: placeOf(program, call) }],
        prove: () => proof,
      };
    }
  },
};

const mayMismatch = (how: "pin" | "get" | "free" | "by-flags" | undefined, taken: "pin" | "get"): boolean => how !== undefined && how !== "by-flags" && how !== taken;
