// SPDX-License-Identifier: GPL-2.0-only
import type { BinaryOperator, Expression, Field } from "./expression.ts";
import type { Alternative, Check, Model, Step } from "./model.ts";
import type { TraceChange } from "./trace.ts";

/**
 * A small, slow interpreter of models. It walks the expressions and shares no code with the compiler and the virtual machine,
 * so that replaying a schedule here is evidence that the schedule is real.
 */
export interface Machine {
  readonly model: Model;
  readonly values: Map<Field, number[]>;
  /** Next step of each thread. */
  readonly counters: number[];
}

export const createMachine = (model: Model): Machine => {
  const fields = [...model.globals, ...model.threads.flatMap(({ locals }) => locals)];
  return {
    model,
    values: new Map(fields.map((field) => [field, [...field.initial]])),
    counters: model.threads.map(() => 0),
  };
};

const combine = (operator: BinaryOperator, left: number, right: number): number => {
  switch (operator) {
    case "==":
      return Number(left === right);
    case "!=":
      return Number(left !== right);
    case "<":
      return Number(left < right);
    case ">":
      return Number(left > right);
    case "<=":
      return Number(left <= right);
    case ">=":
      return Number(left >= right);
    case "+":
      return left + right;
    case "-":
      return left - right;
    case "and":
      return Number(left !== 0 && right !== 0);
    case "or":
      return Number(left !== 0 || right !== 0);
  }
};

export const evaluate = (machine: Machine, of: Expression): number => {
  switch (of.kind) {
    case "constant":
      return of.value;
    case "field":
      return machine.values.get(of.field)?.[0] ?? 0;
    case "element":
      return machine.values.get(of.field)?.[evaluate(machine, of.index)] ?? 0;
    case "not":
      return Number(evaluate(machine, of.of) === 0);
    case "binary":
      return combine(of.operator, evaluate(machine, of.left), evaluate(machine, of.right));
  }
};

/** The step that a thread is at, or null where it has ended. */
export const currentStep = ({ model, counters }: Machine, thread: number): Step | null =>
  model.threads[thread]?.steps[counters[thread] ?? 0] ?? null;

export const isEnabled = (machine: Machine, { guard }: Alternative): boolean =>
  guard === undefined || evaluate(machine, guard) !== 0;

/** Indices of the alternatives that a thread can take now. */
export const enabledAlternatives = (machine: Machine, thread: number): number[] =>
  (currentStep(machine, thread)?.alternatives ?? []).flatMap((alternative, index) =>
    isEnabled(machine, alternative) ? [index] : [],
  );

/** First check of the alternative that does not hold, among those of the given properties (missing: all). */
export const violatedCheck = (
  machine: Machine,
  { checks = [] }: Alternative,
  properties: ReadonlySet<string> | undefined,
): Check | null =>
  checks.find(
    ({ property, holds }) => (properties === undefined || properties.has(property)) && evaluate(machine, holds) === 0,
  ) ?? null;

const print = ({ labels }: Field, value: number): string =>
  (Object.hasOwn(labels, value) ? labels[value] : undefined) ?? String(value);

const nameOf = ({ name, length, elements }: Field, index: number): string =>
  length === 1 ? name : (elements?.[index] ?? `${name}[${index}]`);

const differences = (field: Field, before: readonly number[], after: readonly number[]): TraceChange[] =>
  after.flatMap((value, index) => {
    const old = before[index] ?? 0;
    if (value === old) return [];
    return [{ field: nameOf(field, index), from: print(field, old), to: print(field, value) }];
  });

const jump = (machine: Machine, thread: number, to: string | undefined): void => {
  const { steps = [], labels = {} } = machine.model.threads[thread] ?? {};
  if (to === undefined) machine.counters[thread] = (machine.counters[thread] ?? 0) + 1;
  else machine.counters[thread] = to === "END" ? steps.length : (labels[to] ?? steps.length);
};

/** Applies an alternative's effect and moves the thread on; returns what changed in visible fields. */
export const take = (machine: Machine, thread: number, { effect = [], to }: Alternative): TraceChange[] => {
  const touched = [...new Set(effect.map(({ target }) => target))];
  const before = touched.map((field) => [...(machine.values.get(field) ?? [])]);
  for (const { target, index, value } of effect) {
    const cells = machine.values.get(target) ?? [];
    const at = index === null ? 0 : evaluate(machine, index);
    const wrapped = evaluate(machine, value) & 0xff;
    if (at >= 0 && at < cells.length) cells[at] = wrapped;
  }
  jump(machine, thread, to);
  return touched.flatMap((field, which) =>
    field.hidden ? [] : differences(field, before[which] ?? [], machine.values.get(field) ?? []),
  );
};

/** The whole state as text, for comparing two moments. */
export const snapshot = ({ values, counters }: Machine): string => JSON.stringify([counters, [...values.values()]]);
