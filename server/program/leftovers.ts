// SPDX-License-Identifier: GPL-2.0-only
import type { LockClass } from "../kernel/effect.ts";
import type { Value } from "./code.ts";
import { successors, type BoundEffect, type CallNode, type EffectProgram, type NodeId } from "./program.ts";
import { render } from "./render.ts";

/*
 * What a function leaves otherwise than it found it, on some way through: a lock that is taken, given up or handed over, an
 * entry that stays mapped, a range that stays started. Counted place by place along the ways of the graph, so that a lock
 * given for another one, or one that is taken on one way and given up on the other, is no balance.
 */

/** Sort of a thing that may be left: `spin`, `mutex`, `entry`. Locks that may be named by one another's functions are one sort. */
export type Leftover = string;

interface Change {
  readonly sort: Leftover;
  readonly place: string;
  readonly by: 1 | -1;
  /** Value of the call with which it happens; null: always; `perhaps`: no value tells. */
  readonly when: "zero" | "nonzero" | "perhaps" | null;
}

/** A page-table lock is a spinlock that a pointer leads to. */
const sortOfLock = (lock: LockClass): Leftover => (lock === "ptl" || lock === "spinlock" ? "spin" : lock);

const placeOf = (object: Value | null): string => (object === null ? "" : render(object.kind === "unary" && object.operator === "&" ? object.of : object));

const ENTRY: Leftover = "entry";

function changesOf(effect: BoundEffect, call: CallNode): readonly Change[] {
  const change = (sort: Leftover, place: string, by: 1 | -1, when: Change["when"] = null): Change => ({ sort, place, by, when });
  switch (effect.kind) {
    case "acquire":
      return [change(sortOfLock(effect.lock), effect.objectIsValue ? (call.result ?? "") : placeOf(effect.object), 1, effect.held === "always" ? null : effect.held)];
    case "release":
      return [change(sortOfLock(effect.lock), placeOf(effect.object), -1)];
    case "dropsLock":
      return effect.onReturn === "held" ? [] : [change(sortOfLock(effect.lock), placeOf(effect.object), -1, effect.when === "always" ? null : "perhaps")];
    case "lockEntryTable":
      return [change("spin", call.result ?? "", 1, effect.held === "nonzero" ? "nonzero" : null)];
    case "enterAtomic":
      return [change(effect.reason, "", 1, effect.held === undefined || effect.held === "always" ? null : effect.held)];
    case "leaveAtomic":
      return [change(effect.reason, "", -1, effect.sometimes ? "perhaps" : null)];
    case "mapPte": {
      const when = !effect.mayFail ? null : effect.pteOut ? "zero" : "nonzero";
      return [change(ENTRY, "", 1, when), ...(effect.locks ? [change("spin", placeOf(effect.ptlOut), 1, when)] : [])];
    }
    case "unmapPte":
      return [change(ENTRY, "", -1), ...(effect.ptl === null ? [] : [change("spin", placeOf(effect.ptl), -1)])];
    case "consumes": {
      const when = effect.when === "always" ? null : effect.when;
      return [...(effect.pte === null ? [] : [change(ENTRY, "", -1, when)]), ...(effect.ptl === null ? [] : [change("spin", placeOf(effect.ptl), -1, when)])];
    }
    case "notifierStart":
      return [change("range", placeOf(effect.range), 1, effect.blocking ? null : "zero")];
    case "notifierEnd":
      return [change("range", placeOf(effect.range), -1)];
    case "walkMapped":
      // Of a walk that is a variable of the function nothing is left to its callers.
      if (effect.walk.kind === "unary" || effect.step === "fill") return [];
      return [effect.step === "done" ? change("walk", placeOf(effect.walk), -1) : change("walk", placeOf(effect.walk), 1, "nonzero")];
    default:
      return [];
  }
}

/** Sorts of things that an effect begins or ends. */
export const sortsOf = (effect: BoundEffect, call: CallNode): readonly Leftover[] => changesOf(effect, call).map(({ sort }) => sort);

/** Sorts of things that the function itself leaves otherwise than it found them. */
export function leftBehind(program: EffectProgram): ReadonlySet<Leftover> {
  const things = new Map<string, { readonly sort: Leftover; readonly changes: Map<NodeId, Change[]> }>();
  program.nodes.forEach((node, id) => {
    if (node.kind !== "call") return;
    for (const change of node.effects.flatMap((effect) => changesOf(effect, node))) {
      const key = `${change.sort} ${change.place}`;
      const thing = things.get(key) ?? { sort: change.sort, changes: new Map<NodeId, Change[]>() };
      things.set(key, thing);
      thing.changes.set(id, [...(thing.changes.get(id) ?? []), change]);
    }
  });
  if (things.size === 0) return NOTHING;
  const asked = askedResults(program);
  return new Set([...things.values()].flatMap(({ sort, changes }) => (isBalanced(program, changes, asked) ? [] : [sort])));
}

const NOTHING: ReadonlySet<Leftover> = new Set();

/** Marks the variables of a helper that stands in the place of its call: those of two helpers may well be one. */
const COPY = /__\d+\b/g;

/**
 * True where the function's text begins something more often, or less often, than it ends it. A caller that looks inside sees
 * what is left; of the others, where it hangs on ways through loops and conditions, the inside tells less than a doubt.
 */
