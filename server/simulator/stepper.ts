// SPDX-License-Identifier: GPL-2.0-only
import { createMachine, currentStep, enabledAlternatives, take, violatedCheck, type Machine } from "./interpreter.ts";
import type { Model } from "./model.ts";
import type { TraceChange } from "./trace.ts";

/** A way to go on: one alternative of the step that a thread is at. */
export interface Choice {
  readonly thread: number;
  readonly alternative: number;
  /** The step, with the alternative's note. */
  readonly text: string;
}

/** A thread that cannot move, and the step at which it waits. */
export interface Waiting {
  readonly thread: number;
  readonly text: string;
}

/** A step that was taken. */
export interface Taken extends Choice {
  readonly changes: readonly TraceChange[];
  /** The bad state that it reaches; null where it reaches none. The run ends there. */
  readonly violated: { readonly property: string; readonly message: string } | null;
}

/** A run of a model, step by step, forwards and backwards. */
export interface Stepper {
  readonly taken: readonly Taken[];
  choices(): readonly Choice[];
  waiting(): readonly Waiting[];
  /** Takes a choice of `choices()`; throws for any other. */
  take(choice: Choice): Taken;
  /** Undoes the last step; false where there is none. */
  back(): boolean;
}

/** `properties`: the bad states that end a run; missing: all. */
export function stepper(model: Model, properties?: ReadonlySet<string>): Stepper {
  const taken: Taken[] = [];
  let machine = createMachine(model);
  const isOver = (): boolean => (taken.at(-1)?.violated ?? null) !== null;
  const threads = model.threads.map((_, thread) => thread);

  const choicesOf = (thread: number): Choice[] => {
    const step = currentStep(machine, thread);
    return enabledAlternatives(machine, thread).map((alternative) => {
      const note = step?.alternatives[alternative]?.note;
      return { thread, alternative, text: note === undefined ? (step?.text ?? "") : `${step?.text ?? ""} [${note}]` };
    });
  };
  const choices = (): readonly Choice[] => (isOver() ? [] : threads.flatMap(choicesOf));

  const apply = (on: Machine, { thread, alternative, text }: Choice): Taken => {
    const way = currentStep(on, thread)?.alternatives[alternative];
    if (!way) throw new Error(`no such choice: ${text}`);
    const violated = violatedCheck(on, way, properties);
    const changes = violated === null ? take(on, thread, way) : [];
    return { thread, alternative, text, changes, violated: violated && { property: violated.property, message: violated.message } };
  };

  return {
    taken,
    choices,
    waiting: () => threads.flatMap((thread) => {
      const step = currentStep(machine, thread);
      return step && enabledAlternatives(machine, thread).length === 0 ? [{ thread, text: step.text }] : [];
    }),
    take(choice) {
      if (!choices().some((one) => one.thread === choice.thread && one.alternative === choice.alternative)) throw new Error(`not possible now: ${choice.text}`);
      const step = apply(machine, choice);
      taken.push(step);
      return step;
    },
    back() {
      if (taken.pop() === undefined) return false;
      machine = createMachine(model);
      for (const one of taken) apply(machine, one);
      return true;
    },
  };
}
