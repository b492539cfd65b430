// SPDX-License-Identifier: GPL-2.0-only
import type { Field } from "./expression.ts";
import type { Alternative, Model, Step, StepSource, ThreadSpec } from "./model.ts";
import { problemsOf } from "./validate.ts";

export interface FieldOptions {
  readonly labels?: Readonly<Record<number, string>>;
  /** Names of an array's elements for a reader, by index. */
  readonly elements?: readonly string[];
  readonly hidden?: boolean;
  readonly atomic?: true;
}

/** What an object contributes to a step: the ways to take it, and the locks it takes or gives up. */
export type StepPart = Pick<Step, "alternatives" | "acquires" | "releases">;

/**
 * A step as scenarios write it: either `alternatives` (often spread from an object's `StepPart`), or the members of a single
 * alternative right here.
 */
export interface StepInput extends Alternative {
  readonly text: string;
  readonly source?: StepSource | null;
  readonly hidden?: boolean;
  readonly isFix?: true;
  readonly alternatives?: readonly Alternative[];
  readonly acquires?: Step["acquires"];
  readonly releases?: Step["releases"];
}

export interface ThreadBuilder {
  /** Index of the thread in the model. */
  readonly index: number;
  local(name: string, initial?: number, options?: FieldOptions): Field;
  localArray(name: string, initial: readonly number[], options?: FieldOptions): Field;
  /** Names the place before the next step. */
  label(name: string): void;
  /** Adds a step and returns its index. */
  step(input: StepInput): number;
  /** A hidden step that goes on at the label. */
  goto(label: string): number;
}

export interface ModelBuilder {
  field(name: string, initial?: number, options?: FieldOptions): Field;
  array(name: string, initial: readonly number[], options?: FieldOptions): Field;
  thread(name: string, role: ThreadSpec["role"]): ThreadBuilder;
  /** The step must be taken somewhere, else a pass is vacuous. */
  reach(thread: ThreadBuilder, step: number, what: string): void;
  /** The finished model. Throws where it is ill-formed: models are written by us, so that is a bug. */
  finish(): Model;
}

const fieldOf = (name: string, initial: readonly number[], { labels = {}, elements, hidden = false, atomic }: FieldOptions): Field => ({
  name,
  length: initial.length,
  initial: [...initial],
  labels,
  ...(elements === undefined ? {} : { elements }),
  hidden,
  ...(atomic === undefined ? {} : { atomic }),
});

const stepOf = (input: StepInput): Step => {
  const { text, source = null, hidden = false, isFix, alternatives, acquires, releases, ...single } = input;
  return {
    text,
    source,
    hidden,
    ...(isFix === undefined ? {} : { isFix }),
    alternatives: alternatives ?? [single],
    ...(acquires === undefined ? {} : { acquires }),
    ...(releases === undefined ? {} : { releases }),
  };
};

interface OpenThread {
  readonly name: string;
  readonly role: ThreadSpec["role"];
  readonly locals: Field[];
  readonly steps: Step[];
  readonly labels: Record<string, number>;
}

const threadBuilder = (index: number, { name, locals, steps, labels }: OpenThread): ThreadBuilder => {
  const declare = (field: Field): Field => {
    locals.push(field);
    return field;
  };
  const step = (input: StepInput): number => steps.push(stepOf(input)) - 1;
  return {
    index,
    local: (field, initial = 0, options = {}) => declare(fieldOf(field, [initial], options)),
    localArray: (field, initial, options = {}) => declare(fieldOf(field, initial, options)),
    label: (label) => {
      if (label === "END" || Object.hasOwn(labels, label)) throw new Error(`thread ${name}: label ${label} is taken`);
      labels[label] = steps.length;
    },
    step,
    goto: (label) => step({ text: `goto ${label}`, hidden: true, to: label }),
  };
};

/** Starts a model. Fields, threads and steps keep the order in which they are added, which is the order of exploration. */
export const modelBuilder = (name: string): ModelBuilder => {
  const globals: Field[] = [];
  const threads: OpenThread[] = [];
  const reach: { thread: number; step: number; what: string }[] = [];
  const declare = (field: Field): Field => {
    globals.push(field);
    return field;
  };
  return {
    field: (field, initial = 0, options = {}) => declare(fieldOf(field, [initial], options)),
    array: (field, initial, options = {}) => declare(fieldOf(field, initial, options)),
    thread: (thread, role) => {
      const open: OpenThread = { name: thread, role, locals: [], steps: [], labels: {} };
      return threadBuilder(threads.push(open) - 1, open);
    },
    reach: ({ index }, step, what) => {
      reach.push({ thread: index, step, what });
    },
    finish: () => {
      const model: Model = { name, globals, threads, reach };
      const problems = problemsOf(model);
      if (problems.length > 0) throw new Error(`model ${name}: ${problems.join("; ")}`);
      return model;
    },
  };
};
