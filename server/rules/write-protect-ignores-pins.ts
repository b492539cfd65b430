// SPDX-License-Identifier: GPL-2.0-only
import { proofOf } from "../scenarios/prove.ts";
import { protectionAt, unseenWrite } from "../scenarios/unseen-write.ts";
import type { EffectProgram } from "../program/program.ts";
import { textAt } from "../program/place.ts";
import type { Candidate, Rule, Site } from "./rule.ts";
import { isAffordable, placeOf } from "./rule.ts";
import { MAX_STATES } from "./budget.ts";
import { callsWith, linesOf } from "./other-lines.ts";

export const writeProtectIgnoresPins: Rule = {
  meta: {
    id: "write-protect-ignores-pins",
    title: "Write tracking by protection that does not look at pins",
    severity: "info",
    since: "5.7",
    until: null,
    why:
      "Soft-dirty tracking and userfaultfd write protection see a write by the fault that it takes. A device writes a pinned page without one, so that the tracker keeps an old copy. " +
      "Soft-dirty tracking lets pinned pages of PTEs stay dirty; whatever protects huge entries, or for userfaultfd, without that test misses those writes.",
    messages: {
      uffdWp: "{function}() write-protects {entry} for userfaultfd without a look at its pins: a device that has the page pinned writes on without an event",
      softDirty: "{function}() clears soft-dirty of {entry} without a look at its pins: a device that has the page pinned writes on, and the page stays clean",
    },
    scenarios: ["unseen-write"],
    sources: [
      { thread: "Re: [PATCH 3/3] mm/uffd: Detect pgtable allocation failures", who: "Nadav Amit", date: "2023-01-05", link: null },
      { thread: "Re: [PATCH 3/3] mm/uffd: Detect pgtable allocation failures", who: "David Hildenbrand", date: "2023-01-05", link: null },
    ],
  },
  effects: ["setEntry"],
  *check(site: Site): Iterable<Candidate> {
    const { program, call, node, target } = site;
    if (!isAffordable(site) || asksForPins(program)) return;
    const protection = protectionAt(program, node);
    if (!protection) return;
    const proof = proofOf(unseenWrite(protection), program, target.release, MAX_STATES);
    if (!proof) return;
    yield {
      ruleId: this.meta.id,
      messageId: protection.tracking === "uffd-wp" ? "uffdWp" : "softDirty",
      data: { function: program.name, entry: protection.entry },
      place: placeOf(program, call),
      related: linesOf("pins are to be looked for from here on", program, callsWith(program, (effect) => effect.kind === "clearEntry")),
      prove: () => proof,
    };
  },
};

/** `pte_is_pinned()`, `folio_maybe_dma_pinned()`: who asks has thought of it. */
const asksForPins = (program: EffectProgram): boolean => /\w*pinned\w*\s*\(/.test(textAt(program.image, program.start, program.end));
