// SPDX-License-Identifier: GPL-2.0-only
import type { LockClass } from "../kernel/effect.ts";
import type { Value } from "../program/code.ts";
import type { EffectProgram } from "../program/program.ts";
import { someIn } from "../scenarios/doubt.ts";
import { INVERSIONS, lockOrder, wantedBy } from "../scenarios/lock-order.ts";
import { proofOf } from "../scenarios/prove.ts";
import type { Candidate, Rule, Site } from "./rule.ts";
import { isAffordable, placeOf } from "./rule.ts";
import { MAX_STATES } from "./budget.ts";

export const lockOrderRule: Rule = {
  meta: {
    id: "lock-order",
    title: "lock taken in the wrong order, or held while somebody who needs it is waited for",
    severity: "error",
    since: "6.1",
    until: null,
    why:
      "Everybody takes the hugetlb fault mutex, then the hugetlb VMA lock, then i_mmap_rwsem. Who holds a later one and waits for an " +
      "earlier one meets somebody who waits the other way round, and neither goes on.",
    messages: {
      order: "{function}() waits for {wanted} in {call}() with {held} held: others take them the other way round",
      again: "{function}() holds {held} over {call}(), which takes it again to share a page table",
      migration: "{function}() waits in {call}() for a migration that needs the {held} which it holds locked",
    },
    scenarios: ["lock-order"],
    sources: [
      { thread: "lock order at the top", who: "mm/rmap.c", date: "6.1.192", link: null },
      { thread: "the hugetlb VMA lock and its place", who: "commit 40549ba8f8e0", date: "6.1", link: null },
    ],
  },
  effects: ["acquire", "hugetlbWalk", "maySleep"],
  *check(site: Site): Iterable<Candidate> {
    const { program, effect, call, target } = site;
    const wanting = wantedBy(effect, call);
    if (wanting === null || program.openEnd) return;
    for (const inversion of INVERSIONS) {
      const isAgain = inversion.held === inversion.wanted;
      if (inversion.wanted !== wanting.wanted || isAgain !== (effect.kind === "hugetlbWalk") || !isAffordable(site)) continue;
      if (!holds(site, inversion.held) || (isAgain && !mayShare(program)) || (inversion.wanted === null && remembersEntry(program))) continue;
      const proof = proofOf(lockOrder({ call, effect }, inversion), program, target.release, MAX_STATES);
      if (!proof) continue;
      yield {
        ruleId: "lock-order",
        messageId: inversion.wanted === null ? "migration" : isAgain ? "again" : "order",
        data: { function: program.name, call: call.name, held: inversion.held, wanted: inversion.wanted ?? "" },
        place: placeOf(program, call),
        related: [],
        prove: () => proof,
      };
    }
  },
};

/** True where the function itself has taken the lock in a state that reaches the call. */
const holds = ({ states }: Site, lock: LockClass): boolean => states.some(({ state }) => state.held.some((held) => held.lock === lock && held.taken && held.at >= 0));

/** Words of who asks whether a table may be shared, or knows that it is not: userfaultfd keeps its VMAs from sharing. */
const ASKS_ABOUT_SHARING = /uffd|UFFD|shar(?:e|ing)|VM_(?:MAY)?SHARED?/;

/** True where nothing in the function rules out that the table is shared. */
const mayShare = (program: EffectProgram): boolean =>
  !program.nodes.some((node) => {
    if (node.kind === "call") return ASKS_ABOUT_SHARING.test(node.name);
    const value = node.kind === "branch" ? node.condition : node.kind === "assign" ? node.value : null;
    return value !== null && someIn(value, (part) => (part.kind === "name" || part.kind === "call") && ASKS_ABOUT_SHARING.test(part.name));
  });

/** True where two entries that were read are compared: a page that took the place of the first is told by it before the wait. */
const remembersEntry = (program: EffectProgram): boolean =>
  program.nodes.some((node) => node.kind === "branch" && someIn(node.condition, (part) => part.kind === "call" && /^(?:pte|pmd)_same$/.test(part.name) && part.args.length === 2 && part.args.every(isVariable)));

const isVariable = (value: Value): boolean => value.kind === "name" || value.kind === "member";
