// SPDX-License-Identifier: GPL-2.0-only
import { bitOf } from "../analysis/truth.ts";
import { ERAS, gupEra } from "../kernel/era.ts";
import { atLeast } from "../kernel/release.ts";
import type { Experiment } from "../scenarios/experiment.ts";
import { movablePageHeld } from "../scenarios/movable-page-held.ts";
import { proofOf } from "../scenarios/prove.ts";
import { referenceLostAfterFork } from "../scenarios/reference-lost-after-fork.ts";
import { writeBit } from "./gup-readonly-longterm.ts";
import { longtermFixes, pinFixes } from "./fix/turned-pin.ts";
import { askedOfCall } from "./pages-asked.ts";
import type { Candidate, Rule, Site } from "./rule.ts";
import { isAffordable, placeOf } from "./rule.ts";
import { dataAccesses, linesOf } from "./other-lines.ts";
import { followsChanges, isStored, storesOf, usesNotifier } from "./stored-pins.ts";

const MAX_STATES = 100_000;

export const gupLongtermMissing: Rule = {
  meta: {
    id: "gup-longterm-missing",
    title: "Pin that is kept without FOLL_LONGTERM, or data of get_user_pages() accessed without a pin",
    severity: "warning",
    since: "5.6",
    until: null,
    why:
      "FOLL_LONGTERM moves pages out of CMA areas and ZONE_MOVABLE before they are pinned, and refuses FS-DAX. " +
      "FOLL_PIN says that the data of the page is accessed: fork() then leaves the page with the parent. A page of get_user_pages*() is shared by fork(), " +
      "the next store of the process gets a copy, and what a device or the kernel writes lands in the old page.",
    messages: {
      stored: "{function}() keeps pages of {call}() without FOLL_LONGTERM: they stay in CMA or ZONE_MOVABLE, whose owner does not get the memory back",
      reference: "{function}() has pages of {call}() written: a fork() shares them, the next store of the process gets a copy, and what is written here is lost; {pin}() keeps the page",
    },
    offersEdits: true,
    scenarios: ["movable-page-held", "reference-lost-after-fork"],
    sources: [{ thread: "Re: [PATCH 1/4] mm: Trial do_wp_page() simplification", who: "Jason Gunthorpe", date: "2020-09-15", link: null }],
  },
  effects: ["gup"],
  readsOfFile: (text) => String(usesNotifier(text)),
  *check(site: Site): Iterable<Candidate> {
    const { fn, call, node, effect, target, states } = site;
    const { program } = fn;
    if (effect.kind !== "gup" || effect.flags === null || !isAffordable(site) || followsChanges(program)) return;
    const proved = (experiment: Experiment) => {
      return proofOf(experiment, program, target.release, MAX_STATES);
    };
    const common = { ruleId: this.meta.id, data: { function: program.name, call: call.name, pin: call.name.replace(/^get_/, "pin_") }, place: placeOf(program, call), related: [] };
    if (effect.reference === "pin") {
      const { flags } = effect;
      // Before 6.3 the unlocked form refuses FOLL_LONGTERM.
      const mayAsk = effect.form !== "unlocked" || atLeast(target.release, "6.3");
      const isShort = !effect.impliesLongterm && states.some(({ state }) => bitOf(state, flags, "FOLL_LONGTERM") === "no");
      const proof = mayAsk && isShort && isStored(program, effect) ? proved(movablePageHeld(node, program)) : null;
      if (proof) yield { ...common, messageId: "stored", related: linesOf("kept here", program, storesOf(program, effect).filter(({ at }) => at > call.at)), prove: () => proof, asked: askedOfCall(site, movablePageHeld), fixes: () => longtermFixes(program, call, effect, target.release) };
      return;
    }
    // fork() waits for whoever holds mmap_lock, as users of the plain forms do.
    const isUnlocked = effect.form === "fast" || effect.form === "unlocked";
    if (!isUnlocked || ERAS[gupEra(target.release)].forkProtection === "none" || !states.some(({ state }) => writeBit(state, effect) === "yes")) return;
    const proof = proved(referenceLostAfterFork(node, program));
    if (proof) yield { ...common, messageId: "reference", related: linesOf("the data is accessed here", program, dataAccesses(program, call)), prove: () => proof, asked: askedOfCall(site, referenceLostAfterFork), fixes: () => pinFixes(program, node, target.release) };
  },
};
