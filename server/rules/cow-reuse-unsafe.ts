// SPDX-License-Identifier: GPL-2.0-only
import { ERAS, gupEra } from "../kernel/era.ts";
import type { EffectProgram, NodeId } from "../program/program.ts";
import { render } from "../program/render.ts";
import { copyLosesPin, decidesReuse, keepsAt, keptPageLeaks, pinnedBefore } from "../scenarios/write-fault.ts";
import { pageAfterUnlock, usesAfterKeeping } from "../scenarios/page-after-unlock.ts";
import { copiesReferenced, knowsMonitor, knowsPending, pendingFlushCopy } from "../scenarios/pending-flush-copy.ts";
import { keepExclusiveFixes, keepFewerFixes, usedEarlierFixes } from "./fix/reuse-test.ts";
import { linesOf, testsOf } from "./other-lines.ts";
import { askedOfCall } from "./pages-asked.ts";
import { proved, provedCandidate } from "./proved-only.ts";
import { replacedPage } from "./replaced-page-check.ts";
import { placeOf, type Candidate, type Rule, type Site } from "./rule.ts";

const ID = "cow-reuse-unsafe";

export const cowReuseUnsafe: Rule = {
  meta: {
    id: ID,
    title: "Write fault that keeps a page others can read, or copies one that is pinned",
    severity: "error",
    since: "4.4",
    until: null,
    why:
      "A write fault on a read-only entry decides whether the process keeps the page. Kept although somebody else has a reference, it leaks what is written (CVE-2020-29374); " +
      "copied although a device works on it, the device and the process go separate ways. Which test is right depends on what fork and GUP of the release do.",
    messages: {
      leak: "{function}() keeps a page to which somebody else may have a reference: a child that put it into a pipe and unmapped it reads what the process writes next",
      unflushed: "{function}() sets the new entry while the old one is not cleared and flushed: two CPUs use two pages at one address",
      unmappedEarly: "{function}() takes the old page out of the reverse map while the entry, or a TLB, still leads to it: another process that maps it keeps it as its own, and its writes are read here",
      unshareWritable: "{function}() makes the entry writable although FAULT_FLAG_UNSHARE asked for no write: a write to it raises no event of userfaultfd",
      unshareUnguarded: "{function}() loses the uffd-wp bit of an entry that it unshares: the next write raises no event of userfaultfd",
      unshareClean: "{function}() loses the soft-dirty bit of an entry that it unshares: a tracker misses what was written before",
      pendingFlush: "{function}() calls {call}() while the flush of an earlier userfaultfd protection may be pending: what another CPU stores through its TLB entry meanwhile is not copied",
      usedAfterUnlock: "{function}() calls {call}() on the page after wp_page_reuse() gave the page-table lock up: only the entry held a reference, and the page may be freed",
      pinLost: "{function}() may copy a page that a device has pinned: {why}",
    },
    offersEdits: true,
    scenarios: ["kept-page-leaks", "copy-loses-pin", "pending-flush-copy", "page-after-unlock", "new-entry-unflushed", "old-page-reused-early", "unshared-unguarded", "unshared-clean"],
    sources: [
      { thread: "Re: [PATCH 1/4] mm: Trial do_wp_page() simplification", who: "Peter Xu", date: "2020-09-15", link: null },
      { thread: "Re: [PATCH 1/4] mm: Trial do_wp_page() simplification", who: "Jason Gunthorpe", date: "2020-09-15", link: null },
    ],
  },
  effects: ["cowFault", "setEntry"],
  *check(site: Site): Iterable<Candidate> {
    const { effect, program } = site;
    if (effect.kind === "setEntry" && isWhole(program)) yield* replacedPage(ID, site);
    if (effect.kind !== "cowFault" || effect.does !== "copy" || !decidesReuse(program)) return;
    const copies = program.nodes.flatMap((node, id): NodeId[] => (node.kind === "call" && node.inlined === undefined && node.effects.some((one) => one.kind === "cowFault" && one.does === "copy") ? [id] : []));
    if (copies.length > MAX_COPIES) return;
    yield* pinLost(site);
    yield* copiedTooEarly(site);
    // What is kept, and what becomes of it, does not depend on which of several copies is made.
    if (site.node !== copies[0]) return;
    yield* leak(site);
    yield* usedTooLate(site);
  },
};

