// SPDX-License-Identifier: GPL-2.0-only
import type { Field } from "./expression.ts";
import { createMachine, currentStep, take } from "./interpreter.ts";
import type { Machine } from "./interpreter.ts";
import type { Model } from "./model.ts";
import type { Trace, TraceStep } from "./trace.ts";

interface ItfInteger {
  readonly "#bigint": string;
}

type ItfValue = string | ItfInteger | readonly ItfInteger[];

/** A state: `#meta`, and a value for each of the trace's `vars`. */
export type ItfState = Readonly<Record<string, ItfValue | Readonly<Record<string, string | number>>>>;

/** A trace in the Informal Trace Format (ADR-015 of Apalache), for viewers and replayers of specifications. Plain JSON data. */
export interface ItfTrace {
  readonly "#meta": Readonly<Record<string, string>>;
  readonly vars: readonly string[];
  readonly states: readonly ItfState[];
  /** The state with which the cycle of a livelock starts; the last state is the same again. */
  readonly loop?: number;
}

/** The step that led to a state; tools that generate tests from traces look for this variable. */
const ACTION = "mbt::actionTaken";

const integer = (value: number): ItfInteger => ({ "#bigint": String(value) });

/** Names as variables: all different, and none that starts as the format's own words do. */
const distinct = (names: readonly string[]): string[] => {
  const taken = new Set([ACTION]);
  return names.map((name) => {
    const base = name.replace(/^#/, "_#");
    let free = base;
    for (let count = 2; taken.has(free); count++) free = `${base} (${count})`;
    taken.add(free);
    return free;
  });
};

interface Variable {
  readonly name: string;
  value(machine: Machine): ItfValue;
}

const fieldValue = (field: Field) => (machine: Machine): ItfValue => {
  const values = (machine.values.get(field) ?? []).map(integer);
  return field.length === 1 ? values[0] ?? integer(0) : values;
};

/** Where a thread is: the number makes it unique, the text is for a reader. */
const placeValue = (thread: number) => (machine: Machine): ItfValue => {
  const step = currentStep(machine, thread);
  return step === null ? "end" : `${machine.counters[thread]}: ${step.text}`;
};

const variablesOf = ({ globals, threads }: Model): Variable[] => {
  const wanted = [
    ...globals.map((field) => ({ name: field.name, value: fieldValue(field) })),
    ...threads.flatMap(({ name, locals }) => locals.map((field) => ({ name: `${name}.${field.name}`, value: fieldValue(field) }))),
    ...threads.map(({ name }, thread) => ({ name: `at(${name})`, value: placeValue(thread) })),
  ];
  const names = distinct(wanted.map(({ name }) => name));
  return wanted.map(({ value }, index) => ({ name: names[index], value }));
};

const stepMeta = (model: Model, { thread, text, note, source }: TraceStep): Readonly<Record<string, string | number>> => ({
  action: text,
  thread: model.threads[thread].name,
  ...(note === null ? {} : { note }),
  ...(source === null || source.line === null ? {} : { line: source.line, side: source.side }),
});

/**
 * The states of a replayed trace, from the initial one. The step that violates a check has no effect, so the last two states
 * differ in nothing but the action; `#meta.violation` of the last one says what is wrong.
 */
export const itfOf = (model: Model, trace: Trace): ItfTrace => {
  const machine = createMachine(model);
  const variables = variablesOf(model);
  const last = trace.steps.length - 1;
  const stateOf = (index: number, action: string, meta: Readonly<Record<string, string | number>>): ItfState =>
    Object.fromEntries<ItfState[string]>([
      ["#meta", { index, ...meta }],
      ...variables.map(({ name, value }) => [name, value(machine)] as const),
      [ACTION, action],
    ]);
  const states = [stateOf(0, "init", {})];
  trace.steps.forEach((step, index) => {
    const way = model.threads[step.thread].steps[step.step].alternatives[step.alternative];
    if (index !== last || trace.end !== "check") take(machine, step.thread, way);
    const meta = stepMeta(model, step);
    const { property, message } = trace.violation;
    states.push(stateOf(index + 1, step.text, index === last ? { ...meta, violation: `${property}: ${message}` } : meta));
  });
  return {
    "#meta": { format: "ITF", "format-description": "https://apalache-mc.org/docs/adr/015adr-trace.html", description: model.name, status: "violation" },
    vars: [...variables.map(({ name }) => name), ACTION],
    states,
    ...(trace.cycleStart === null ? {} : { loop: trace.cycleStart }),
  };
};
