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

/** Locks that a thread has acquired and not released, with the name of each. */
export type HeldLocks = Map<Field, string>;

/** A trylock that fails acquires nothing: only an alternative that writes the lock does. */
export const noteLocks = (held: HeldLocks, step: Step, { effect = [] }: Alternative): void => {
  const writes = (lock: Field): boolean => effect.some(({ target }) => target === lock);
  for (const { lock } of step.releases ?? []) if (writes(lock)) held.delete(lock);
  for (const { lock, name } of step.acquires ?? []) if (writes(lock)) held.set(lock, name);
};

/** What a thread is inside of now, by field. */
const insideOf = (machine: Machine, thread: number, held: HeldLocks): HeldLocks => {
  const inside = new Map(held);
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
