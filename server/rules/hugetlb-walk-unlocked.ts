// SPDX-License-Identifier: GPL-2.0-only
import { hugetlbUnshareUaf } from "../scenarios/hugetlb-unshare-uaf.ts";
import { walkLockFixes } from "./fix/walk-lock.ts";
import { isAnswered, linesAboveAreUnseen } from "./hugetlb-callers.ts";
import { privateWalk } from "./hugetlb-private-walk.ts";
import { unprotectedWalk, walkCandidate } from "./hugetlb-walk-uses.ts";
import type { Candidate, Rule, Site } from "./rule.ts";

export const hugetlbWalkUnlocked: Rule = {
  meta: {
    id: "hugetlb-walk-unlocked",
    title: "hugetlb page-table walk without a lock that keeps shared PMD tables",
    severity: "error",
    since: "2.6.20",
    until: null,
    why:
      "A MAP_SHARED hugetlb mapping may share its PMD table with other processes. " +
      "Hole punch, truncation and rmap unshare it with the hugetlb vma lock and i_mmap_rwsem held for write, without mmap_lock; " +
      "the last other user then frees the table under whoever walks it with mmap_lock alone.",
    messages: {
      unlocked: "{condition}{function}() walks {vma} without {locks}: the PMD table can be unshared and freed before {use}",
      released: "{condition}{function}() uses {pointer} after giving up the lock that kept its PMD table: the table can be unshared and freed before {use}",
      unmapped: "{function}() uses {pointer} after giving up mmap_lock: nobody shares the tables of {vma}, which is private, but munmap() frees them before {use}",
      question: "{condition}{function}() walks {vma} as its caller left it: does every caller of {outermost}() hold {locks}? Otherwise the PMD table can be unshared and freed before {use}",
      section: "{function}() walks {vma} under {section}() alone: does that keep the PMD table from being unshared and freed before {use}, as {locks} would?",
      unseen: "{condition}{function}() walks {vma}, and the lines of {function}() above this hunk are not shown: do they hold {locks}? Otherwise the PMD table can be unshared and freed before {use}",
    },
    offersEdits: true,
    scenarios: ["hugetlb-unshare-uaf", "hugetlb-private-unmapped"],
    sources: [
      { thread: "Re: [PATCH RFC v2 00/12] mm/hugetlb: Make huge_pte_offset() thread-safe for pmd unshare", who: "Peter Xu", date: "2022-11-25", link: null },
    ],
  },
  effects: ["hugetlbWalk"],
  seesInlined: true,
  *check(site: Site): Iterable<Candidate> {
    const walk = unprotectedWalk(site);
    if (walk === null) {
      const unmapped = privateWalk(site, this.meta.id);
      if (unmapped) yield unmapped;
    }
    if (walk?.kind !== "lookup") return;
    const { use, asks, section } = walk;
    const { program } = site.fn;
    // What the function itself answers is put to its callers only where a whole tree is at hand.
    if (asks && section === null && !site.unit.follow && isAnswered(program, site.node, use)) return;
    const unseen = linesAboveAreUnseen(program, site.node) || use.hasGap;
    yield walkCandidate(walk, {
      ruleId: this.meta.id,
      messageId: section !== null ? "section" : asks ? (unseen ? "unseen" : "question") : use.fromStart ? "unlocked" : "released",
      ...(section === null ? {} : { data: { section } }),
      mends: walkLockFixes,
      experiments: (focus, axis) => [hugetlbUnshareUaf(focus, axis, site.target.release)],
    });
  },
};
