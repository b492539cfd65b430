// SPDX-License-Identifier: GPL-2.0-only
import { ERAS, gupEra } from "../kernel/era.ts";
import type { NodeId } from "../program/program.ts";
import type { Experiment } from "../scenarios/experiment.ts";
import { isProved, prove } from "../scenarios/prove.ts";
import { copyLosesPin, decidesReuse, keepsAt, keptPageLeaks, pinnedBefore } from "../scenarios/write-fault.ts";
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
/** States of a decision that is worth a finding: the models have some hundreds. */
const MAX_STATES = 20_000;

/** WP-1: from 5.9 on references count. */
function* leak(site: Site): Iterable<Candidate> {
  const { program, target } = site;
  const call = keepsAt(program);
  if (!call || ERAS[gupEra(target.release)].anonReuse === "mapcount" || !isShown(keptPageLeaks, site)) return;
  yield candidate(site, "leak", { function: program.name }, keptPageLeaks, call);
}

/** WP-2, WP-3: a page is kept by what the release goes by. */
function* pinLost(site: Site): Iterable<Candidate> {
  const { program, target } = site;
  const before = pinnedBefore(target.release);
  const experiment = before && copyLosesPin(before, site.node);
  if (!experiment || !isShown(experiment, site)) return;
  const why =
    before === "pin-then-fork"
      ? "fork of this release does not spare pinned pages, so that references must not count here (pins that were taken before a fork are lost)"
      : "a page that is exclusive must be kept without further tests";
  yield candidate(site, "pinLost", { function: program.name, why }, experiment, site.call);
}

const candidate = (site: Site, messageId: string, data: Candidate["data"], experiment: Experiment, call: Site["call"]): Candidate => ({
  ruleId: ID, messageId, data, place: placeOf(site.program, call), related: [],
  prove: (max) => prove(experiment, site.program, site.target.release, max),
  // What the hunk does not show may decide before.
  ...(site.program.openStart ? { asks: true } : {}),
});

/** Nothing else says that a test is the wrong one: without a schedule there is no finding. */
const isShown = (experiment: Experiment, { program, target }: Site): boolean => isProved(prove(experiment, program, target.release, MAX_STATES));
