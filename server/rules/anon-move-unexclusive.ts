// SPDX-License-Identifier: GPL-2.0-only
import type { EffectProgram } from "../program/program.ts";
import { movesOf, pageMoved } from "../scenarios/moved-page.ts";
import { proofOf } from "../scenarios/prove.ts";
import type { Candidate, Rule, Site } from "./rule.ts";
import { isAffordable, placeOf } from "./rule.ts";

const MAX_STATES = 100_000;

export const anonMoveUnexclusive: Rule = {
  meta: {
    id: "anon-move-unexclusive",
    title: "Anonymous page moved to another address without a look at its pins and at PageAnonExclusive",
    severity: "error",
    since: "5.19",
    until: null,
    why:
      "A pin is taken by address: the device goes on working with the page when it has moved to another one. GUP-fast takes no lock, so that pins are looked for once the old entry is cleared. " +
      "A page that is mapped once need not be exclusive: a reference of a child that is gone still reads it, and a new writable entry lets that reference see what is written next.",
    messages: {
      pins: "{function}() moves a page to {to} that may be pinned by its old address: nothing looks for pins after {from} is cleared",
      exclusive: "{function}() enters a moved page writable at {to} without PageAnonExclusive(): others may still read it by a reference",
    },
    scenarios: ["pinned-page-moved", "shared-page-moved"],
    sources: [
      { thread: "userfaultfd: UFFDIO_MOVE uABI", who: "commit adef440691ba", date: "6.8", link: null },
      { thread: "the order of clearing an entry, looking for pins, and PageAnonExclusive", who: "include/linux/rmap.h:285-352", date: "6.1.192", link: null },
    ],
  },
  effects: ["setEntry"],
  *check(site: Site): Iterable<Candidate> {
    const { program, call, node, target } = site;
    if (!isAffordable(site)) return;
    const move = movesOf(program).find((one) => one.node === node);
    if (!move) return;
    for (const forgotten of ["pins", "exclusive"] as const) {
      if (forgotten === "exclusive" && !move.isWritable) continue;
      // A test that stands in the wrong place is what pinned-check-before-clear is about.
      if (forgotten === "pins" && looksForPins(program)) continue;
      const proof = proofOf(pageMoved(move, forgotten), program, target.release, MAX_STATES);
      if (!proof) continue;
      yield { ruleId: this.meta.id, messageId: forgotten, data: { function: program.name, from: move.from, to: move.to }, place: placeOf(program, call), related: [], prove: () => proof };
      // One finding a place: the tests belong together.
      return;
    }
  },
};

const looksForPins = (program: EffectProgram): boolean => program.nodes.some((node) => node.kind === "call" && node.effects.some(({ kind }) => kind === "asksPins"));
