// SPDX-License-Identifier: GPL-2.0-only
import { nextCounter } from "../compile.ts";
import type { Program } from "../compile.ts";
import type { Field } from "../expression.ts";
import type { Model, ThreadSpec } from "../model.ts";

/** Threads that do the same, and where their parts of a state lie. */
export interface TwinGroup {
  readonly threads: readonly number[];
  /** Offset of each thread's program counter, which takes one or two bytes. */
  readonly counters: Int32Array;
  readonly counterBytes: number;
  /** Offset of each thread's locals. */
  readonly locals: Int32Array;
  readonly localBytes: number;
}

/** Everything about a thread that decides what it does, as text. Names of steps and of fields are not part of it. */
const behaviour = (model: Model, thread: ThreadSpec): string => {
  const numbers = new Map<Field, string>();
  model.globals.forEach((field, index) => numbers.set(field, `global ${index}`));
  thread.locals.forEach((field, index) => numbers.set(field, `local ${index}`));
  const steps = thread.steps.map(({ alternatives }, step) =>
    alternatives.map((one) => {
      const checks = (one.checks ?? []).map(({ holds, property, message }) => [holds, property, message]);
      return [one.guard ?? null, one.effect ?? [], checks, nextCounter(thread, step, one)];
    }));
  const isField = (value: unknown): value is Field => typeof value === "object" && value !== null && numbers.has(value as Field);
  const plain = [thread.role, thread.locals.map(({ initial }) => initial), steps];
  return JSON.stringify(plain, (_, value: unknown) => (isField(value) ? numbers.get(value) : value));
};

const groupOf = ({ model, layout }: Program, threads: readonly number[]): TwinGroup => {
  const [first] = threads;
  const { locals } = model.threads[first];
  return {
    threads,
    counters: Int32Array.from(threads, (thread) => layout.counters[thread].offset),
    counterBytes: layout.counters[first].wide ? 2 : 1,
    locals: Int32Array.from(threads, (thread) => layout.offsets.get(model.threads[thread].locals[0]) ?? 0),
    localBytes: locals.reduce((sum, { length }) => sum + length, 0),
  };
};

/** Threads with the same key, two or more, in the order of the first of each group. */
const groupsBy = (threads: readonly number[], keyOf: (thread: number) => string | number): number[][] => {
  const groups = new Map<string | number, number[]>();
  for (const thread of threads) {
    const key = keyOf(thread);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [thread]);
    else group.push(thread);
  }
  return [...groups.values()].filter((group) => group.length > 1);
};

/** Groups of two or more threads that run the same steps on the same objects. */
export const twinsOf = (program: Program, threads: readonly number[]): TwinGroup[] => {
  const { model } = program;
  return groupsBy(threads, (thread) => model.threads[thread].steps.length)
    .flatMap((alike) => groupsBy(alike, (thread) => behaviour(model, model.threads[thread])))
    .map((group) => groupOf(program, group));
};

/** Compares the parts of two threads in the state at `base`, byte by byte. */
export const compareTwins = (
  { counters, counterBytes, locals, localBytes }: TwinGroup, bytes: Uint8Array, base: number, left: number, other: Uint8Array,
  otherBase: number, right: number,
): number => {
  for (let byte = 0; byte < counterBytes; byte++) {
    const difference = bytes[base + counters[left] + byte] - other[otherBase + counters[right] + byte];
    if (difference !== 0) return difference;
  }
  for (let byte = 0; byte < localBytes; byte++) {
    const difference = bytes[base + locals[left] + byte] - other[otherBase + locals[right] + byte];
    if (difference !== 0) return difference;
  }
  return 0;
};

const swapBytes = (bytes: Uint8Array, left: number, right: number, length: number): void => {
  for (let byte = 0; byte < length; byte++) {
    const kept = bytes[left + byte];
    bytes[left + byte] = bytes[right + byte];
    bytes[right + byte] = kept;
  }
};

/**
 * Gives a state the form in which the parts of twins are sorted: states that differ only in which twin is which become equal
 * (C. N. Ip, D. L. Dill, Better Verification Through Symmetry, FMSD 9, 1996).
 */
export const sortTwins = (groups: readonly TwinGroup[], bytes: Uint8Array, base: number): void => {
  for (const group of groups) {
    const { counters, counterBytes, locals, localBytes, threads } = group;
    for (let next = 1; next < threads.length; next++) {
      for (let at = next; at > 0 && compareTwins(group, bytes, base, at - 1, bytes, base, at) > 0; at--) {
        swapBytes(bytes, base + counters[at - 1], base + counters[at], counterBytes);
        swapBytes(bytes, base + locals[at - 1], base + locals[at], localBytes);
      }
    }
  }
};

/** Number of the action of another thread that does the same as this one of its twin. */
export const twinAction = ({ firstAction, actions }: Program, action: number, thread: number): number =>
  action - firstAction[actions[action].thread][0] + firstAction[thread][0];

/** An action and those of its thread's twins that do the same. */
export const twinActions = (program: Program, groups: readonly TwinGroup[], action: number): readonly number[] => {
  const { thread } = program.actions[action];
  const group = groups.find(({ threads }) => threads.includes(thread));
  return group === undefined ? [action] : group.threads.map((twin) => twinAction(program, action, twin));
};

/** Marks what the twins of those who took an action can take as well: the threads change roles, the rest stays as it is. */
export const spreadToTwins = (program: Program, groups: readonly TwinGroup[], taken: Uint8Array): void => {
  if (groups.length === 0) return;
  const marked = Array.from(taken.keys()).filter((action) => taken[action] === 1);
  for (const action of marked) for (const twin of twinActions(program, groups, action)) taken[twin] = 1;
};
