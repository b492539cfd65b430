// SPDX-License-Identifier: GPL-2.0-only
import { entryRecheck, type Stale } from "../scenarios/entry-recheck.ts";
import { proofOf } from "../scenarios/prove.ts";
import { staleAt } from "../scenarios/stale-reads.ts";
import { recheckFixes } from "./fix/recheck.ts";
import type { Candidate, Rule, Site, Standing } from "./rule.ts";
import { isAffordable, placeOf } from "./rule.ts";
import { MAX_STATES } from "./budget.ts";
import { detachedTable } from "./detached-table.ts";
import { mmapLockAt } from "./mmap-lock.ts";

export const pteRecheckMissing: Rule = {
  meta: {
    id: "pte-recheck-missing",
    title: "page table entry changed on the strength of an old look at it",
    severity: "error",
    since: "2.6.12",
    until: null,
    why:
      "What was read of an entry without its lock, or before a wait, may be old when the lock is taken: reclaim, faults and other callers change entries under " +
      "the same lock. Unless it is compared again (pte_same(), pmd_same()), a page that is in use elsewhere is mapped, and what others did is lost.",
    messages: {
      folio: "{function}() goes back with {folio} kept and moves it although {pointer} may map another page by then: {copy} is read again, and not compared with what {folio} was found by",
      entry: "{function}() sets {pointer} by {copy}, which was read without the lock, and does not compare again under it",
      table: "{function}() writes to {pointer} although its table may be gone from {pmd}: nothing compares the pmd again under the lock",
      kept:
        "{function}() takes it that the table of {pointer} is still there because the entry is still none: nothing compares {pmd} again under the lock. " +
        "True only until tables of anonymous memory are taken away from readers of mmap_lock, as from 6.14 on",
    },
    offersEdits: true,
    scenarios: ["move-stale-folio", "stale-entry-written", "pte-table-detached"],
    sources: [
      { thread: "userfaultfd: UFFDIO_MOVE uABI", who: "commit adef440691ba", date: "6.8", link: null },
      { thread: "pte_offset_map_rw_nolock() gives the pmd value that it read", who: "commit 66efef9b1a7d", date: "6.13", link: null },
    ],
  },
  effects: ["clearEntry", "setEntry"],
  seesInlined: true,
  *check(site: Site): Iterable<Candidate> {
    const { program, call, effect, target } = site;
    if (program.openEnd || program.openStart || !isAffordable(site)) return;
    for (const stale of staleAt(program, { call, effect }, target.release)) {
      const found = stale.is === "table" ? detachedTable(site, stale) : staleRead(site, stale);
      if (found) yield { ...found, asked: (code) => askedOf(code, site, stale), fixes: () => recheckFixes(program, call, stale) };
      if (found && stale.is !== "folio") return;
    }
  },
};

function staleRead(site: Site, stale: Stale & { is: "folio" | "entry" }): Candidate | null {
  const { program, call, effect, target } = site;
  // What a helper does to an entry that it is handed is told where it stands.
  if (call.inlined !== undefined) return null;
  const proof = proofOf(entryRecheck({ call, effect }, stale), program, target.release, MAX_STATES);
  // What callers hold costs most to find out.
  if (!proof || !othersMayRun(stale, site)) return null;
  return {
    ruleId: "pte-recheck-missing", messageId: stale.is, data: { function: program.name, ...named(stale) }, place: placeOf(program, stale.is === "folio" ? stale.retry : call), related: [],
    prove: () => proof,
  };
}

/** The same question about code that may have been edited: jumps back keep their order. */
function askedOf(code: Standing, { program, node, call, effect, target }: Site, stale: Stale): ReturnType<NonNullable<Candidate["asked"]>> {
  const [there, id] = [code.program(program), code.node(program, node)];
  const now = there && id !== null ? there.nodes[id] : undefined;
  const same = now?.kind === "call" ? now.effects.find((one) => one.kind === effect.kind) : undefined;
  if (!there || now?.kind !== "call" || !same) return null;
  const alike = (one: Stale): boolean => JSON.stringify(named(one)) === JSON.stringify(named(stale));
  const before = staleAt(program, { call, effect }, target.release).filter(alike);
  const after = staleAt(there, { call: now, effect: same }, target.release).filter(alike);
  const which = after[before.findIndex((one) => one.is !== "folio" || (stale.is === "folio" && one.retry.at === stale.retry.at))];
  return which ? [{ experiment: entryRecheck({ call: now, effect: same }, which), program: there }] : null;
}

const named = (stale: Stale): Record<string, string> => Object.fromEntries(Object.entries(stale).flatMap(([key, value]) => (typeof value === "string" ? [[key, value]] : [])));

/** Other faults need the mmap lock for reading: it must be known that they can have it. */
function othersMayRun(stale: Stale & { is: "folio" | "entry" }, site: Site): boolean {
  const mode = mmapLockAt(site);
  return mode === "read" || (mode === "unknown" && !(stale.is === "entry" && stale.faults));
}
