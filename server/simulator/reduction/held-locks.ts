// SPDX-License-Identifier: GPL-2.0-only
import { nextCounter } from "../compile.ts";
import type { Field } from "../expression.ts";
import type { Model, ThreadSpec } from "../model.ts";
import { lockUse, mayBeLockUse } from "./lock-use.ts";
import type { LockUse } from "./lock-use.ts";

/** Taken for the thread alone; numbers above 0 say how often it was entered as one of many. */
export const ALONE = -1;
/** No path leads to the step. */
const UNREACHED = 127;
/** A thread that enters more often than this is taken to enter without end. */
const MANY = 16;

/**
 * A field that is proved to be used as a lock by every thread: it is 0 at first; only who finds 0 takes it; what is taken is
 * dropped, and what is entered is left, by who holds it. So it has `alone` as its value exactly while somebody holds it alone,
 * and else counts who is inside.
 */
export interface Lock {
  readonly field: Field;
  /** Value while taken; -1 where nobody takes it. */
  readonly alone: number;
  /** Never more than this are inside at a time. */
  readonly most: number;
  /** By thread and step: what the thread holds before the step on every path: `ALONE`, or how often it is inside at least. */
  readonly held: readonly Int8Array[];
  /** By thread, step and alternative. */
  readonly uses: readonly (readonly (readonly LockUse[])[])[];
}

type Uses = readonly (readonly LockUse[])[];

/** Follows what a thread holds along its steps to a fixpoint. `join` merges what two paths bring to one step. */
const flow = (
  thread: ThreadSpec, uses: Uses, step: (held: number, use: LockUse) => number, join: (left: number, right: number) => number,
): Int8Array => {
  const held = new Int8Array(thread.steps.length + 1).fill(UNREACHED);
  held[0] = 0;
  const work = [0];
  for (let at = work.pop(); at !== undefined; at = work.pop()) {
    const from = at;
    thread.steps[from]?.alternatives.forEach((alternative, index) => {
      const next = nextCounter(thread, from, alternative);
      const brought = step(held[from], uses[from][index]);
      const joined = held[next] === UNREACHED ? brought : join(held[next], brought);
      if (joined === held[next]) return;
      held[next] = joined;
      work.push(next);
    });
  }
  return held;
};

const after = (held: number, { kind }: LockUse): number => {
  if (kind === "take") return ALONE;
  if (kind === "drop") return 0;
  if (kind === "downgrade") return 1;
  if (kind === "enter") return Math.min(MANY, Math.max(held, 0) + 1);
  if (kind === "leave") return Math.max(0, held - 1);
  return held;
};

/** What is held on both paths. */
const atLeast = (left: number, right: number): number =>
  left === right ? left : left === ALONE || right === ALONE ? 0 : Math.min(left, right);

const isByHolder = (held: number, { kind }: LockUse): boolean => {
  if (held === UNREACHED) return true;
  if (kind === "drop" || kind === "downgrade") return held === ALONE;
  return kind === "leave" ? held > 0 : kind !== "other";
};

const everyUse = (all: readonly Uses[], accept: (use: LockUse, thread: number, step: number) => boolean): boolean =>
  all.every((uses, thread) => uses.every((ways, step) => ways.every((use) => accept(use, thread, step))));

/** Value while taken: the same for all who take; -1 where nobody does, null where they differ. */
const valueAlone = (all: readonly Uses[]): number | null => {
  const values = new Set(all.flatMap((uses) => uses.flat().flatMap(({ kind, value }) => (kind === "take" ? [value] : []))));
  const [value = -1] = values;
  return values.size > 1 ? null : value;
};

/** How many are inside at most, all threads together; null where there is no limit. */
const mostInside = (threads: readonly ThreadSpec[], all: readonly Uses[]): number | null => {
  const inside = threads.map((thread, index) => {
    const counts = flow(thread, all[index], (held, use) => Math.max(0, after(held, use)), Math.max);
    return Math.max(...Array.from(counts).map((count) => (count === UNREACHED ? 0 : count)));
  });
  return inside.includes(MANY) ? null : inside.reduce((sum, count) => sum + count, 0);
};

const lockAt = (threads: readonly ThreadSpec[], field: Field): Lock | null => {
  if (field.length !== 1 || field.initial[0] !== 0) return null;
  if (!threads.every(({ steps }) => steps.every(({ alternatives }) => alternatives.every((one) => mayBeLockUse(one, field))))) return null;
  const uses = threads.map(({ steps }) => steps.map(({ alternatives }) => alternatives.map((one) => lockUse(one, field))));
  if (!everyUse(uses, ({ kind }) => kind !== "other") || everyUse(uses, ({ kind }) => kind === "none")) return null;
  const held = threads.map((thread, index) => flow(thread, uses[index], after, atLeast));
  if (!everyUse(uses, (use, thread, step) => isByHolder(held[thread][step], use))) return null;
  const alone = valueAlone(uses);
  const most = mostInside(threads, uses);
  // The two meanings of the byte must not meet: nobody enters what is taken, and the count never gets that far.
  if (alone === null || most === null || most >= (alone < 0 ? 255 : alone)) return null;
  if (alone >= 0 && !everyUse(uses, ({ kind, allowed }) => kind !== "enter" || allowed[alone] === 0)) return null;
  return { field, alone, most, held, uses };
};

/** A thread that never runs, as one without steps. */
const still = (thread: ThreadSpec): ThreadSpec => ({ ...thread, steps: [], labels: {} });

/** The global fields that the threads use as locks. Threads that never run have no say. */
export const locksOf = (model: Model, disabled: ReadonlySet<number>): Lock[] => {
  const threads = model.threads.map((thread, index) => (disabled.has(index) ? still(thread) : thread));
  return model.globals.flatMap((field) => lockAt(threads, field) ?? []);
};
