// SPDX-License-Identifier: GPL-2.0-only
import { hugetlbUnshareUaf } from "../scenarios/hugetlb-unshare-uaf.ts";
import { unprotectedWalk, walkCandidate } from "./hugetlb-walk-uses.ts";
import type { Candidate, Rule, Site } from "./rule.ts";

export const hugetlbAllocUnlocked: Rule = {
  meta: {
    id: "hugetlb-alloc-unlocked",
    title: "huge_pte_alloc() without a lock that keeps the table it shares",
    severity: "error",
    // Before 5.7 huge_pmd_share() took i_mmap_rwsem for writing inside: no caller could hold what keeps the table.
    since: "5.7",
    until: null,
    why:
      "huge_pte_alloc() does not always allocate: where another process maps the same range of the file, it takes that process's PMD table. " +
      "The table can be unshared again as soon as no lock keeps it, and is freed with its last user, under whoever uses the pointer.",
    messages: {
      unlocked: "{condition}{function}() calls {alloc}() on {vma} without {locks}: a PMD table that it shares can be unshared and freed before {use}",
      released: "{condition}{function}() uses {pointer} of {alloc}() after giving up the lock that kept its PMD table: the table can be unshared and freed before {use}",
    },
    scenarios: ["hugetlb-unshare-uaf"],
    sources: [
      { thread: "Re: [PATCH RFC v2 00/12] mm/hugetlb: Make huge_pte_offset() thread-safe for pmd unshare", who: "Peter Xu", date: "2022-11-25", link: null },
    ],
  },
  effects: ["hugetlbWalk"],
  seesInlined: true,
  *check(site: Site): Iterable<Candidate> {
    const walk = unprotectedWalk(site);
    // An allocation is no lockless walk: where it asks about callers that are not visible, it would ask everywhere.
    if (walk?.kind !== "allocation" || walk.asks) return;
    yield walkCandidate(walk, {
      ruleId: this.meta.id,
      messageId: walk.use.fromStart ? "unlocked" : "released",
      data: { alloc: site.call.name },
      experiments: (focus, axis) => [hugetlbUnshareUaf(focus, axis, site.target.release)],
    });
  },
};
