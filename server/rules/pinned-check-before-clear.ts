// SPDX-License-Identifier: GPL-2.0-only
import type { Value } from "../program/code.ts";
import type { BoundEffect, EffectProgram, NodeId } from "../program/program.ts";
import { reachable } from "../program/reach.ts";
import { render } from "../program/render.ts";
import { comparesCounts, pinBehindCheck, questionsOf, takenEntry } from "../scenarios/pin-behind-check.ts";
import { pinBehindClearFixes } from "./fix/pin-behind-clear.ts";
import { linesOf } from "./other-lines.ts";
import { unflushedCandidates } from "./pin-check-unflushed.ts";
import { provedCandidate, provenProperty } from "./proved-only.ts";
import type { Candidate, Rule, Site, Standing } from "./rule.ts";
import { isAffordable } from "./rule.ts";

const ID = "pinned-check-before-clear";

export const pinnedCheckBeforeClear: Rule = {
  meta: {
    id: ID,
    title: "Pin test before the entry is cleared",
    severity: "error",
    since: "5.7",
    until: null,
    why:
      "GUP-fast takes no lock. A page that is not pinned when it is asked for can be pinned a moment later, as long as its entry is still there. " +
      "Clear and flush the entry first, then look for pins, and restore the entry where there are some.",
    messages: {
      before: "{function}() {looks} before {call}() and not again: GUP-fast can pin the page in between, and {consequence}",
      unflushed: "{function}() looks for pins behind {call}(), which does not flush: a CPU with the old TLB entry goes on writing the page; does every caller flush before the new entry is relied on?",
    },
    offersEdits: true,
    scenarios: ["pin-behind-check"],
    sources: [
      { thread: "Re: [PATCH 3/3] mm/uffd: Detect pgtable allocation failures", who: "David Hildenbrand", date: "2023-01-05", link: null },
    ],
  },
  effects: ["clearEntry", "modifyEntry"],
  *check(site: Site): Iterable<Candidate> {
    const { program, effect, node } = site;
    yield* unflushedCandidates(ID, site);
    const source = takenEntry(effect);
    if (!source || isTolerated(site) || !isAffordable(site)) return;
    const questions = questionsOf(program);
    // Where the entry is also reached without the question, that is about something else (a NUMA hint), and no promise.
    if (questions.length === 0 || reachable(program, program.entry, new Set(questions)).has(node)) return;
    const experiment = pinBehindCheck(node, source);
    const property = provenProperty(experiment, site);
    if (property === null) return;
    yield {
      ...provedCandidate(site, ID, "before", { function: program.name, call: site.call.name, looks: looksOf(program, questions), consequence: property === "lost-dma" ? LOST : UNSEEN }, experiment),
      related: linesOf("the only look", program, asked(program, questions)),
      asked: (code) => askedOf(code, site, source),
      fixes: () => pinBehindClearFixes(program, site.call, questions),
    };
  },
};

const LOST = "the device then writes a page that is no longer at this address";
const UNSEEN = "the device then writes a page that is taken for write-protected";

/** What the questions ask. */
const looksOf = ({ nodes }: EffectProgram, questions: readonly NodeId[]): string =>
  questions.every((id) => {
    const node = nodes[id];
    return node?.kind === "branch" && comparesCounts(node.condition);
  }) ? "counts references" : "looks for pins";

/** The questions in the text. */
const asked = ({ nodes }: EffectProgram, questions: readonly NodeId[]): { at: number; end: number }[] =>
  questions.flatMap((id) => {
    const node = nodes[id];
    return node?.kind === "branch" || node?.kind === "assign" || node?.kind === "call" ? [{ at: node.at, end: node.end }] : [];
  });

/** The same entry taken in code that may have been edited: a fix may take it with another call. */
function askedOf(code: Standing, { program, node }: Site, source: Value): ReturnType<NonNullable<Candidate["asked"]>> {
  const there = code.program(program);
  const isTaken = (effect: BoundEffect): boolean => takesSame(effect, source);
  const id = there && (code.node(program, node) ?? there.nodes.findIndex((one) => one.kind === "call" && one.effects.some(isTaken)));
  return there && id !== null && id >= 0 ? [{ experiment: pinBehindCheck(id, source), program: there }] : null;
}

function takesSame(effect: BoundEffect, source: Value): boolean {
  const taken = takenEntry(effect);
  return taken !== null && render(taken) === render(source);
}

/**
 * Soft-dirty may say too much, and looks first (fs/proc/task_mmu.c:1083-1123, 6.1.192). fork() protects entries inside of a write
 * section of write_protect_seq. Either is right.
 */
const isTolerated = ({ program }: Site): boolean =>
  /_clear_soft_dirty\s*\(/.test(program.image.text.slice(program.start, program.end)) ||
  program.nodes.some((node) => node.kind === "call" && node.effects.some(({ kind }) => kind === "seqcountSection" || kind === "forkCopy"));
