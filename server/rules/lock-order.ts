// SPDX-License-Identifier: GPL-2.0-only
import { objectText } from "../analysis/locks.ts";
import type { LockClass } from "../kernel/effect.ts";
import type { Value } from "../program/code.ts";
import { lockWords } from "../kernel/lock-words.ts";
import type { BoundEffect, CallNode, EffectProgram } from "../program/program.ts";
import { namesIn, render } from "../program/render.ts";
import { someIn } from "../scenarios/doubt.ts";
import { INVERSIONS, lockOrder, wantedBy, type Inversion } from "../scenarios/lock-order.ts";
import { proofOf } from "../scenarios/prove.ts";
import type { Candidate, Rule, Site } from "./rule.ts";
import { isAffordable, placeOf } from "./rule.ts";
import { MAX_STATES } from "./budget.ts";

export const lockOrderRule: Rule = {
  meta: {
    id: "lock-order",
    title: "lock taken in the wrong order, or held while somebody who needs it is waited for",
    severity: "error",
    since: "6.1",
    until: null,
    why:
      "Everybody takes the hugetlb fault mutex, then the hugetlb VMA lock, then i_mmap_rwsem. Who holds a later one and waits for an " +
      "earlier one meets somebody who waits the other way round, and neither goes on.",
    messages: {
      order: "{function}() waits for {wanted} in {call}() with {held} held: {others} takes them the other way round, and neither goes on",
      again: "{function}() calls {call}() with {held} held, and {call}() takes it again to share a page table: it waits for itself, or behind a writer that waits for it",
      same: "{function}() takes {held} in {call}() with {held} held already: it waits for itself, or behind a writer that waits for it",
      migration: "{function}() waits in {call}() with {held} held: the migration needs it to finish",
    },
    scenarios: ["lock-order"],
    sources: [
      { thread: "lock order at the top", who: "mm/rmap.c", date: "6.1.192", link: null },
      { thread: "the hugetlb VMA lock and its place", who: "commit 40549ba8f8e0", date: "6.1", link: null },
    ],
  },
  effects: ["acquire", "hugetlbWalk", "maySleep"],
  *check(site: Site): Iterable<Candidate> {
    const { program, effect, call, target } = site;
    const wanting = wantedBy(effect, call);
    if (wanting === null || program.openEnd) return;
    for (const inversion of INVERSIONS) {
      if (inversion.wanted !== wanting.wanted || !isAffordable(site)) continue;
      const messageId = messageOf(inversion, effect);
      if (messageId === null || !holds(site, inversion.held) || !isMeant(site, inversion, messageId)) continue;
      const proof = proofOf(lockOrder({ call, effect }, inversion), program, target.release, MAX_STATES);
      if (!proof) continue;
      const [held, wanted] = [lockWords(inversion.held), inversion.wanted === null ? "" : lockWords(inversion.wanted)];
      yield {
        ruleId: "lock-order",
        messageId,
        data: { function: program.name, call: call.name, held, wanted, others: inversion.by },
        place: placeOf(program, call),
        related: takenAt(site, inversion.held).map((one) => ({ message: `${held} taken here`, place: placeOf(program, one) })),
        prove: () => proof,
      };
    }
  },
};

type MessageId = "order" | "again" | "same" | "migration";

/** What is said of a call that takes what is wanted; null: an allocation that takes locks of its own, in their order. */
function messageOf({ held, wanted }: Inversion, { kind }: BoundEffect): MessageId | null {
  if (wanted === null) return "migration";
  if (kind === "hugetlbWalk") return held === wanted ? "again" : null;
  return held === wanted ? "same" : "order";
}

/** True where nothing in the text says that it is another lock, or another table. */
const isMeant = (site: Site, { held }: Inversion, messageId: MessageId): boolean => {
  switch (messageId) {
    case "again":
      return mayShare(site.program);
    case "same":
      return isOneObject(site, held);
    case "migration":
      return !remembersEntry(site.program);
    case "order":
      return true;
  }
};

/** True where the function has one object of the class only, under one name that keeps its value. */
function isOneObject({ program, effect, states }: Site, lock: LockClass): boolean {
  const objects = new Set(program.nodes.flatMap((node) => (node.kind === "call" ? node.effects.flatMap((one) => ((one.kind === "acquire" || one.kind === "release" || one.kind === "dropsLock") && one.lock === lock ? [one.object && objectText(one.object)] : [])) : [])));
  const [only] = objects;
  if (objects.size !== 1 || !only || effect.kind !== "acquire" || effect.object === null) return false;
  return namesIn(effect.object).every((name) => isGivenOnce(program, name)) && states.some(({ state }) => state.held.some((one) => one.lock === lock && one.object === only && one.taken && one.at >= 0));
}

/** A parameter that keeps its value, or a variable with one. */
function isGivenOnce(program: EffectProgram, name: string): boolean {
  const times = program.nodes.filter((node) => (node.kind === "assign" && render(node.target) === name) || (node.kind === "call" && node.result === name)).length;
  return program.variables.get(name)?.isParameter === true ? times === 0 : times <= 1;
}

/** The last calls that took the lock in states that reach the call, in order of text. */
function takenAt({ program, states }: Site, lock: LockClass): readonly CallNode[] {
  const taken = new Set(states.flatMap(({ state }) => state.held.filter((one) => one.lock === lock && one.taken && one.at >= 0).slice(-1).map(({ at }) => at)));
  return [...taken].toSorted((a, b) => a - b).flatMap((id) => {
    const node = program.nodes[id];
    return node?.kind === "call" ? [node] : [];
  });
}

/** True where the function itself has taken the lock in a state that reaches the call. */
const holds = ({ states }: Site, lock: LockClass): boolean => states.some(({ state }) => state.held.some((held) => held.lock === lock && held.taken && held.at >= 0));

/** Words of who asks whether a table may be shared, or knows that it is not: userfaultfd keeps its VMAs from sharing. */
const ASKS_ABOUT_SHARING = /uffd|UFFD|shar(?:e|ing)|VM_(?:MAY)?SHARED?/;

/** True where nothing in the function rules out that the table is shared. */
const mayShare = (program: EffectProgram): boolean =>
  !program.nodes.some((node) => {
    if (node.kind === "call") return ASKS_ABOUT_SHARING.test(node.name);
    const value = node.kind === "branch" ? node.condition : node.kind === "assign" ? node.value : null;
    return value !== null && someIn(value, (part) => (part.kind === "name" || part.kind === "call") && ASKS_ABOUT_SHARING.test(part.name));
  });

/** True where two entries that were read are compared: a page that took the place of the first is told by it before the wait. */
const remembersEntry = (program: EffectProgram): boolean =>
  program.nodes.some((node) => node.kind === "branch" && someIn(node.condition, (part) => part.kind === "call" && /^(?:pte|pmd)_same$/.test(part.name) && part.args.length === 2 && part.args.every(isVariable)));

const isVariable = (value: Value): boolean => value.kind === "name" || value.kind === "member";
