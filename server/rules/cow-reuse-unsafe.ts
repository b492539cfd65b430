// SPDX-License-Identifier: GPL-2.0-only
import { ERAS, gupEra } from "../kernel/era.ts";
import type { NodeId } from "../program/program.ts";
import { copyLosesPin, decidesReuse, keepsAt, keptPageLeaks, pinnedBefore } from "../scenarios/write-fault.ts";
import { keepExclusiveFixes, keepFewerFixes } from "./fix/reuse-test.ts";
import { askedOfCall } from "./pages-asked.ts";
import { proved, provedCandidate } from "./proved-only.ts";
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
      leak: "{function}() keeps a page to which somebody else has a reference: a child that put it into a pipe and unmapped it reads what the process writes now",
      pinLost: "{function}() copies a page that a device works on: {why}",
    },
    offersEdits: true,
    scenarios: ["kept-page-leaks", "copy-loses-pin"],
    sources: [
      { thread: "Re: [PATCH 1/4] mm: Trial do_wp_page() simplification", who: "Peter Xu", date: "2020-09-15", link: null },
      { thread: "Re: [PATCH 1/4] mm: Trial do_wp_page() simplification", who: "Jason Gunthorpe", date: "2020-09-15", link: null },
    ],
  },
  effects: ["cowFault"],
  *check(site: Site): Iterable<Candidate> {
    const { effect, program } = site;
    if (effect.kind !== "cowFault" || effect.does !== "copy" || !decidesReuse(program)) return;
    const copies = program.nodes.flatMap((node, id): NodeId[] => (node.kind === "call" && node.inlined === undefined && node.effects.some((one) => one.kind === "cowFault" && one.does === "copy") ? [id] : []));
    if (copies.length > MAX_COPIES) return;
    yield* pinLost(site);
    // What is kept does not depend on which of several copies is made.
    if (site.node === copies[0]) yield* leak(site);
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
      ? "fork of this release does not spare pinned pages, so that references must not count here (pins that were taken before a fork are lost)"
      : "a page that is exclusive must be kept without further tests";
  yield {
    ...provedCandidate(site, ID, "pinLost", { function: program.name, why }, experiment),
    asked: askedOfCall(site, (at) => copyLosesPin(before, at)),
    fixes: () => (before === "pin-then-fork" ? [] : keepExclusiveFixes(program)),
  };
}
