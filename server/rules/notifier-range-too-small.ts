// SPDX-License-Identifier: GPL-2.0-only
import type { Value } from "../program/code.ts";
import { unsharesForCaller } from "../kernel/pmd-sharing.ts";
import type { BoundEffect, CallNode, EffectProgram } from "../program/program.ts";
import { namesIn, render } from "../program/render.ts";
import { isUnshare, narrowRange } from "../scenarios/narrow-range.ts";
import { isOwnRange, rangePlace } from "../scenarios/obligation/notifier-range.ts";
import { proofOf } from "../scenarios/prove.ts";
import { doesTo, isFirstStart } from "./notifier-doing.ts";
import type { Candidate, Rule, Site } from "./rule.ts";
import { isAffordable, placeOf } from "./rule.ts";
import { MAX_STATES } from "./budget.ts";

export const notifierRangeTooSmall: Rule = {
  meta: {
    id: "notifier-range-too-small",
    title: "invalidation smaller than the shared table that is taken out",
    severity: "error",
    since: "2.6.27",
    until: null,
    why:
      "huge_pmd_unshare() takes out a PMD table with all that it maps, not only the page that was asked for. A range that was not widened " +
      "to the bounds of the table does not reach those who have another of its pages mapped: they go on with pages that may be freed.",
    messages: { narrow: "{function}() starts {name} without widening it to the PMD table that it unshares: KVM and devices keep their mappings of the table's other pages" },
    scenarios: ["narrow-invalidation"],
    sources: [
      { thread: "mm: migration: fix migration of huge PMD shared pages", who: "commit 017b1660df89", date: "4.19", link: null },
      { thread: "hugetlb: take PMD sharing into account when flushing tlb/caches", who: "commit dff11abe280b", date: "4.19", link: null },
    ],
  },
  effects: ["notifierStart"],
  *check(site: Site): Iterable<Candidate> {
    const { program, call, effect, target } = site;
    if (effect.kind !== "notifierStart" || !effect.blocking || program.openStart || program.openEnd) return;
    const place = rangePlace(effect.range);
    if (!isOwnRange(program, place) || !isFirstStart(program, call, place)) return;
    const seen = withUnshares(site);
    const unsharing = seen.nodes.filter((node): node is CallNode => node.kind === "call" && node.effects.some(isUnshare));
    if (unsharing.length === 0 || !isAffordable(site) || !mayBeNarrow(program, place)) return;
    const proof = proofOf(narrowRange(place), seen, target.release, MAX_STATES);
    if (!proof) return;
    const unshares = unsharing.map((node) => ({ message: "unshared here", place: placeOf(program, node) }));
    yield { ruleId: this.meta.id, messageId: "narrow", data: { function: program.name, name: place }, place: placeOf(program, call), related: unshares, prove: () => proof };
  },
};

const UNSHARE: BoundEffect = { kind: "modifyEntry", pte: { kind: "name", name: "ptep", at: -1 }, address: null, space: null, level: "hugetlb", how: "unshare", onlyPresent: false };

/** The program with calls of functions that unshare tables for their caller: those of the kernel, and helpers with no range of their own. */
function withUnshares({ program, unit, target }: Site): EffectProgram {
  const has = ({ nodes }: EffectProgram, isMeant: (effect: BoundEffect) => boolean): boolean => nodes.some((node) => node.kind === "call" && node.effects.some(isMeant));
  const unshares = ({ name, effects }: CallNode): boolean =>
    !effects.some(isUnshare) && (unsharesForCaller(name, target.release) || unit.named(name).some((one) => one !== program && has(one, isUnshare) && !has(one, ({ kind }) => kind === "notifierStart")));
  return { ...program, nodes: program.nodes.map((node) => (node.kind === "call" && unshares(node) ? { ...node, effects: [...node.effects, UNSHARE] } : node)) };
}

/** False where the bounds may be those of tables already: aligned, of the whole mapping, or set by hand. */
function mayBeNarrow(program: EffectProgram, place: string): boolean {
  const inits = program.nodes.flatMap((node) => (node.kind === "call" && doesTo(node, place) === "renews" ? node.effects : []));
  // Under which condition it is widened may be another word for what is unshared.
  if (program.nodes.some((node) => node.kind === "call" && node.effects.some(({ kind }) => kind === "widensRange"))) return false;
  const isSetByHand = program.nodes.some((node) => node.kind === "assign" && render(node.target).startsWith(`${place}.`));
  return !isSetByHand && inits.length > 0 && inits.every((init) => init.kind !== "notifierInit" || (!isOfTables(program, init.start) && (!init.end || !isOfTables(program, init.end))));
}

const OF_TABLES = /\bALIGN|\bround_|PUD_|P4D_|vm_start|vm_end|ULONG_MAX/;

/** The text of a bound, or of what its names were given, aligns it. */
const isOfTables = (program: EffectProgram, bound: Value): boolean =>
  OF_TABLES.test(render(bound)) ||
  namesIn(bound).some((name) => program.nodes.some((node) => node.kind === "assign" && node.value !== null && render(node.target) === name && OF_TABLES.test(render(node.value))));
