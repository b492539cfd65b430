// SPDX-License-Identifier: GPL-2.0-only
import type { Target } from "../kernel/target.ts";
import type { EffectProgram } from "../program/program.ts";
import { forgetsPins, pinsForgotten } from "../scenarios/fork-and-pin/forgotten.ts";
import { pinsNotedLate } from "../scenarios/fork-and-pin/noted-late.ts";
import { forkOutsideSection } from "../scenarios/fork-and-pin/outside-section.ts";
import { ASKED, askedByFork, countsAsked, lastQuestion, pinOverlooked } from "../scenarios/fork-and-pin/overlooked.ts";
import { protectsPins } from "../scenarios/fork-and-pin/surroundings.ts";
import { proofOf, prove } from "../scenarios/prove.ts";
import { MAX_STATES } from "./budget.ts";
import { notesPins } from "../scenarios/fork-and-pin/protocol-words.ts";
import { callsWith, linesOf } from "./other-lines.ts";
import { proved, provedCandidate } from "./proved-only.ts";
import type { Candidate, Rule, Site, Subject } from "./rule.ts";
import { isAffordable } from "./rule.ts";

const ID = "fork-pin-protocol";

/** The whole walk of GUP-fast, as its caller sees it. */
const WHOLE_WALK = new Set(["lockless_pages_from_mm", "gup_fast"]);

export const forkPinProtocol: Rule = {
  meta: {
    id: ID,
    title: "Pin that fork() does not see",
    severity: "error",
    since: "5.11",
    until: null,
    why:
      "fork() gives the child a copy of a page that may be pinned. It must not share a page that GUP-fast is pinning at the same time: that is what mm->write_protect_seq is for, " +
      "and fork() only looks at pages of an mm that was told of its pins before the first was taken. Its question may be answered with yes too often, never with no.",
    messages: {
      section: "{function}() copies entries outside of a write section of the parent's write_protect_seq: GUP-fast can pin a page after fork() looked for pins and before the entry is write-protected",
      overlooked: "{function}() may say no for a {size} page that is pinned: fork() shares it, and the next write of the parent leaves the device with the old page",
      late: "{function}() calls {call}() before the mm is told that it has pins: a fork() in between looks for none, and shares a page that a device works on",
      forgotten: "{function}() clears MMF_HAS_PINNED: fork() looks for pins no longer and shares a page that a device works on; nothing tells when the last pin is gone",
    },
    scenarios: ["fork-outside-section", "pins-noted-late", "pins-forgotten", "pin-overlooked"],
    sources: [
      { thread: "mm/gup: prevent gup_fast from racing with COW during fork", who: "Jason Gunthorpe", date: "2020-12-15", link: "57efa1fe5957694fa541c9062de0a127f0b9acb0" },
      { thread: "Re: [PATCH 1/4] mm: Trial do_wp_page() simplification", who: "Jason Gunthorpe", date: "2020-09-15", link: null },
    ],
  },
  checkSubject: ({ unit, target }: Subject) => ({
    candidates: ASKED.flatMap((name) => unit.named(name)).filter((program) => unit.judged?.includes(program) ?? true).flatMap((program) => [...overlooked(program, target)]),
    obligations: [],
  }),
  effects: ["forkCopy", "gupFastWalk", "changesBit"],
  *check(site: Site): Iterable<Candidate> {
    const { effect, call, node, program, target } = site;
    if (!protectsPins(target.release)) return;
    if (effect.kind === "forkCopy") yield* outsideSection(site);
    if (effect.kind === "changesBit") yield* forgotten(site);
    if (effect.kind !== "gupFastWalk" || !WHOLE_WALK.has(call.name)) return;
    const experiment = pinsNotedLate(node);
    if (proved(experiment, site)) yield { ...provedCandidate(site, ID, "late", { function: program.name, call: call.name }, experiment), related: linesOf("the mm is told here", program, callsWith(program, notesPins)) };
  },
};

/** FORK-2. */
function* overlooked(program: EffectProgram, { release }: Target): Iterable<Candidate> {
  const asked = program.openStart || program.openEnd ? null : askedByFork(program, release);
  if (!asked) return;
  for (const size of countsAsked(asked)) {
    const experiment = pinOverlooked(asked, size);
    if (!proofOf(experiment, program, release, MAX_STATES)) continue;
    const place = { program, ...lastQuestion(program, size) };
    yield { ruleId: ID, messageId: "overlooked", data: { function: program.name, size }, place, related: [], prove: (max) => prove(experiment, program, release, max) };
    return;
  }
}

/** FORK-1, G4. Several ranges are copied one by one: the first that is not covered is said. */
function* outsideSection(site: Site): Iterable<Candidate> {
  const { program, node } = site;
  const first = program.nodes.findIndex((one) => one.kind === "call" && one.effects.some(({ kind }) => kind === "forkCopy"));
  if (node === first && proved(forkOutsideSection, site)) yield { ...provedCandidate(site, ID, "section", { function: program.name }, forkOutsideSection), related: sectionLines(program) };
}

const sectionLines = (program: EffectProgram): Candidate["related"] =>
  (["begin", "end"] as const).flatMap((step) => linesOf(`a write section ${step}s here`, program, callsWith(program, (effect) => effect.kind === "seqcountSection" && effect.step === step)));

/** FORK-3. */
function* forgotten(site: Site): Iterable<Candidate> {
  const { program, node, call } = site;
  if (!isAffordable(site) || !forgetsPins(program, node)) return;
  const experiment = pinsForgotten(node, call);
  if (proved(experiment, site)) yield provedCandidate(site, ID, "forgotten", { function: program.name }, experiment);
}
