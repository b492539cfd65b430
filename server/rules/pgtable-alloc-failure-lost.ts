// SPDX-License-Identifier: GPL-2.0-only
import { isKeptElsewhere, isWarned, lostAllocation, protects, tellsBy, type Failing } from "../scenarios/lost-allocation.ts";
import { isProved, prove } from "../scenarios/prove.ts";
import type { Candidate, Rule, Site } from "./rule.ts";
import { isAffordable, placeOf } from "./rule.ts";
import { MAX_STATES } from "./budget.ts";

export const pgtableAllocFailureLost: Rule = {
  meta: {
    id: "pgtable-alloc-failure-lost",
    title: "page table could not be allocated, and whoever asked for protection is told success",
    severity: "error",
    since: "5.19",
    until: null,
    why:
      "Write protection of pages that are not mapped is kept as markers, and markers need page tables. Where one cannot be " +
      "allocated and the error is lost, userfaultfd reports success: writes to that part of the range are never seen.",
    messages: {
      lost: "{function}(): {bad}",
      warned: "{function}() warns where {callee}() finds no memory: {bad}",
    },
    scenarios: ["pgtable-alloc-failure-lost"],
    sources: [
      { thread: "Re: [PATCH 3/3] mm/uffd: Detect pgtable allocation failures", who: "Peter Xu", date: "2023-01-04", link: null },
      { thread: "Re: [PATCH 3/3] mm/uffd: Detect pgtable allocation failures", who: "Nadav Amit", date: "2023-01-05", link: null },
    ],
  },
  effects: ["returnsError"],
  *check(site: Site): Iterable<Candidate> {
    const { program, effect, call, target } = site;
    if (effect.kind !== "returnsError" || !effect.allocates || program.openEnd || !isAffordable(site)) return;
    if (!asksForProtection(site, effect) || tellsBy(program) === null || isKeptElsewhere(program, call)) return;
    const at = { call, effect };
    const candidate = (messageId: string, proof: ReturnType<typeof prove>): Candidate => ({
      ruleId: "pgtable-alloc-failure-lost",
      messageId,
      data: { function: program.name, callee: call.name, bad: proof.badState },
      place: placeOf(program, call),
      related: [],
      ...(messageId === "warned" ? { severity: "warning" } : {}),
      prove: () => proof,
    });
    const lost = prove(lostAllocation(at, effect, "arrives"), program, target.release, MAX_STATES);
    if (isProved(lost)) return void (yield candidate("lost", lost));
    if (!isWarned(program, at)) return;
    const warned = prove(lostAllocation(at, effect, "warns"), program, target.release, MAX_STATES);
    if (isProved(warned)) yield candidate("warned", warned);
  },
};

/** Functions that protect a range say so themselves; an allocation is made for all kinds of reasons. */
const asksForProtection = ({ program }: Site, { flags }: Failing): boolean => flags !== undefined || protects(program);
