// SPDX-License-Identifier: GPL-2.0-only
import { spins } from "../kernel/lock-order.ts";
import { ANON_TESTS, PAGE_WALKS, PRIVATE_TESTS, SHARE_TESTS } from "../kernel/private-mapping.ts";
import type { Value } from "../program/code.ts";
import { assignBit } from "../program/flag-word.ts";
import type { AssignNode, BoundEffect, CallNode, NodeId } from "../program/program.ts";
import { render, substitute } from "../program/render.ts";
import { flagsOfVma } from "../program/vma-flags.ts";
import { isOtherMapping, vmaOfWalk } from "./mapping.ts";
import type { Relevance } from "./relevant.ts";
import type { Atomic, Held, State, WalkOrigin } from "./state.ts";
import { withEntry } from "./state.ts";
import { assume, bitsOf, forget, isPredicate, truthOf } from "./truth.ts";

const name = (text: string): Value => ({ kind: "name", name: text, at: 0 });

/** `&x` and `x` name the same object when a lock or a range is meant. */
export const objectText = (value: Value | null): string =>
  value === null ? "" : value.kind === "unary" && value.operator === "&" ? render(value.of) : render(value);

/** States after a call: more than one where the call's value decides what happened. */
export function afterCall(state: State, node: CallNode, id: NodeId, relevance: Relevance): State[] {
  const result = node.result;
  let base = result === null ? state : forget(state, result);
  if (result !== null) {
    const doubtful = withMember(base.doubtful, result, node.knowledge === "unknown" || node.knowledge === "defined-here");
    if (doubtful !== base.doubtful) base = { ...base, doubtful };
  }
  base = walksAnonymous(forgetOutputs(base, node), node);
  return node.effects.reduce<State[]>(
    (states, effect) => states.flatMap((one) => afterEffect(one, effect, node, id, relevance)),
    [base],
  );
}

/** The set with or without a member; the set itself where that is so already, so that states share it. */
function withMember(set: ReadonlySet<string>, member: string, isIn: boolean): ReadonlySet<string> {
  if (set.has(member) === isIn) return set;
  const copy = new Set(set);
  if (isIn) copy.add(member);
  else copy.delete(member);
  return copy;
}

function mentionsAny(text: string, names: ReadonlySet<string>): boolean {
  for (const one of names) if (text.includes(one)) return true;
  return false;
}

/** A page that is known to be anonymous is looked for in a private mapping. */
function walksAnonymous(state: State, node: CallNode): State {
  const macro = PAGE_WALKS.find((one) => one.name === node.name);
  const [page, vma] = macro ? [node.args[macro.page], node.args[macro.vma]] : [];
  if (!page || !vma || !ANON_TESTS.some((test) => state.truths.get(`${test}(${render(page)})`) === true)) return state;
  return becomesPrivate(state, vma);
}

const becomesPrivate = (state: State, vma: Value): State =>
  assume(state, { kind: "binary", operator: "&", left: { kind: "member", of: vma, field: "vm_flags", arrow: true, at: 0 }, right: name("VM_MAYSHARE"), at: 0 }, false);

/** A callee of which nothing is known may change the flags that an object keeps, whichever way it comes by the object. */
function forgetFlagFields(state: State, node: CallNode): State {
  if (node.knowledge !== "unknown" && node.knowledge !== "defined-here") return state;
  const isField = (key: string): boolean => /^[^/]*(?:->|\.)/.test(key);
  return [...state.bits.keys()].some(isField) ? { ...state, bits: new Map([...state.bits].filter(([key]) => !isField(key))) } : state;
}

/** A callee may write whatever it is given the address of. */
function forgetOutputs(state: State, node: CallNode): State {
  let next = forgetFlagFields(state, node);
  for (const arg of node.args)
    if (arg.kind === "unary" && arg.operator === "&" && node.knowledge !== "quiet") next = forget(next, render(arg.of));
  return next;
}

/** Splits the state by whether the call's value is zero. */
function byResult(state: State, result: string | null, heldWhen: "always" | "nonzero" | "zero", held: (state: State) => State): State[] {
  if (heldWhen === "always") return [held(state)];
  if (result === null) return [state];
  const nonzero = assume(state, name(result), true);
  const zero = assume(state, name(result), false);
  if (heldWhen === "nonzero") return [held(nonzero), zero];
  const failed: Value = { kind: "binary", operator: "<", left: name(result), right: { kind: "number", value: 0, at: 0 }, at: 0 };
  return [held(zero), assume(nonzero, failed, true)];
}

