// SPDX-License-Identifier: GPL-2.0-only
import { namesOfVma, vmaOfWalk } from "../analysis/mapping.ts";
import { heldMode, saysPrivate } from "../analysis/protection.ts";
import { pmdSharingLocks } from "../kernel/pmd-sharing.ts";
import { onlyVma } from "./hugetlb-callers.ts";
import { isWalker, nameOfVma, sharingAxes, unprotectedWalk } from "./hugetlb-walk-uses.ts";
import type { Candidate, Rule, Site } from "./rule.ts";
import { placeOf } from "./rule.ts";

/** Walks the table of another process, whose VMA it found in the tree of a mapping that it has locked. */
const SHARES = "huge_pmd_share";

export const hugetlbWalkBypassed: Rule = {
  meta: {
    id: "hugetlb-walk-bypassed",
    title: "huge_pte_offset() called where hugetlb_walk() checks the locks",
    severity: "warning",
    since: "6.3",
    until: null,
    why:
      "hugetlb_walk() is huge_pte_offset() with an assertion: lockdep warns where neither the hugetlb vma lock nor i_mmap_rwsem is held. " +
      "A direct call gives that up. The lock is there today; whoever moves it tomorrow is not told.",
    messages: {
      bypassed: "{function}() calls huge_pte_offset() under {lock}: hugetlb_walk({vma}, ...) finds the same entry and lets lockdep check the lock",
    },
    scenarios: [],
    sources: [
      { thread: "Re: [PATCH RFC v2 00/12] mm/hugetlb: Make huge_pte_offset() thread-safe for pmd unshare", who: "Peter Xu", date: "2022-11-25", link: null },
    ],
  },
  effects: ["hugetlbWalk"],
  *check(site: Site): Iterable<Candidate> {
    const { program, call, effect } = site;
    if (effect.kind !== "hugetlbWalk" || call.name !== "huge_pte_offset" || isExempt(site)) return;
    const lock = heldLock(site);
    const vma = nameOfVma(program, vmaOfWalk(effect)) ?? onlyVma(program);
    // What nothing protects is for the rules that say so: another name for the call would not mend it.
    if (lock === null || vma === null || unprotectedWalk(site) !== null) return;
    yield { ruleId: this.meta.id, messageId: "bypassed", data: { function: program.name, lock, vma }, place: placeOf(program, call), related: lockedAt(site), prove: null };
  },
};

/** The walk itself, code of an architecture that has no VMA to ask, and where no PMD table is shared. */
const isExempt = (site: Site): boolean => {
  const { program } = site;
  return isWalker(program.name) || program.name === SHARES || (program.image.path?.startsWith("arch/") ?? false) || sharingAxes(site).length === 0;
};

/** The lock that is held in every state in which the mapping may be shared, in words; null: none, or it is always private. */
function heldLock({ states, effect, fn, target }: Site): string | null {
  const vma = effect.kind === "hugetlbWalk" ? vmaOfWalk(effect) : null;
  const alsoNamed = vma === null ? null : namesOfVma(fn.program, vma);
  const shared = states.filter(({ state }) => !saysPrivate(state, vma));
  const held = shared.map(({ state }) => ({ vmaLock: heldMode(state, "hugetlb_vma_lock", { vma, alsoNamed }), mapping: heldMode(state, "i_mmap_rwsem", { vma, alsoNamed }) }));
  if (held.length === 0 || held.some(({ vmaLock, mapping }) => vmaLock === null && mapping === null)) return null;
  if (held.every(({ vmaLock }) => vmaLock !== null)) return "the hugetlb vma lock";
  return held.every(({ mapping }) => mapping !== null) ? "i_mmap_rwsem" : pmdSharingLocks(target.release).words;
}

/** Where the function took the locks that count. */
const lockedAt = ({ program, states }: Site): Candidate["related"] =>
  [...new Set(states.flatMap(({ state }) => state.held.flatMap(({ lock, at }) => (at >= 0 && (lock === "hugetlb_vma_lock" || lock === "i_mmap_rwsem") ? [at] : []))))].toSorted((a, b) => a - b).flatMap((id) => {
    const node = program.nodes[id];
    return node?.kind === "call" ? [{ message: "the lock is taken here", place: placeOf(program, node) }] : [];
  });
