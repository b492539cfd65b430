// SPDX-License-Identifier: GPL-2.0-only
import { ANON_TESTS, PAGE_WALKS } from "../kernel/private-mapping.ts";
import type { Value } from "../program/code.ts";
import { assignBit } from "../program/flag-word.ts";
import type { AssignNode, BoundEffect, CallNode, NodeId } from "../program/program.ts";
import { render, substitute } from "../program/render.ts";
import { flagsOfVma } from "../program/vma-flags.ts";
import { consume, dropLock, walkMapped } from "./contracts.ts";
import { forgetObjects } from "./lock-names.ts";
import { acquire, byResult, lockField, nameValue, nested, objectText, release, releaseAny, withoutLast } from "./locks.ts";
import { isOtherMapping, vmaOfWalk } from "./mapping.ts";
import { loseProtection, protects } from "./protection.ts";
import type { Relevance } from "./relevant.ts";
import { isHeld, withEntry, type Held, type State, type WalkOrigin } from "./state.ts";
import { assume, bitsOf, forget, isPredicate, truthOf } from "./truth.ts";

/** States after a call: more than one where the call's value decides what happened. */
export function afterCall(state: State, node: CallNode, id: NodeId, relevance: Relevance): State[] {
  const result = node.result;
  let base = result === null ? state : forgetObjects(forget(state, result), result);
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
  assume(state, { kind: "binary", operator: "&", left: { kind: "member", of: vma, field: "vm_flags", arrow: true, at: 0 }, right: nameValue("VM_MAYSHARE"), at: 0 }, false);

/** A callee of which nothing is known may change the flags that an object keeps, whichever way it comes by the object. */
function forgetFlagFields(state: State, node: CallNode): State {
  if (node.knowledge !== "unknown" && node.knowledge !== "defined-here") return state;
  const isField = (key: string): boolean => /^[^/]*(?:->|\.)/.test(key);
  return [...state.bits.keys()].some(isField) ? { ...state, bits: new Map([...state.bits].filter(([key]) => !isField(key))) } : state;
}

/** A callee may write whatever it is given the address of; one that stands in the place of its call says what it writes. */
function forgetOutputs(state: State, node: CallNode): State {
  if (node.knowledge === "inlined") return state;
  let next = forgetFlagFields(state, node);
  for (const arg of node.args)
    if (arg.kind === "unary" && arg.operator === "&" && node.knowledge !== "quiet") next = forget(next, render(arg.of));
  return next;
}

function afterEffect(state: State, effect: BoundEffect, node: CallNode, id: NodeId, relevance: Relevance): State[] {
  switch (effect.kind) {
    case "acquire": {
      const object = effect.objectIsValue ? objectOfValue(node.result, effect.field) : objectText(effect.object);
      const lock: Held = { lock: effect.lock, object, mode: effect.mode, at: id, taken: true };
      return byResult(state, node.result, effect.held, (one) => acquire(one, lock));
    }
    case "release":
      return releaseAny(givesUpOfOthers(state, effect), effect.lock, objectText(effect.object), relevance.otherNames.get(objectText(effect.object)));
    case "assertHeld":
      return [
        state.distrusts === true || isHeld(state, effect.lock, objectText(effect.object)) || isHeldByField(state, effect)
          ? state
          : { ...state, held: [...state.held, { lock: effect.lock, object: objectText(effect.object), mode: effect.mode, at: id, taken: false }] },
      ];
    case "enterAtomic":
      return byResult(state, node.result, effect.held ?? "always", (one) => nested(one, { reason: effect.reason, of: "", at: id }));
    case "leaveAtomic":
      return [
        ...(effect.sometimes === true ? [state] : []),
        loseProtection({ ...state, atomic: withoutLast(state.atomic, (one) => one.reason === effect.reason) }),
      ];
    case "mapPte":
      return mapPte(state, effect, node, id);
    case "unmapPte": {
      const mapped = withoutMapped(state.mapped, effect.pte);
      const atomic = effect.rcu ? withoutLast(state.atomic, (one) => one.reason === "pte-map") : state.atomic;
      const unmapped: State = { ...state, mapped, atomic };
      return [effect.ptl ? release(unmapped, "ptl", objectText(effect.ptl)) : unmapped];
    }
    case "lockEntryTable":
      return byResult(state, node.result, effect.held ?? "always", (one) =>
        acquire(one, { lock: "ptl", object: node.result ?? "", mode: "exclusive", at: id, taken: true }),
      );
    case "hugetlbWalk":
      return walked(state, effect, node, id, relevance);
    case "dropsLock":
      return dropLock(state, effect, node.result);
    case "consumes":
      return consume(state, effect, node.result);
    case "walkMapped":
      return walkMapped(state, effect, node, id);
    default:
      return [state];
  }
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

/** An assertion on the same field of an object with another name (`get_node(s, n)->list_lock`) means the lock at hand. */
function isHeldByField(state: State, { object }: BoundEffect & { kind: "assertHeld" }): boolean {
  const field = lockField(objectText(object));
  return field !== null && state.held.some((one) => lockField(one.object) === field);
}

/**
 * The entries that stay mapped. `pte_unmap(pte - 1)` unmaps what `pte` was moved over; an entry under a name that is not
 * known (`orig_pte`) is the innermost one.
 */
function withoutMapped(mapped: State["mapped"], unmapped: Value): State["mapped"] {
  const exact = render(unmapped);
  const base = unmapped.kind === "binary" ? render(unmapped.left) : exact;
  const found = mapped.findLast((one) => one.pte === exact) ?? mapped.findLast((one) => one.pte === base) ?? mapped.at(-1);
  return found ? mapped.filter((one) => one !== found) : mapped;
}

const objectOfValue = (result: string | null, field: string | undefined): string =>
  result === null ? "" : field === undefined ? result : `${result}->${field}`;

function mapPte(state: State, effect: BoundEffect & { kind: "mapPte" }, node: CallNode, id: NodeId): State[] {
  const pte = effect.pteOut ? objectText(effect.pteOut) : node.result;
  const map = (one: State): State => {
    const isKnown = pte === null || one.mapped.some((known) => known.pte === pte);
    const mapped = isKnown ? one.mapped : [...one.mapped, { pte, at: id, rcu: effect.rcu }];
    const next: State = { ...(effect.rcu ? nested(one, { reason: "pte-map", of: pte ?? "", at: id }) : one), mapped };
    if (!effect.locks) return next;
    return acquire(next, { lock: "ptl", object: objectText(effect.ptlOut), mode: "exclusive", at: id, taken: true });
  };
  if (effect.pteOut) return byResult(state, node.result, "zero", map);
  if (effect.mayFail) return byResult(state, node.result, "nonzero", map);
  return [map(node.result === null ? state : assume(state, nameValue(node.result), true))];
}

function walked(state: State, effect: BoundEffect & { kind: "hugetlbWalk" }, node: CallNode, id: NodeId, relevance: Relevance): State[] {
  if (node.result === null) return [state];
  const vma = vmaOfWalk(effect);
  const alsoNamed = vma === null ? null : (relevance.vmaNames.get(vma) ?? null);
  const isProtected = protects(state, { vma, alsoNamed });
  const origin: WalkOrigin = { walk: id, vma, alsoNamed, protectedAtWalk: isProtected, protectedSince: isProtected, hasGap: false, givenUp: null };
  const found: State = { ...state, walks: withEntry(state.walks, node.result, origin) };
  if (!relevance.conditions.has(node.result)) return [found];
  return [assume(found, nameValue(node.result), true), assume(state, nameValue(node.result), false)];
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
