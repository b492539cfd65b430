// SPDX-License-Identifier: GPL-2.0-only
import { errorOutFixes, withoutWarningFixes } from "./fix/error-out.ts";
import { isKeptElsewhere, isWarned, LOST, lostAllocation, protects, tellsBy, type Failing, type Question } from "../scenarios/lost-allocation.ts";
import { proofOf, type Proof } from "../scenarios/prove.ts";
import { returnAt } from "./shown-calls.ts";
import type { Candidate, Rule, Site, Standing } from "./rule.ts";
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
      void: "{function}() returns nothing, and loses that {callee}() found no memory for a page table: part of the range stays unprotected, and nobody is told",
      count: "{function}() returns its count of pages where {callee}() found no memory for a page table: part of the range stays unprotected, and nobody is told",
      success: "{function}() returns success where {callee}() found no memory for a page table: part of the range stays unprotected, and nobody is told",
      warned: "{function}() warns where {callee}() finds no memory for a page table: any user can bring about the splat, and the error itself is returned",
    },
    offersEdits: true,
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
    const candidate = (messageId: string, proof: Proof): Candidate => ({
      ruleId: "pgtable-alloc-failure-lost",
      messageId,
      data: { function: program.name, callee: call.name },
      place: placeOf(program, call),
      related: messageId === "warned" ? [] : returnAt(program, proof).map((place) => ({ message: "returns here all the same", place })),
      ...(messageId === "warned" ? { severity: "warning" } : {}),
      prove: () => proof,
      asked: (code) => askedOf(code, site, messageId === "warned" ? "warns" : "arrives"),
      fixes: () => (messageId === "warned" ? withoutWarningFixes(program, call) : errorOutFixes({ program, call, isErrno: effect.form === "negative" && effect.flags !== undefined })),
    });
    const lost = proofOf(lostAllocation(at, effect, "arrives"), program, target.release, MAX_STATES);
    if (lost) return void (yield candidate(howLost(lost), lost));
    if (!isWarned(program, at)) return;
    const warned = proofOf(lostAllocation(at, effect, "warns"), program, target.release, MAX_STATES);
    if (warned) yield candidate("warned", warned);
  },
};

const howLost = ({ badState }: Proof): keyof typeof LOST => (["void", "count", "success"] as const).find((how) => badState.includes(LOST[how])) ?? "success";

/** The same call in code that may have been edited. */
function askedOf(code: Standing, { program, node }: Site, question: Question): ReturnType<NonNullable<Candidate["asked"]>> {
  const [there, id] = [code.program(program), code.node(program, node)];
  const call = there && id !== null ? there.nodes[id] : undefined;
  const effect = call?.kind === "call" ? call.effects.find((one): one is Failing => one.kind === "returnsError") : undefined;
  return there && call?.kind === "call" && effect ? [{ experiment: lostAllocation({ call, effect }, effect, question), program: there }] : null;
}

/** Functions that protect a range say so themselves; an allocation is made for all kinds of reasons. */
const asksForProtection = ({ program }: Site, { flags }: Failing): boolean => flags !== undefined || protects(program);