function afterEffect(state: State, effect: BoundEffect, node: CallNode, id: NodeId, relevance: Relevance): State[] {
  switch (effect.kind) {
    case "acquire": {
      const object = effect.objectIsValue ? (node.result ?? "") : objectText(effect.object);
      const lock: Held = { lock: effect.lock, object, mode: effect.mode, at: id, taken: true };
      return byResult(state, node.result, effect.held, (one) => acquire(one, lock, spins(effect.lock)));
    }
    case "release":
      return [release(givesUpOfOthers(state, effect), effect.lock, objectText(effect.object))];
    case "assertHeld":
      return [
        state.distrusts === true || isHeld(state, effect.lock, objectText(effect.object))
          ? state
          : { ...state, held: [...state.held, { lock: effect.lock, object: objectText(effect.object), mode: effect.mode, at: id, taken: false }] },
      ];
    case "enterAtomic":
      return [nested(state, { reason: effect.reason, of: "", at: id })];
    case "leaveAtomic":
      return [loseProtection({ ...state, atomic: withoutLast(state.atomic, (one) => one.reason === effect.reason) })];
    case "mapPte":
      return mapPte(state, effect, node, id);
    case "unmapPte": {
      const pte = render(effect.pte);
      const mapped = state.mapped.some((one) => one.pte === pte) ? state.mapped.filter((one) => one.pte !== pte) : state.mapped;
      const atomic = effect.rcu ? withoutLast(state.atomic, (one) => one.reason === "pte-map") : state.atomic;
      const unmapped: State = { ...state, mapped, atomic };
      return [effect.ptl ? release(unmapped, "ptl", objectText(effect.ptl)) : unmapped];
    }
    case "lockEntryTable":
      return byResult(state, node.result, effect.held ?? "always", (one) =>
        acquire(one, { lock: "ptl", object: node.result ?? "", mode: "exclusive", at: id, taken: true }, true),
      );
    case "hugetlbWalk":
      return walked(state, effect, node, id, relevance);
    default:
      return [state];
  }
}

/** Nothing nests deeper than this; a list that grows with each turn of a loop must end. */
const MOST_NESTED = 2;

const nested = (state: State, atomic: Atomic): State =>
  state.atomic.filter((one) => one.reason === atomic.reason && one.of === atomic.of).length >= MOST_NESTED
    ? state
    : { ...state, atomic: [...state.atomic, atomic] };

function acquire(state: State, lock: Held, isSpinning: boolean): State {
  const known = state.held.filter((one) => one.lock === lock.lock && one.object === lock.object && one.mode === lock.mode);
  // Once more in every turn of a loop: that is the same lock of another object.
  if (known.length >= MOST_NESTED) return state;
  const atomic: readonly Atomic[] = isSpinning ? [...state.atomic, { reason: "spinlock", of: lock.object, at: lock.at }] : state.atomic;
  return { ...state, held: [...state.held, lock], atomic };
}

function release(state: State, lock: Held["lock"], object: string): State {
  const matches = (one: Held): boolean => one.lock === lock && (one.object === object || one.object === "" || object === "");
  const held = withoutLast(state.held, matches);
  const atomic = withoutLast(state.atomic, (one) => one.reason === "spinlock" && (one.of === object || object === ""));
  return loseProtection({ ...state, held, atomic: spins(lock) ? atomic : state.atomic });
}

/**
 * A lock that is given up here and was not taken here: a caller took it, or lines that are not visible did. It kept the
 * tables of the walks so far, and keeps them no longer.
 */
function givesUpOfOthers(state: State, { lock, object, mode }: BoundEffect & { kind: "release" }): State {
  if ((lock !== "hugetlb_vma_lock" && lock !== "i_mmap_rwsem") || !state.callerUnknown || mode === "exclusive" || isHeld(state, lock, objectText(object))) return state;
  const owner = objectText(object);
  let walks = state.walks;
  for (const [variable, origin] of state.walks) {
    const isIts = lock === "hugetlb_vma_lock" ? origin.vma === null || owner === "" || owner === origin.vma : !isOtherMapping(owner, origin.vma, origin.alsoNamed);
    if (origin.protectedAtWalk || !isIts) continue;
    walks = withEntry(walks, variable, { ...origin, protectedAtWalk: true, protectedSince: false, hasGap: false, givenUp: { lock, mode } });
  }
  return walks === state.walks ? state : { ...state, walks };
}

export const isHeld = (state: State, lock: Held["lock"], object: string | null): boolean =>
  state.held.some((one) => one.lock === lock && (object === null || one.object === object || one.object === "" || object === ""));

function withoutLast<T>(list: readonly T[], matches: (item: T) => boolean): readonly T[] {
  const index = list.findLastIndex(matches);
  return index < 0 ? list : [...list.slice(0, index), ...list.slice(index + 1)];
}

function mapPte(state: State, effect: BoundEffect & { kind: "mapPte" }, node: CallNode, id: NodeId): State[] {
  const pte = effect.pteOut ? objectText(effect.pteOut) : node.result;
  const map = (one: State): State => {
    const isKnown = pte === null || one.mapped.some((known) => known.pte === pte);
    const mapped = isKnown ? one.mapped : [...one.mapped, { pte, at: id, rcu: effect.rcu }];
    const next: State = { ...(effect.rcu ? nested(one, { reason: "pte-map", of: pte ?? "", at: id }) : one), mapped };
    if (!effect.locks) return next;
    return acquire(next, { lock: "ptl", object: objectText(effect.ptlOut), mode: "exclusive", at: id, taken: true }, true);
  };
  if (effect.pteOut) return byResult(state, node.result, "zero", map);
  return effect.mayFail ? byResult(state, node.result, "nonzero", map) : [map(state)];
}