/** Code has one or two; every one costs an exploration. */
const MAX_COPIES = 4;
/** WP-1: from 5.9 on references count. */
function* leak(site: Site): Iterable<Candidate> {
  const { program, target } = site;
  const call = keepsAt(program);
  if (!call || ERAS[gupEra(target.release)].anonReuse === "mapcount" || !proved(keptPageLeaks, site)) return;
  yield {
    ...provedCandidate(site, ID, "leak", { function: program.name }, keptPageLeaks, placeOf(program, call)),
    related: decisions(program),
    asked: askedOfCall(site, () => keptPageLeaks),
    fixes: () => keepFewerFixes(program),
  };
}

/** WP-2, WP-3: a page is kept by what the release goes by. */
function* pinLost(site: Site): Iterable<Candidate> {
  const { program, target } = site;
  const before = pinnedBefore(target.release);
  const experiment = before && copyLosesPin(before, site.node);
  if (!experiment || !proved(experiment, site)) return;
  const why =
    before === "pin-then-fork"
      ? "fork() of this release shares pinned pages, so that a pin taken before it is lost where references count"
      : "an exclusive page must be kept without further tests";
  yield {
    ...provedCandidate(site, ID, "pinLost", { function: program.name, why }, experiment),
    related: decisions(program),
    asked: askedOfCall(site, (at) => copyLosesPin(before, at)),
    fixes: () => (before === "pin-then-fork" ? [] : keepExclusiveFixes(program)),
  };
}

/** Tests by which it is decided whether the page is kept. */
const decisions = (program: EffectProgram): Candidate["related"] =>
  linesOf("this decides whether the page is kept", program, testsOf(program, (condition) => /mapcount|_count\(|reuse_|exclusive|Exclusive|trylock|pinned/.test(render(condition))));

const isWhole = ({ nodes, openStart }: EffectProgram): boolean => !openStart && !nodes.some(({ kind }) => kind === "unseen");

/** WP-6: where references decide, a page is copied whose entry was writable a moment ago. */
function* copiedTooEarly(site: Site): Iterable<Candidate> {
  const { call, fn, node, program, target, unit } = site;
  // What is not visible may flush.
  if (!copiesReferenced(target.release) || !knowsMonitor(program) || !isWhole(program)) return;
  const experiment = pendingFlushCopy(node);
  if (!proved(experiment, site)) return;
  // Whoever copies, or calls, may flush as well.
  const others = [...unit.named(call.name), ...fn.contexts.flatMap(({ chain }) => chain.map((one) => one.program))];
  if (others.some(knowsPending)) return;
  yield { ...provedCandidate(site, ID, "pendingFlush", { function: program.name, call: call.name }, experiment), related: linesOf("resolved, and perhaps not flushed yet", program, testsOf(program, (condition) => /uffd|userfaultfd/.test(render(condition)))) };
}

/** WP-4: the entry holds the reference, and the page-table lock holds the entry. */
function* usedTooLate(site: Site): Iterable<Candidate> {
  const { program } = site;
  const [use] = usesAfterKeeping(program);
  if (!use || !isWhole(program)) return;
  const experiment = pageAfterUnlock(program);
  if (!proved(experiment, site)) return;
  const kept = keepsAt(program);
  yield {
    ...provedCandidate(site, ID, "usedAfterUnlock", { function: program.name, call: use.call.name }, experiment, placeOf(program, use.call)),
    related: linesOf("the page-table lock is given up here", program, kept ? [kept] : []),
    asked: (code) => {
      const there = code.program(program);
      return there && [{ experiment: pageAfterUnlock(there), program: there }];
    },
    fixes: () => (kept ? usedEarlierFixes(program, kept, use.call) : []),
  };
}
