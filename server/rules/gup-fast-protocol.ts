// SPDX-License-Identifier: GPL-2.0-only
import { atLeast } from "../kernel/release.ts";
import type { Value } from "../program/code.ts";
import type { EffectProgram, NodeId } from "../program/program.ts";
import { reachable } from "../program/reach.ts";
import { render } from "../program/render.ts";
import { walkBesideFork } from "../scenarios/fork-and-pin/beside-fork.ts";
import { checkedUnpin, checksPages } from "../scenarios/fork-and-pin/checked-unpin.ts";
import { protectsPins } from "../scenarios/fork-and-pin/surroundings.ts";
import { placeBehind } from "../scenarios/pinned-pages.ts";
import { asValue } from "../scenarios/doubt.ts";
import { headTaken, splitBeforeGrab } from "../scenarios/split-before-grab.ts";
import { entryOfPage } from "../scenarios/walked-page.ts";
import { rivalsOf, walkerSecondLook } from "../scenarios/walker-second-look.ts";
import { walkerWithoutUnshare } from "../scenarios/walker-without-unshare.ts";
import { bailOutCandidates } from "./gup-fast-bail-out.ts";
import { secondLookFixes } from "./fix/second-look.ts";
import { besideForkFixes, uncheckedReleaseFixes } from "./fix/write-protect-seq.ts";
import { linesOf, settingsOf, testsOf } from "./other-lines.ts";
import { askedOfCall } from "./pages-asked.ts";
import { proved, provedCandidate, provenProperty } from "./proved-only.ts";
import type { Candidate, Rule, Site } from "./rule.ts";
import { isAffordable, placeOf } from "./rule.ts";

const ID = "gup-fast-protocol";

/** GUP's own functions that grab on behalf of a walker. */
const GRABBERS = /^(?:try_grab_|try_get_|gup_put_|grab_)/;
/** The outermost walker, inside of the function that reads the counter. */
const WALKERS = new Set(["gup_pgd_range", "gup_fast_pgd_range"]);

export const gupFastProtocol: Rule = {
  meta: {
    id: ID,
    title: "Lockless walk of GUP that misses what happens beside it",
    severity: "error",
    since: "5.7",
    until: null,
    why:
      "GUP-fast takes no lock. It takes its pin, and only then asks whether the entry is still the same, whether the page is still exclusive, and whether fork() was at work: " +
      "whoever takes a page away has cleared the entry before it looked for pins. A question that is asked before the pin says nothing about the time after it.",
    messages: {
      again: "{function}() does not read the entry again behind {call}(): a page that is moved away between the first look and the pin goes unnoticed",
      early: "{function}() asks gup_must_unshare() before {call}(): a page that is shared between the question and the pin goes unnoticed",
      head: "{function}() takes its reference on the head of a page and does not ask again whether it still is the head: where the huge page is split in between, nothing keeps the page",
      beside: "{function}() keeps what {call}() pins beside fork(): write_protect_seq is to be read before the walk and again behind it, and where it changed the pins are given back",
      dropped: "{function}() may leave with a page that {call}() took and that it neither counts nor gives back: nobody knows of the reference any more",
      otherwise: "{function}() gives a page of {call}() back by {release}(), with other references or flags than it was taken with: its count stays wrong",
      kept: "{function}() returns without pages and keeps what it has pinned: the caller goes the slow way, and nobody gives the pins back",
      checked: "{function}() gives back by {release}() what it pinned beside fork(): the pages may be shared by now, and with CONFIG_DEBUG_VM it hits a VM_BUG_ON_PAGE() for a page that is not exclusive",
    },
    offersEdits: true,
    scenarios: ["walker-second-look", "split-before-grab", "walk-beside-fork", "checked-unpin"],
    sources: [
      { thread: "mm/gup: prevent gup_fast from racing with COW during fork", who: "Jason Gunthorpe", date: "2020-12-15", link: "57efa1fe5957694fa541c9062de0a127f0b9acb0" },
    ],
  },
  effects: ["grabPage", "getReference", "gupFastWalk"],
  *check(site: Site): Iterable<Candidate> {
    if (site.effect.kind === "grabPage") {
      yield* secondLook(site);
      if (!GRABBERS.test(site.program.name) && !locksTable(site.program)) yield* bailOutCandidates(ID, site);
    }
    if (site.effect.kind === "getReference" && GRABBERS.test(site.program.name)) yield* head(site);
    if (site.effect.kind === "gupFastWalk" && WALKERS.has(site.call.name)) yield* besideFork(site);
  },
};

/** FAST-2. */
function* secondLook(site: Site): Iterable<Candidate> {
  const { program, node, call, effect, target } = site;
  if (GRABBERS.test(program.name) || !atLeast(target.release, "5.7") || !isAffordable(site) || locksTable(program) || mayBeLocked(program)) return;
  for (const rival of rivalsOf(target.release)) {
    if (rival === "moved" ? looksAgain(site) : !asksFirst(site)) continue;
    // A walker that asks the wrong way is gup-cow-break-missing's.
    if (rival === "shared" && proved(walkerWithoutUnshare(node, target.release), site)) continue;
    const experiment = walkerSecondLook(node, rival, target.release);
    if (!proved(experiment, site)) continue;
    yield {
      ...provedCandidate(site, ID, rival === "moved" ? "again" : "early", { function: program.name, call: call.name }, experiment),
      related: rival === "moved" ? entryReads(site) : questions(site),
      asked: askedOfCall(site, ...rivalsOf(target.release).map((one) => (at: NodeId) => walkerSecondLook(at, one, target.release))),
      fixes: () => (effect.kind === "grabPage" ? secondLookFixes(program, call, effect, rival, target.release) : []),
    };
    return;
  }
}

