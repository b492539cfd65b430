// SPDX-License-Identifier: GPL-2.0-only
import { hugetlbUnshareUaf } from "../scenarios/hugetlb-unshare-uaf.ts";
import { ptlWithIrqsOff } from "../scenarios/ptl-with-irqs-off.ts";
import { sectionOf, unprotectedWalk, walkCandidate } from "./hugetlb-walk-uses.ts";
import type { Candidate, Rule, Site } from "./rule.ts";

/** How a section is called in messages. */
const WORDS = { rcu: "an RCU read-side section", irq: "a section with interrupts off" } as const;

/** What a section does not keep from happening. */
const LOSES = { rcu: "the lock is freed with the table and does not wait for a grace period", irq: "the lock can be freed, or its holder waits for this CPU" } as const;

export const hugetlbPtlUnderRcu: Rule = {
  meta: {
    id: "hugetlb-ptl-under-rcu",
    title: "hugetlb page-table lock taken where only RCU or disabled interrupts keep the table",
    severity: "error",
    since: "2.6.20",
    until: null,
    why:
      "RCU, and on some architectures disabled interrupts, delay the free of a page-table page that was unshared. " +
      "Its lock goes away with the table's destructor, which waits for no grace period. " +
      "With interrupts off the reverse map may hold the lock while its flush waits for this very CPU.",
    messages: {
      section: "{condition}{function}() takes the lock of a hugetlb page table in {section}, without {locks}: {loses}",
      question: "{condition}{function}() takes the lock of a hugetlb page table in {section}: does every caller of {outermost}() hold {locks}? Otherwise {loses}",
    },
    scenarios: ["hugetlb-unshare-uaf", "ptl-with-irqs-off"],
    sources: [
      { thread: "Re: [PATCH RFC v2 00/12] mm/hugetlb: Make huge_pte_offset() thread-safe for pmd unshare", who: "Peter Xu", date: "2022-11-25", link: null },
    ],
  },
  effects: ["hugetlbWalk"],
  seesInlined: true,
  *check(site: Site): Iterable<Candidate> {
    const walk = unprotectedWalk(site);
    if (walk?.kind !== "lock-in-section") return;
    const section = sectionOf(walk.use.state) ?? "rcu";
    const { release } = site.target;
    yield walkCandidate(walk, {
      ruleId: this.meta.id,
      messageId: walk.asks ? "question" : "section",
      data: { section: WORDS[section], loses: LOSES[section] },
      at: "use",
      experiments: (focus, axis) => [hugetlbUnshareUaf(focus, axis, release), ...(section === "irq" ? [ptlWithIrqsOff(focus, axis, release)] : [])].filter((one) => one !== null),
    });
  },
};
