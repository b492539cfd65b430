// SPDX-License-Identifier: GPL-2.0-only
import { assign } from "./effect.ts";
import { and, eq, type Field } from "./expression.ts";
import type { Alternative, Model, Step } from "./model.ts";

/** A step of a thread that a reviewer's list names, by the names that the model has. */
export interface OrderedStep {
  readonly thread: string;
  readonly step: string;
}

/** Names in a list that the model does not have, or has more than once; none where the list can be imposed. */
export function unknownSteps(model: Model, order: readonly OrderedStep[]): readonly OrderedStep[] {
  return order.filter(({ thread, step }) => {
    const owners = model.threads.filter(({ name }) => name === thread);
    return owners.length !== 1 || owners[0]?.steps.filter(({ text }) => text === step).length !== 1;
  });
}

/**
 * The model in which the listed steps happen in the order of the list, the others whenever they can. One byte counts how
 * far the list has come; a listed step can only be taken when it is its turn, each once. A failure of this model confirms
 * a reviewer's numbered interleaving; a pass says that no schedule with this order fails. Throws for a list of steps that
 * the model does not have (ask `unknownSteps` first), or of more than 254.
 */
export function inOrder(model: Model, order: readonly OrderedStep[]): Model {
  const unknown = unknownSteps(model, order);
  if (unknown.length > 0) throw new Error(`no such step: ${unknown.map(({ thread, step }) => `${thread}: ${step}`).join("; ")}`);
  if (order.length > 254) throw new Error("the list is too long");
  const place: Field = { name: "steps of the list", length: 1, initial: [0], labels: {}, hidden: true };
  const turn = new Map(order.map(({ thread, step }, index) => [`${thread}\n${step}`, index] as const));
  const during = (alternative: Alternative, index: number): Alternative => ({
    ...alternative,
    guard: alternative.guard === undefined ? eq(place, index) : and(alternative.guard, eq(place, index)),
    effect: [...(alternative.effect ?? []), assign(place, index + 1)],
  });
  const ordered = (step: Step, thread: string): Step => {
    const index = turn.get(`${thread}\n${step.text}`);
    return index === undefined ? step : { ...step, alternatives: step.alternatives.map((alternative) => during(alternative, index)) };
  };
  return {
    ...model,
    name: `${model.name}, in the given order`,
    globals: [...model.globals, place],
    threads: model.threads.map((thread) => ({ ...thread, steps: thread.steps.map((step) => ordered(step, thread.name)) })),
  };
}
