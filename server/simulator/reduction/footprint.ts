// SPDX-License-Identifier: GPL-2.0-only
import type { Expression, Field } from "../expression.ts";
import type { Alternative, Assignment, Model } from "../model.ts";
import { conjunctsOf, readsOnly, valueAt } from "./byte-condition.ts";
import { ALONE } from "./held-locks.ts";
import type { Lock } from "./held-locks.ts";

/** One bit for each byte of the global fields. Looked up only. */
export interface Bits {
  readonly first: ReadonlyMap<Field, number>;
  /** Words of 32 bits that hold all of them. */
  readonly words: number;
}

export const bitsOf = ({ globals }: Model): Bits => {
  const first = new Map<Field, number>();
  let bit = 0;
  for (const field of globals) {
    first.set(field, bit);
    bit += field.length;
  }
  return { first, words: Math.max(1, (bit + 31) >>> 5) };
};

/**
 * What a step reads, writes, and changes in a way that commutes with other such changes (counting up and down, entering and
 * leaving a lock): three sets of `words` words each, one behind the other.
 */
export type Footprint = Uint32Array;

const READS = 0;
const WRITES = 1;
const COMMUTES = 2;

export const emptyFootprint = ({ words }: Bits): Footprint => new Uint32Array(3 * words);

/** Whether two steps may get in each other's way, each given as the footprint that starts at an offset. */
export const depend = (left: Footprint, at: number, right: Footprint, from: number, words: number): boolean => {
  for (let word = 0; word < words; word++) {
    const reads = left[at + word];
    const writes = left[at + words + word];
    const commutes = left[at + 2 * words + word];
    const otherReads = right[from + word];
    const otherWrites = right[from + words + word];
    const otherCommutes = right[from + 2 * words + word];
    const clash = (writes & (otherReads | otherWrites | otherCommutes)) | (reads & (otherWrites | otherCommutes)) |
      (commutes & (otherReads | otherWrites));
    if (clash !== 0) return true;
  }
  return false;
};

/** What the locks of the model say about a step: which they are, what its thread holds, and what the step does to each. */
export interface LockView {
  readonly lock: Lock;
  /** As in `Lock.held`, at the step. */
  readonly held: number;
  readonly kind: Lock["uses"][number][number][number]["kind"];
}

interface Drawing {
  readonly bits: Bits;
  readonly print: Footprint;
  readonly views: ReadonlyMap<Field, LockView>;
}

const mark = ({ bits, print }: Drawing, set: number, field: Field, element: number): void => {
  const first = bits.first.get(field);
  // A local: nobody else sees it.
  if (first === undefined) return;
  const bit = first + element;
  print[set * bits.words + (bit >>> 5)] |= 1 << (bit & 31);
};

/** Marks the element with this index: one where the index is a number, else all. */
const markAt = (drawing: Drawing, set: number, field: Field, index: Expression | null): void => {
  if (index === null) return mark(drawing, set, field, 0);
  if (index.kind !== "constant") {
    for (let element = 0; element < field.length; element++) mark(drawing, set, field, element);
  } else if (index.value < field.length) {
    mark(drawing, set, field, index.value);
  }
};

const markReads = (drawing: Drawing, of: Expression): void => {
  switch (of.kind) {
    case "constant":
      return;
    case "field":
      return mark(drawing, READS, of.field, 0);
    case "element":
      markAt(drawing, READS, of.field, of.index);
      return markReads(drawing, of.index);
    case "not":
      return markReads(drawing, of.of);
    case "binary":
      markReads(drawing, of.left);
      return markReads(drawing, of.right);
  }
};

/** Values that the lock can have while the thread holds what it holds: counts from `least` to `most`, and taken or not. */
const valuesOf = ({ lock, held }: LockView): { readonly counts: readonly number[]; readonly taken: boolean } => {
  if (held === ALONE) return { counts: [], taken: true };
  const counts = Array.from({ length: Math.max(0, lock.most - held + 1) }, (_, more) => held + more);
  return { counts, taken: held === 0 && lock.alone >= 0 };
};

/**
 * What testing a lock amounts to. Where the outcome is settled by what the thread holds, nothing is read; where it only
 * depends on whether the lock is taken, it does not matter who enters or leaves meanwhile.
 */
const markLockTest = (drawing: Drawing, test: Expression, view: LockView): void => {
  const { counts, taken } = valuesOf(view);
  const holds = (value: number): boolean => valueAt(test, value) !== 0;
  const first = counts.length > 0 ? holds(counts[0]) : null;
  if (!counts.every((value) => holds(value) === first)) return mark(drawing, READS, view.lock.field, 0);
  if (taken && first !== null && holds(view.lock.alone) !== first) mark(drawing, COMMUTES, view.lock.field, 0);
};

const markCondition = (drawing: Drawing, of: Expression): void => {
  for (const part of conjunctsOf(of)) {
    const view = [...drawing.views.values()].find(({ lock }) => readsOnly(part, lock.field));
    if (view === undefined || part.kind === "constant") markReads(drawing, part);
    else markLockTest(drawing, part, view);
  }
};

const sameExpression = (left: Expression | null, right: Expression | null): boolean => {
  if (left === null || right === null) return left === right;
  switch (left.kind) {
    case "constant":
      return right.kind === "constant" && left.value === right.value;
    case "field":
      return right.kind === "field" && left.field === right.field;
    case "element":
      return right.kind === "element" && left.field === right.field && sameExpression(left.index, right.index);
    case "not":
      return right.kind === "not" && sameExpression(left.of, right.of);
    case "binary":
      return right.kind === "binary" && left.operator === right.operator && sameExpression(left.left, right.left) &&
        sameExpression(left.right, right.right);
  }
};

/** `x := x + 1`, `a[i] := a[i] - 1`. */
const isCount = ({ target, index, value }: Assignment): boolean => {
  if (value.kind !== "binary" || (value.operator !== "+" && value.operator !== "-")) return false;
  const { left, right } = value;
  if (right.kind !== "constant") return false;
  if (left.kind === "field") return index === null && left.field === target;
  return left.kind === "element" && left.field === target && sameExpression(left.index, index);
};

const markAssignment = (drawing: Drawing, assignment: Assignment): void => {
  const { target, index, value } = assignment;
  const view = drawing.views.get(target);
  if (view !== undefined) {
    if (view.kind === "enter" || view.kind === "leave") mark(drawing, COMMUTES, target, 0);
    else mark(drawing, WRITES, target, 0);
    return;
  }
  if (index !== null) markReads(drawing, index);
  if (isCount(assignment)) return markAt(drawing, COMMUTES, target, index);
  markAt(drawing, WRITES, target, index);
  markReads(drawing, value);
};

/** The footprint of one alternative, from its guard, its checks and its effect. */
export const footprintOf = (
  bits: Bits, { guard, effect = [] }: Alternative, checks: readonly Expression[], views: ReadonlyMap<Field, LockView>,
): Footprint => {
  const drawing = { bits, print: emptyFootprint(bits), views };
  if (guard !== undefined) markCondition(drawing, guard);
  for (const check of checks) markCondition(drawing, check);
  for (const assignment of effect) markAssignment(drawing, assignment);
  return drawing.print;
};

/** Adds what is in one footprint to another. Returns whether that was anything new. */
export const unite = (into: Footprint, at: number, from: Footprint, start: number, length: number): boolean => {
  let isNew = false;
  for (let word = 0; word < length; word++) {
    const united = (into[at + word] | from[start + word]) >>> 0;
    if (united === into[at + word]) continue;
    into[at + word] = united;
    isNew = true;
  }
  return isNew;
};