export function countsDiffer(program: EffectProgram): boolean {
  const counts = new Map<string, number>();
  for (const node of program.nodes) {
    if (node.kind !== "call") continue;
    for (const { sort, place, by, when } of node.effects.flatMap((effect) => changesOf(effect, node))) {
      const key = `${sort} ${place.replace(COPY, "")}`;
      if (when !== "perhaps") counts.set(key, (counts.get(key) ?? 0) + by);
    }
  }
  return [...counts.values()].some((count) => count !== 0);
}

/** What a branch on a call's value says: the value, and which way it is zero. */
interface Asked {
  readonly result: string;
  readonly zero: "then" | "otherwise";
}

const isZero = (value: Value): boolean => (value.kind === "number" && value.value === 0) || (value.kind === "name" && value.name === "NULL");

function askedBy(condition: Value): Asked | null {
  if (condition.kind === "name" || condition.kind === "member") return { result: render(condition), zero: "otherwise" };
  if (condition.kind !== "binary" || !isZero(condition.right)) return null;
  return condition.operator === "==" ? { result: render(condition.left), zero: "then" } : condition.operator === "!=" ? { result: render(condition.left), zero: "otherwise" } : null;
}

function askedResults(program: EffectProgram): ReadonlyMap<NodeId, Asked> {
  return new Map(program.nodes.flatMap((node, id) => {
    const asked = node.kind === "branch" ? askedBy(node.condition) : null;
    return asked ? [[id, asked] as const] : [];
  }));
}

/** Sets of counts from -LIMIT to LIMIT are bits; what would count further stays at the edge. */
const LIMIT = 2;
const NONE = 1 << LIMIT;
const ALL = (1 << (2 * LIMIT + 1)) - 1;

const shifted = (counts: number, by: 1 | -1): number =>
  by === 1 ? ((counts << 1) & ALL) | (counts & (1 << (2 * LIMIT))) : (counts >> 1) | (counts & 1);

/** Whether the count of one thing is the same at the end as at the beginning, whatever way is gone. */
function isBalanced(program: EffectProgram, changes: ReadonlyMap<NodeId, readonly Change[]>, asked: ReadonlyMap<NodeId, Asked>): boolean {
  const { nodes } = program;
  const results = new Set([...asked.values()].map(({ result }) => result));
  /** Changes that the branches on a call's value tell of. */
  const told = new Map<string, Change[]>();
  for (const [id, list] of changes) {
    const node = nodes[id];
    const result = node?.kind === "call" ? node.result : null;
    for (const change of list) if (isTold(change) && result !== null && results.has(result)) told.set(result, [...(told.get(result) ?? []), change]);
  }
  const atCall = (id: NodeId, counts: number): number => {
    const node = nodes[id];
    const result = node?.kind === "call" ? node.result : null;
    return (changes.get(id) ?? []).reduce((now, change) => {
      if (change.when === "perhaps") return now | shifted(now, change.by);
      return isTold(change) && result !== null && told.has(result) ? now : shifted(now, change.by);
    }, counts);
  };
  const alongBranch = (id: NodeId, way: "then" | "otherwise", counts: number): number => {
    const question = asked.get(id);
    const value = question?.zero === way ? "zero" : "nonzero";
    return (question ? (told.get(question.result) ?? []) : []).reduce((now, change) => (change.when === value ? shifted(now, change.by) : now), counts);
  };
  const at = new Int32Array(nodes.length);
  const work: NodeId[] = [program.entry];
  at[program.entry] = NONE;
  const flow = (to: NodeId, counts: number): void => {
    const joined = (at[to] ?? 0) | counts;
    if (joined === at[to]) return;
    at[to] = joined;
    work.push(to);
  };
  for (let id = work.pop(); id !== undefined; id = work.pop()) {
    const node = nodes[id];
    if (!node) continue;
    const counts = atCall(id, at[id] ?? 0);
    if (node.kind === "branch") {
      flow(node.then, alongBranch(id, "then", counts));
      flow(node.otherwise, alongBranch(id, "otherwise", counts));
    } else for (const next of successors(node)) flow(next, counts);
  }
  return ((at[program.exit] ?? 0) & ~NONE) === 0;
}

const isTold = (change: Change): boolean => change.when === "zero" || change.when === "nonzero";

/**
 * What each function leaves, with what its callees may leave that stay calls in it. `own`: by the function itself;
 * `callees`: names of those calls.
 */
export function leftByAll(names: Iterable<string>, own: (name: string) => ReadonlySet<Leftover>, callees: (name: string) => readonly string[]): ReadonlyMap<string, ReadonlySet<Leftover>> {
  const found = new Map([...names].map((name) => [name, new Set(own(name))] as const));
  const callers = new Map<string, string[]>();
  for (const name of found.keys()) for (const callee of callees(name)) callers.set(callee, [...(callers.get(callee) ?? []), name]);
  const work = [...found.keys()];
  for (let name = work.pop(); name !== undefined; name = work.pop()) {
    const left = found.get(name) ?? NOTHING;
    for (const caller of callers.get(name) ?? []) {
      const above = found.get(caller);
      const size = above?.size ?? 0;
      for (const sort of left) above?.add(sort);
      if (above && above.size > size) work.push(caller);
    }
  }
  return found;
}
