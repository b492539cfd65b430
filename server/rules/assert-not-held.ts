// SPDX-License-Identifier: GPL-2.0-only
import { objectText } from "../analysis/locks.ts";
import { isGeneric } from "../analysis/state.ts";
import type { LockClass } from "../kernel/effect.ts";
import { lockWords } from "../kernel/lock-words.ts";
import type { Value } from "../program/code.ts";
import { successors, type BoundEffect, type CallNode, type EffectProgram, type NodeId, type ProgramNode } from "../program/program.ts";
import { namesIn, render, substitute } from "../program/render.ts";
import type { Candidate, Rule, Site } from "./rule.ts";
import { placeOf } from "./rule.ts";

type Required = BoundEffect & { readonly kind: "requiresHeld" | "assertHeld" };

export const assertNotHeld: Rule = {
  meta: {
    id: "assert-not-held",
    title: "callee asserts a lock that its caller cannot hold",
    severity: "error",
    since: "2.6.12",
    until: null,
    why:
      "A function that asserts a lock says what keeps its data while it runs. Who takes that very lock further down cannot hold it yet, and who gave it up further up " +
      "does not hold it any more: lockdep warns, and what the lock keeps out comes in.",
    messages: {
      later: "{function}() calls {call}(), which asserts {lock}, before it takes that lock: no caller can hold it already",
      before: "{function}() calls {call}(), which asserts {lock}, after it gave that lock up",
    },
    scenarios: [],
    sources: [
      { thread: "[PATCH 6.1] mm/hugetlb: fix assertion splat in hugetlb_split()", who: "F. Pchelkin", date: "2025-07-08", link: null },
    ],
  },
  effects: ["requiresHeld", "assertHeld"],
  seesInlined: true,
  *check(site: Site): Iterable<Candidate> {
    const { program, effect } = site;
    const call = askedCall(site);
    if (call === null) return;
    // A flush that comes after the lock: hugetlb-unshare-locking says what it is late for.
    if (call.effects.some(({ kind }) => kind === "flushTlb")) return;
    if (!isRequired(effect) || program.openStart || isGeneric(effect.lock) || effect.object === null) return;
    const owner = ownerOf(program, effect.lock, effect.object);
    const takes = owner === null ? [] : takesOf(program, effect.lock, owner);
    if (takes.length === 0 || site.states.length === 0 || site.states.some(({ state }) => state.held.some(({ lock }) => lock === effect.lock))) return;
    const later = firstBehind(site, effect, takes);
    const before = later ? null : givenUpBefore(site, effect, takes);
    const other = later ?? before;
    if (!other) return;
    yield {
      ruleId: this.meta.id,
      messageId: later ? "later" : "before",
      data: { function: program.name, call: call.name, lock: lockWords(effect.lock) },
      place: placeOf(program, call),
      related: [
        { message: `${lockWords(effect.lock)} ${later ? "is taken only here" : "is given up here"}`, place: placeOf(program, other) },
        ...(call === site.call ? [] : [{ message: `${call.name}() asserts it here`, place: placeOf(program, site.call) }]),
      ],
      prove: null,
    };
  },
};

/** What needs exactly one lock. */
const isRequired = (effect: BoundEffect): effect is Required => (effect.kind === "requiresHeld" && effect.or === undefined) || effect.kind === "assertHeld";

/**
 * The call of which the function says that it asserts: of a helper whose body stands in the place of its call, where the assertion
 * comes before anything that it decides. Null: what asserts is the function itself, or only some ways through the helper.
 */
function askedCall({ program, node, call, effect }: Site): CallNode | null {
  if (call.inlined === undefined) return effect.kind === "requiresHeld" ? call : null;
  if (effect.kind !== "assertHeld") return null;
  const helper = program.nodes.find((one): one is CallNode => one.kind === "call" && one.knowledge === "inlined" && one.at === call.calledAt?.at);
  let at = helper?.next;
  for (let step = 0; at !== undefined && at !== node && step < program.nodes.length; step++) {
    const next = successors(program.nodes[at] ?? { kind: "exit" });
    at = next.length === 1 ? next[0] : undefined;
  }
  return helper && at === node ? helper : null;
}

/** The object that a lock lives in, in the words with which the function began: a VMA leads to its mm and its mapping. */
function ownerOf(program: EffectProgram, lock: LockClass, object: Value): string | null {
  const word = objectText(resolved(program, object));
  const first = namesIn(object)[0];
  const isVma = object.kind === "name" && first !== undefined && program.variables.get(first)?.type === "vm_area_struct";
  if (lock === "mmap_lock") return isVma ? `${word}->vm_mm` : word;
  if (lock === "i_mmap_rwsem") return isVma ? `${word}->vm_file->f_mapping` : word;
  return lock === "hugetlb_vma_lock" || lock === "folio_lock" ? word : null;
}