function walked(state: State, effect: BoundEffect & { kind: "hugetlbWalk" }, node: CallNode, id: NodeId, relevance: Relevance): State[] {
  if (node.result === null) return [state];
  const vma = vmaOfWalk(effect);
  const alsoNamed = vma === null ? null : (relevance.vmaNames.get(vma) ?? null);
  const isProtected = protects(state, { vma, alsoNamed });
  const origin: WalkOrigin = { walk: id, vma, alsoNamed, protectedAtWalk: isProtected, protectedSince: isProtected, hasGap: false, givenUp: null };
  const found: State = { ...state, walks: withEntry(state.walks, node.result, origin) };
  if (!relevance.conditions.has(node.result)) return [found];
  return [assume(found, name(node.result), true), assume(state, name(node.result), false)];
}

/** Only files have shared mappings, so a VMA without one is no hugetlb mapping that shares. */
const ASKS_SHARED = new RegExp(`^(?:${SHARE_TESTS.join("|")})\\(|^\\w+->vm_file$`);
const ASKS_PRIVATE = new RegExp(`^(?:${PRIVATE_TESTS.join("|")})\\(`);

const BARE_FLAGS = /^\(*\w+ & VM_MAYSHARE\b|\bis_cow_mapping\(\w+\)/;

/** True where the text of a condition, decided as it is, says that the VMA is private. */
function saysPrivate(state: State, vma: string | null): boolean {
  const names = vma === null ? null : new RegExp(`(?<![\\w$>.])${vma.replace(/[^\w]/g, "\\$&")}(?!\\w)`);
  for (const [key, truth] of state.truths) {
    // A local copy of flags whose VMA is not known may be this one's.
    if (names && !names.test(key) && !BARE_FLAGS.test(key)) continue;
    if (/\bis_cow_mapping\(/.test(key) && truth) return true;
    if (ASKS_PRIVATE.test(key) && truth) return true;
    if (ASKS_SHARED.test(key) && !truth) return true;
    if (/& VM_MAYSHARE\b/.test(key) && !/\bVM_MAYWRITE\b/.test(key) && !truth) return true;
  }
  return false;
}

/**
 * True where the table of a hugetlb walk cannot be freed: the VMA's hugetlb lock, its mapping's i_mmap_rwsem, or a
 * private VMA (PMDs are shared between MAP_SHARED VMAs only). mm/hugetlb.c, fe7d4c6d5a42, 9c67a20704e7.
 */
export const protects = (state: State, { vma, alsoNamed }: Pick<WalkOrigin, "vma" | "alsoNamed">): boolean =>
  isHeld(state, "hugetlb_vma_lock", vma) ||
  state.held.some((held) => held.lock === "hugetlb_vma_lock" && alsoNamed?.has(held.object) === true) ||
  state.held.some((held) => held.lock === "i_mmap_rwsem" && !isOtherMapping(held.object, vma, alsoNamed)) ||
  saysPrivate(state, vma);

/** True where the table behind a walk's pointer still exists: it was protected all the time, or it never was shared. */
export const isSafe = (state: State, origin: WalkOrigin): boolean =>
  saysPrivate(state, origin.vma) || (origin.protectedSince && protects(state, origin));

function loseProtection(state: State): State {
  let walks = state.walks;
  for (const [variable, origin] of state.walks)
    if (origin.protectedSince && !protects(state, origin)) walks = withEntry(walks, variable, { ...origin, protectedSince: false });
  return { ...state, walks };
}

/** State after `target operator value`. */
export function afterAssign(state: State, node: AssignNode, relevance: Relevance): State {
  const target = render(node.target);
  const value = node.value;
  const truth = node.operator === "=" && value ? truthOf(state, value) : null;
  const walk = node.operator === "=" && value ? state.walks.get(render(value)) : undefined;
  const bits = [...relevance.flags].map((flag) => {
    const algebra = bitsOf(state, flag);
    return [flag, assignBit(node.operator, algebra.variable(target), value, flag, algebra)] as const;
  });
  let next = forget(state, target);
  if (walk) next = { ...next, walks: withEntry(next.walks, target, walk) };
  if (value && mentionsAny(render(value), state.doubtful)) next = { ...next, doubtful: withMember(next.doubtful, target, true) };
  else if (node.operator === "=") next = { ...next, doubtful: withMember(next.doubtful, target, false) };
  if (value && relevance.privateVmas.has(render(value))) next = becomesPrivate(next, node.target);
  for (const [flag, bit] of bits) if (bit !== "maybe") next = { ...next, bits: withEntry(next.bits, `${target}/${flag}`, bit) };
  if (truth !== null && relevance.conditions.has(target)) return assume(next, node.target, truth);
  if (value === null || node.operator !== "=" || !relevance.variables.has(target)) return next;
  const definition = flagsOfVma(value) ?? (isPredicate(value) ? substitute(value, state.definitions) : null);
  return definition ? { ...next, definitions: withEntry(next.definitions, target, definition) } : next;
}
