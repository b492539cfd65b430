// SPDX-License-Identifier: GPL-2.0-only
import type { ActionPlace } from "./compile.ts";
import type { Field } from "./expression.ts";
import { createMachine, take } from "./interpreter.ts";
import type { Machine } from "./interpreter.ts";
import type { Alternative, Model, Step } from "./model.ts";

/** What a thread is inside of over a part of a schedule: it holds a lock, or must not sleep. */
export interface Section {
  readonly thread: number;
  readonly kind: "lock" | "atomic";
  /** The lock, or what makes the thread atomic, as a reader knows it. */
  readonly name: string;
  /** Index of the step that enters. */
  readonly from: number;
  /** Index of the step that leaves; null where none does. */
  readonly to: number | null;
}

/** A lock that a thread holds, and how often: a semaphore for reading and a section of RCU nest. */
export interface HeldLock {
  readonly name: string;
  readonly times: number;
}

/** Locks that a thread has acquired and not released. */
export type HeldLocks = Map<Field, HeldLock>;

/** Whether an effect counts the lock, as those do that nest; null where it leaves it alone. */
const countsLock = ({ effect = [] }: Alternative, lock: Field): boolean | null => {
  const write = effect.find(({ target }) => target === lock);
  return write === undefined ? null : write.value.kind === "binary" && (write.value.operator === "+" || write.value.operator === "-");
};

/** A trylock that fails acquires nothing: only an alternative that writes the lock does. */
export const noteLocks = (held: HeldLocks, step: Step, alternative: Alternative): void => {
  for (const { lock } of step.releases ?? []) {
    const counts = countsLock(alternative, lock);
    const { name, times } = held.get(lock) ?? { name: "", times: 0 };
    if (counts === true && times > 1) held.set(lock, { name, times: times - 1 });
    else if (counts !== null) held.delete(lock);
  }
  for (const { lock, name } of step.acquires ?? []) {
    const counts = countsLock(alternative, lock);
    if (counts !== null) held.set(lock, { name, times: counts ? (held.get(lock)?.times ?? 0) + 1 : 1 });
  }
};

/** What a thread is inside of now, by field, and the name of each. */
const insideOf = (machine: Machine, thread: number, held: HeldLocks): Map<Field, string> => {
  const inside = new Map([...held].map(([field, { name }]) => [field, name] as const));
  for (const field of machine.model.threads[thread].locals) {
    if (field.atomic === true && (machine.values.get(field)?.[0] ?? 0) > 0) inside.set(field, "atomic");
  }
  return inside;
};

/** The sections of a schedule, in the order in which they are entered. `places` are the steps that have an effect. */
export const sectionsOf = (model: Model, places: readonly ActionPlace[]): Section[] => {
  const machine = createMachine(model);
  const held = model.threads.map((): HeldLocks => new Map());
  const open = model.threads.map(() => new Map<Field, number>());
  const sections: Section[] = [];
  places.forEach(({ thread, step, alternative }, index) => {
    const taken = model.threads[thread].steps[step];
    take(machine, thread, taken.alternatives[alternative]);
    noteLocks(held[thread], taken, taken.alternatives[alternative]);
    const inside = insideOf(machine, thread, held[thread]);
    for (const [field, section] of open[thread]) {
      if (inside.has(field)) continue;
      sections[section] = { ...sections[section], to: index };
      open[thread].delete(field);
    }
    for (const [field, name] of inside) {
      if (open[thread].has(field)) continue;
      const kind = field.atomic === true ? "atomic" : "lock";
      open[thread].set(field, sections.push({ thread, kind, name, from: index, to: null }) - 1);
    }
  });
  return sections;
};