/** Where the entry is read. */
function entryReads({ program, effect }: Site): Candidate["related"] {
  const entry = effect.kind === "grabPage" ? entryOfPage(program, effect.page) : null;
  return linesOf("the entry is read here", program, settingsOf(program, entry && render(entry)));
}

const questions = ({ program }: Site): Candidate["related"] =>
  linesOf("asked here", program, testsOf(program, (condition) => condition.kind === "call" && condition.name === "gup_must_unshare"));

/** FAST-2. */
function* head(site: Site): Iterable<Candidate> {
  const { program, node } = site;
  if (headTaken(program, node) === null || !isAffordable(site) || locksTable(program)) return;
  const experiment = splitBeforeGrab(node);
  if (proved(experiment, site)) yield provedCandidate(site, ID, "head", { function: program.name }, experiment);
}

/* What a look at the graph rules out needs no exploration: most walkers are right. */

/** Under the page-table lock nobody takes a page away. */
const locksTable = (program: EffectProgram): boolean =>
  program.nodes.some((node) => node.kind === "call" && node.effects.some((effect) =>
    (effect.kind === "mapPte" && effect.locks) || effect.kind === "lockEntryTable" || ((effect.kind === "acquire" || effect.kind === "assertHeld") && (effect.lock === "ptl" || effect.lock === "spinlock"))));

/** Of a function whose head is not shown only the name says that it takes no lock there. */
const mayBeLocked = ({ openStart, name }: EffectProgram): boolean => openStart && !/^gup_|_fast(?:_|$)/.test(name);

/** An entry is read behind the grab, or may be where lines are not shown, before the next entry is. */
function looksAgain({ program, node, effect }: Site): boolean {
  const entry = effect.kind === "grabPage" ? entryOfPage(program, effect.page) : null;
  const grab = program.nodes[node];
  if (!entry || grab?.kind !== "call") return true;
  const name = render(placeBehind(entry));
  const next = program.nodes.flatMap((one, id) => ((one.kind === "assign" && render(one.target) === name) || (one.kind === "call" && one.result === name) ? [id] : []));
  return [...reachable(program, grab.next, new Set([node, ...next]))].some((id) => {
    const one = program.nodes[id];
    return one?.kind === "unseen" || (one?.kind === "call" && one.effects.some((each) => each.kind === "accessEntry" && !each.write));
  });
}

/** The page is asked for on a way to the grab. */
const asksFirst = ({ program, node }: Site): boolean =>
  [...reachable(program, program.entry, new Set([node]))].some((id) => {
    const one = program.nodes[id];
    return one?.kind === "branch" && one.condition.kind === "call" && one.condition.name === "gup_must_unshare";
  });

/** FAST-3, FAST-4. */
function* besideFork(site: Site): Iterable<Candidate> {
  const { program, node, call, target } = site;
  if (!protectsPins(target.release)) return;
  const experiment = walkBesideFork(node);
  const property = provenProperty(experiment, site);
  if (property === null) {
    yield* checkedRelease(site);
    return;
  }
  yield {
    ...provedCandidate(site, ID, property === "leak" ? "kept" : "beside", { function: program.name, call: call.name }, experiment),
    related: counterLines(program),
    asked: askedOfCall(site, walkBesideFork),
    fixes: () => besideForkFixes(program, call, target.release),
  };
}

/** Where write_protect_seq is looked at. */
const counterLines = (program: EffectProgram): Candidate["related"] =>
  linesOf("write_protect_seq is read here", program, program.nodes.flatMap((node) =>
    (node.kind === "call" && readsCounter(asValue(node))) || (node.kind === "branch" && readsCounter(node.condition)) ? [{ at: node.at, end: node.end }] : []));

const readsCounter = (value: Value): boolean => /\bread_seqcount/.test(render(value));

/** FAST-3. */
function* checkedRelease(site: Site): Iterable<Candidate> {
  const { program, node, target } = site;
  const call = program.nodes.find((one) => one.kind === "call" && checksPages(one));
  if (call?.kind !== "call" || target.config.DEBUG_VM === false) return;
  const experiment = checkedUnpin(node, target.release);
  if (!proved(experiment, site)) return;
  const data = { function: program.name, release: call.name };
  yield {
    ...provedCandidate(site, ID, "checked", data, experiment, placeOf(program, call)), severity: "warning",
    related: linesOf("pinned here", program, [site.call]),
    asked: askedOfCall(site, (at) => checkedUnpin(at, target.release)),
    fixes: () => uncheckedReleaseFixes(program, call, target.release),
  };
}
