// SPDX-License-Identifier: GPL-2.0-only
import { assign } from "./effect.ts";
import { and, eq, ne, or, type Expression, type Field } from "./expression.ts";
import type { Alternative, Check, Model, Step, ThreadSpec } from "./model.ts";

/** A step of a thread that a reviewer's list names, by the names that the model has. */
export interface OrderedStep {
  readonly thread: string;
  readonly step: string;
}

/** Names in a list that the model does not have, or has more than once, or that the list has again; none where it can be imposed. */
export function unknownSteps(model: Model, order: readonly OrderedStep[]): readonly OrderedStep[] {
  return order.filter(({ thread, step }, index) => {
    const owners = model.threads.filter(({ name }) => name === thread);
    const isAgain = order.slice(0, index).some((one) => one.thread === thread && one.step === step);
    return isAgain || owners.length !== 1 || owners[0]?.steps.filter(({ text }) => text === step).length !== 1;
  });
}

/** How far a list has come: the number of its next step. */
interface Progress {
  readonly place: Field;
  readonly complete: number;
  readonly isWanted: (check: Check) => boolean;
}

const guarded = (alternative: Alternative, guard: Expression): Alternative =>
  ({ ...alternative, guard: alternative.guard === undefined ? guard : and(alternative.guard, guard) });

/** What goes wrong before the list is complete is no failure with this order, and nothing comes after it. */
const failsAfterwards = ({ place, complete, isWanted }: Progress, alternative: Alternative): Alternative => {
  const wanted = (alternative.checks ?? []).filter(isWanted);
  return wanted.length === 0 ? alternative : guarded(alternative, or(eq(place, complete), and(...wanted.map(({ holds }) => holds))));
};

/** A listed step in its turn. The last one may be where it fails. */
const inTurn = (progress: Progress, alternative: Alternative, index: number): Alternative => {
  const { place, complete } = progress;
  const turn = guarded(alternative, eq(place, index));
  const taken = { ...turn, effect: [...(turn.effect ?? []), assign(place, index + 1)] };
  return index + 1 === complete ? taken : failsAfterwards(progress, taken);
};

/** A thread that waits for its turn is stuck for no reason of its own: it ends, and with it the list. A daemon need not. */
const givenUp = ({ place, complete }: Progress): Alternative =>
  ({ guard: ne(place, complete), effect: [assign(place, complete + 1)], to: "END", note: "the list is given up" });

const ordered = (progress: Progress, { alternatives, ...step }: Step, role: ThreadSpec["role"], index: number | undefined): Step => ({
  ...step,
  alternatives: [
    ...alternatives.map((one) => (index === undefined ? failsAfterwards(progress, one) : inTurn(progress, one, index))),
    ...(index === undefined ? [] : alternatives.map((one) => guarded(one, eq(progress.place, progress.complete)))),
    ...(role === "daemon" ? [] : [givenUp(progress)]),
  ],
});

/**
 * The model in which the listed steps happen in the order of the list, the others whenever they can. One byte counts how
 * far the list has come; a listed step can only be taken when it is its turn, and again after the whole list. Only what goes
 * wrong with the last step of the list or later is a failure of this model: one confirms a reviewer's numbered interleaving;
 * a pass says that no schedule with this order fails, which has nothing to do with what else is reached. `properties`: the
 * checks that will be looked for; missing: all. Throws for a list of steps that the model does not have, or that names one
 * twice (ask `unknownSteps` first), or of more than 254.
 */
export function inOrder(model: Model, order: readonly OrderedStep[], properties?: ReadonlySet<string>): Model {
  const unknown = unknownSteps(model, order);
  if (unknown.length > 0) throw new Error(`no such step: ${unknown.map(({ thread, step }) => `${thread}: ${step}`).join("; ")}`);
  if (order.length > 254) throw new Error("the list is too long");
  const place: Field = { name: "steps of the list", length: 1, initial: [0], labels: {}, hidden: true };
  const progress: Progress = { place, complete: order.length, isWanted: ({ property }) => properties === undefined || properties.has(property) };
  const turn = new Map(order.map(({ thread, step }, index) => [`${thread}\n${step}`, index] as const));
  return {
    ...model,
    name: `${model.name}, in the given order`,
    globals: [...model.globals, place],
    threads: model.threads.map((thread) => ({
      ...thread, steps: thread.steps.map((step) => ordered(progress, step, thread.role, turn.get(`${thread.name}\n${step.text}`))),
    })),
    reach: [],
  };
}