/** A variable that is given one value is that value, wherever it is not NULL. */
function resolved(program: EffectProgram, value: Value, depth = 0): Value {
  const given = new Map<string, Value>();
  for (const name of namesIn(value)) {
    const values = program.nodes.flatMap((node) => (node.kind === "assign" && render(node.target) === name && (node.value === null || render(node.value) !== "NULL") ? [node.operator === "=" ? node.value : null] : node.kind === "call" && node.result === name ? [null] : []));
    const [only] = values;
    if (values.length === 1 && only && !program.variables.get(name)?.isParameter) given.set(name, only);
  }
  return given.size === 0 || depth > MAX_COPIES ? value : resolved(program, substitute(value, given), depth + 1);
}

const MAX_COPIES = 6;

/** Where the function waits for the lock itself. */
const takesOf = (program: EffectProgram, lock: LockClass, owner: string): readonly NodeId[] =>
  program.nodes.flatMap((node, id) =>
    node.kind === "call" && node.inlined === undefined && node.effects.some((one) => one.kind === "acquire" && one.lock === lock && one.sleeps && one.held === "always" && one.object !== null && objectText(resolved(program, one.object)) === owner) ? [id] : [],
  );

const releases = (node: ProgramNode | undefined, lock: LockClass): boolean => node?.kind === "call" && node.effects.some((one) => (one.kind === "release" || one.kind === "dropsLock") && one.lock === lock);

const comesBackWithout = (node: ProgramNode | undefined, lock: LockClass): boolean => node?.kind === "call" && node.effects.some((one) => one.kind === "dropsLock" && one.lock === lock && one.onReturn !== "held");

/** What may take or give up the lock unseen. */
const isDark = (node: ProgramNode | undefined): boolean => node?.kind === "unseen" || (node?.kind === "call" && node.effects.length === 0 && /lock|begin|end|prepare|complete|enter|exit/.test(node.name));

/** The first place behind the call at which the function waits for the lock, with nothing in between that could give it up. */
function firstBehind({ program, node }: Site, { lock }: Required, takes: readonly NodeId[]): CallNode | null {
  // What asserts the lock and may give it up leaves taking it again to its caller.
  if (comesBackWithout(program.nodes[node], lock)) return null;
  const parameters = new Set([...program.variables.values()].flatMap((one) => (one.isParameter ? [one.name] : [])));
  const seen = new Set<NodeId>([node]);
  const work = [node];
  for (let id = work.shift(); id !== undefined; id = work.shift()) {
    const one = program.nodes[id];
    if (!one || (id !== node && (releases(one, lock) || isDark(one)))) continue;
    if (id !== node && takes.includes(id)) return one.kind === "call" ? one : null;
    // A parameter that decides about taking the lock says whether the caller has it.
    if (one.kind === "branch" && namesIn(one.condition).every((name) => parameters.has(name)) && leadsApart(program, one, takes)) continue;
    for (const next of successors(one)) {
      if (seen.has(next)) continue;
      seen.add(next);
      work.push(next);
    }
  }
  return null;
}

const leadsApart = (program: EffectProgram, node: ProgramNode, takes: readonly NodeId[]): boolean => {
  const leads = successors(node).map((next) => takes.some((one) => reaches(program, next, one, () => false)));
  return leads.some((one) => one !== leads[0]);
};

/** Where the lock was given up, if every way to the call takes it and gives it up. */
function givenUpBefore({ program, node }: Site, { lock }: Required, takes: readonly NodeId[]): CallNode | null {
  if (reaches(program, program.entry, node, (id) => takes.includes(id))) return null;
  const given = program.nodes.flatMap((one, id) => (releases(one, lock) && one.kind === "call" && reaches(program, one.next, node, (other) => takes.includes(other)) ? [{ one, id }] : []));
  const dark = program.nodes.some((one, id) => isDark(one) && given.some(({ id: from }) => reaches(program, from, id, (other) => takes.includes(other))) && reaches(program, id, node, () => false));
  const last = given.at(-1);
  return dark || !last ? null : last.one;
}

/** True where control can come from one node to another without a node that is in the way. */
function reaches(program: EffectProgram, from: NodeId, to: NodeId, inTheWay: (id: NodeId) => boolean): boolean {
  const seen = new Set<NodeId>([from]);
  const work = [from];
  for (let id = work.pop(); id !== undefined; id = work.pop()) {
    if (id === to) return true;
    const node = program.nodes[id];
    if (!node || inTheWay(id)) continue;
    for (const next of successors(node)) {
      if (seen.has(next)) continue;
      seen.add(next);
      work.push(next);
    }
  }
  return false;
}
