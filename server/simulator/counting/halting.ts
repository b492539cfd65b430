// SPDX-License-Identifier: GPL-2.0-only
import type { Expression, Field } from "../expression.ts";
import { and, not } from "../expression.ts";
import { assign } from "../effect.ts";
import type { Alternative, Model, ThreadSpec } from "../model.ts";

/** A model in which a failing check ends its thread and nothing else, and where the threads note that they failed. */
export interface HaltingModel {
  readonly model: Model;
  /** By thread: 1 after it failed. */
  readonly failed: readonly Field[];
}

const checksOf = ({ checks = [] }: Alternative, properties: ReadonlySet<string> | undefined): Expression[] =>
  checks.filter(({ property }) => properties === undefined || properties.has(property)).map(({ holds }) => holds);

/** An alternative as two: with checks that hold, and with one that does not. */
const split = (one: Alternative, failed: Field, properties: ReadonlySet<string> | undefined): Alternative[] => {
  const { checks: _, guard, ...rest } = one;
  const holds = checksOf(one, properties);
  const own = guard === undefined ? [] : [guard];
  if (holds.length === 0) return [{ ...rest, ...(guard === undefined ? {} : { guard }) }];
  return [
    { ...rest, guard: and(...own, ...holds) },
    { guard: and(...own, not(and(...holds))), effect: [assign(failed, 1)], to: "END" },
  ];
};

const haltingThread = (thread: ThreadSpec, failed: Field, properties: ReadonlySet<string> | undefined): ThreadSpec => ({
  ...thread,
  locals: [...thread.locals, failed],
  steps: thread.steps.map((step) => ({
    ...step, alternatives: step.alternatives.flatMap((one) => split(one, failed, properties)),
  })),
});

export const haltingModel = (model: Model, properties: ReadonlySet<string> | undefined): HaltingModel => {
  const failed = model.threads.map(({ name }): Field => ({ name: `${name} failed`, length: 1, initial: [0], labels: {}, hidden: true }));
  const threads = model.threads.map((thread, index) => haltingThread(thread, failed[index], properties));
  return { model: { ...model, threads, reach: [] }, failed };
};
