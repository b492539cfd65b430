// SPDX-License-Identifier: GPL-2.0-only
import { pinBehindCheck, questionsOf, takenEntry } from "../scenarios/pin-behind-check.ts";
import { reachable } from "./gup-cow-mechanism.ts";
import { proved, provedCandidate } from "./proved-only.ts";
import type { Candidate, Rule, Site } from "./rule.ts";
import { isAffordable } from "./rule.ts";

const ID = "pinned-check-before-clear";

export const pinnedCheckBeforeClear: Rule = {
  meta: {
    id: ID,
    title: "Pin test before the entry is cleared",
    severity: "error",
    since: "5.7",
    until: null,
    why:
      "GUP-fast takes no lock. A page that is not pinned when it is asked for can be pinned a moment later, as long as its entry is still there. " +
      "Clear and flush the entry first, then look for pins, and restore the entry where there are some.",
    messages: {
      before: "{function}() asks whether the page is pinned before this, and not again: GUP-fast can pin it in between, and a device then writes a page that has lost its address or its write protection",
    },
    scenarios: ["pin-behind-check"],
    sources: [
      { thread: "Re: [PATCH 3/3] mm/uffd: Detect pgtable allocation failures", who: "David Hildenbrand", date: "2023-01-05", link: null },
    ],
  },
  effects: ["clearEntry", "modifyEntry"],
  *check(site: Site): Iterable<Candidate> {
    const { program, effect, node } = site;
    const source = takenEntry(effect);
    if (!source || isTolerated(site) || !isAffordable(site)) return;
    const questions = questionsOf(program);
    // Where the entry is also reached without the question, that is about something else (a NUMA hint), and no promise.
    if (questions.length === 0 || reachable(program, program.entry, new Set(questions)).has(node)) return;
    const experiment = pinBehindCheck(node, source);
    if (proved(experiment, site)) yield provedCandidate(site, ID, "before", { function: program.name }, experiment);
  },
};

/**
 * Soft-dirty may say too much, and looks first (fs/proc/task_mmu.c:1083-1123, 6.1.192). fork() protects entries inside of a write
 * section of write_protect_seq. Either is right.
 */
const isTolerated = ({ program }: Site): boolean =>
  /_clear_soft_dirty\s*\(/.test(program.image.text.slice(program.start, program.end)) ||
  program.nodes.some((node) => node.kind === "call" && node.effects.some(({ kind }) => kind === "seqcountSection" || kind === "forkCopy"));
