// SPDX-License-Identifier: GPL-2.0-only
import { nextCounter } from "../compile.ts";
import { assign } from "../effect.ts";
import { fieldsOf, type Expression, type Field } from "../expression.ts";
import type { Alternative, Model, ThreadSpec } from "../model.ts";

/** Checks that count; missing: all. */
type Properties = ReadonlySet<string> | undefined;

/**
 * The model with every local of which nobody reads the value any more set to what it was at first, so that states that differ
 * in nothing else become one. Steps and alternatives keep their numbers, so that a schedule of one model is a schedule of the other (dead variable
 * reduction: Holzmann, "The engineering of a model checker: the Gnu i-protocol case study revisited", SPIN 1999).
 */
export function withoutDeadLocals(model: Model, properties: Properties): Model {
  const threads = model.threads.map((thread) => leanThread(thread, properties));
  return threads.every((thread, index) => thread === model.threads[index]) ? model : { ...model, threads };
}

function leanThread(thread: ThreadSpec, properties: Properties): ThreadSpec {
  const scalars = thread.locals.filter(({ length }) => length === 1);
  if (scalars.length === 0) return thread;
  const live = liveness(thread, new Set(scalars), properties);
  let isChanged = false;
  const steps = thread.steps.map((step, index) => ({
    ...step,
    alternatives: step.alternatives.map((one): Alternative => {
      const after = live[nextCounter(thread, index, one)];
      const written = new Map((one.effect ?? []).map(({ target, value }) => [target, value]));
      const isSet = (field: Field): boolean => (written.has(field) ? !isAtFirst(field, written.get(field)) : (live[index]?.has(field) ?? false));
      const dead = scalars.filter((field) => !after?.has(field) && isSet(field));
      if (dead.length === 0) return one;
      isChanged = true;
      return { ...one, effect: [...(one.effect ?? []), ...dead.map((field) => assign(field, field.initial[0] ?? 0))] };
    }),
  }));
  return isChanged ? { ...thread, steps } : thread;
}

const isAtFirst = (field: Field, value: Expression | undefined): boolean => value?.kind === "constant" && value.value === field.initial[0];

/** The locals that are read at or after each step before they are written; of the end, none. */
function liveness(thread: ThreadSpec, scalars: ReadonlySet<Field>, properties: Properties): readonly ReadonlySet<Field>[] {
  const ways = thread.steps.map((step, index) =>
    step.alternatives.map((one) => ({ reads: readsOf(one, properties).filter((field) => scalars.has(field)), writes: writesOf(one), next: nextCounter(thread, index, one) })),
  );
  const live = [...thread.steps, null].map(() => new Set<Field>());
  for (let isGrowing = true; isGrowing; ) {
    isGrowing = false;
    for (let index = ways.length - 1; index >= 0; index--) {
      const here = live[index];
      const before = here?.size;
      for (const { reads, writes, next } of ways[index] ?? []) {
        for (const field of reads) here?.add(field);
        for (const field of live[next] ?? []) if (!writes.has(field)) here?.add(field);
      }
      isGrowing ||= here?.size !== before;
    }
  }
  return live;
}

/** What an alternative reads, also where it was written just before: more than need be, never less. */
const readsOf = ({ guard, effect = [], checks = [] }: Alternative, properties: Properties): Field[] => [
  ...(guard ? fieldsOf(guard) : []),
  ...checks.filter(({ property }) => properties?.has(property) ?? true).flatMap(({ holds }) => fieldsOf(holds)),
  ...effect.flatMap(({ index, value }): Field[] => [...(index ? fieldsOf(index) : []), ...fieldsOf(value)]),
];

const writesOf = ({ effect = [] }: Alternative): ReadonlySet<Field> => new Set(effect.flatMap(({ target, index }) => (index === null ? [target] : [])));
