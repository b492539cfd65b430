// SPDX-License-Identifier: GPL-2.0-only
import { textAt } from "../program/place.ts";
import type { BranchNode, EffectProgram, NodeId } from "../program/program.ts";
import { reachable } from "../program/reach.ts";
import { asksMapcount, movesOf, pageMoved, type Move } from "../scenarios/moved-page.ts";
import { proofOf } from "../scenarios/prove.ts";
import { heldBefore } from "./held-before.ts";
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
      pinsDecided: "{function}() moves a page to {to} that may be pinned by its old address: `{condition}` decides it, and nothing looks for pins after {from} is cleared",
      exclusiveDecided: "{function}() takes a page for exclusive by `{condition}` and enters it writable at {to}: mapped once is not PageAnonExclusive(), others may still read it by a reference",
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
      const [decision, ...others] = DECISIONS[forgotten](program, move);
      yield {
        ruleId: this.meta.id,
        messageId: decision ? `${forgotten}Decided` : forgotten,
        data: { function: program.name, from: move.from, to: move.to, condition: decision ? textAt(program.image, decision.at, decision.end).replace(/\s+/g, " ") : "" },
        place: placeOf(program, decision ?? call),
        related: [
          ...others.map((one) => ({ message: "asked here, too", place: placeOf(program, one) })),
          ...(decision ? [{ message: "the page is entered here", place: placeOf(program, call) }] : []),
        ],
        prove: () => proof,
      };
    }
  },
};

const looksForPins = (program: EffectProgram): boolean => program.nodes.some((node) => node.kind === "call" && node.effects.some(({ kind }) => kind === "asksPins"));

/** Where a function decides that the page may be moved: for pins the last look under the locks, for others what counts mappings. */
const DECISIONS: Readonly<Record<"pins" | "exclusive", (program: EffectProgram, move: Move) => readonly BranchNode[]>> = {
  pins: (program, move) => deciding(program, move, heldBefore(program, move.node)).slice(-1),
  exclusive: (program, move) => deciding(program, move, program.nodes.flatMap((node, id) => (node.kind === "branch" && asksMapcount(node.condition) ? [id] : []))),
};

/** Conditions of the function's own text, in order, one of whose answers leads away from the move. */
const deciding = (program: EffectProgram, { node, call }: Move, ids: readonly NodeId[]): readonly BranchNode[] =>
  ids
    .flatMap((id) => {
      const branch = program.nodes[id];
      if (branch?.kind !== "branch" || branch.at < program.start || branch.at >= call.at) return [];
      const leads = (way: NodeId): boolean => reachable(program, way, new Set([id])).has(node);
      return leads(branch.then) !== leads(branch.otherwise) ? [branch] : [];
    })
    .toSorted((a, b) => a.at - b.at);
