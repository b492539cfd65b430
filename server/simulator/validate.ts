// SPDX-License-Identifier: GPL-2.0-only
import type { Expression, Field } from "./expression.ts";
import { MAX_FIELD_BYTES, MAX_STEPS, MAX_THREADS } from "./layout.ts";
import type { Alternative, Assignment, Model, Step, ThreadSpec } from "./model.ts";

type Complain = (problem: string) => void;

const isByte = (value: number): boolean => Number.isInteger(value) && value >= 0 && value <= 255;

const checkField = (field: Field, complain: Complain): void => {
  if (field.length < 1 || field.initial.length !== field.length) complain(`field ${field.name} has a wrong length`);
  if (!field.initial.every(isByte)) complain(`field ${field.name} starts with a value outside 0..255`);
};

const checkUse = (field: Field, indexed: boolean, known: ReadonlySet<Field>, complain: Complain): void => {
  if (!known.has(field)) complain(`${field.name} is no field of the model or of this thread`);
  if (!indexed && field.length > 1) complain(`array ${field.name} is used without an index`);
};

const checkExpression = (of: Expression, known: ReadonlySet<Field>, complain: Complain): void => {
  switch (of.kind) {
    case "constant":
      if (!isByte(of.value)) complain(`constant ${of.value} is outside 0..255`);
      return;
    case "field":
      return checkUse(of.field, false, known, complain);
    case "element":
      checkUse(of.field, true, known, complain);
      return checkExpression(of.index, known, complain);
    case "not":
      return checkExpression(of.of, known, complain);
    case "binary":
      checkExpression(of.left, known, complain);
      return checkExpression(of.right, known, complain);
  }
};

const checkAssignment = (assignment: Assignment, known: ReadonlySet<Field>, complain: Complain): void => {
  const { target, index, value } = assignment;
  checkUse(target, index !== null, known, complain);
  if (index !== null) checkExpression(index, known, complain);
  checkExpression(value, known, complain);
};

const checkAlternative = (
  { guard, effect = [], checks = [], to }: Alternative,
  { labels }: ThreadSpec,
  known: ReadonlySet<Field>,
  complain: Complain,
): void => {
  if (guard !== undefined) checkExpression(guard, known, complain);
  for (const assignment of effect) checkAssignment(assignment, known, complain);
  for (const check of checks) checkExpression(check.holds, known, complain);
  if (to !== undefined && to !== "END" && !Object.hasOwn(labels, to)) complain(`unknown label ${to}`);
};

const checkStep = (step: Step, thread: ThreadSpec, known: ReadonlySet<Field>, complain: Complain): void => {
  if (step.alternatives.length === 0) complain("no alternative");
  for (const alternative of step.alternatives) checkAlternative(alternative, thread, known, complain);
  for (const { lock } of [...(step.acquires ?? []), ...(step.releases ?? [])]) checkUse(lock, true, known, complain);
};

/** A label stands before a step, or at the end. */
const checkLabels = ({ labels, steps }: ThreadSpec, complain: Complain): void => {
  for (const [label, at] of Object.entries(labels)) {
    if (!Number.isInteger(at) || at < 0 || at > steps.length) complain(`label ${label} is at no step`);
  }
  if (Object.hasOwn(labels, "END")) complain("END is no name for a label");
};

const checkThread = (thread: ThreadSpec, globals: readonly Field[], complain: Complain): void => {
  if (thread.steps.length > MAX_STEPS) complain(`there are more than ${MAX_STEPS} steps`);
  checkLabels(thread, complain);
  for (const field of thread.locals) checkField(field, complain);
  const known = new Set([...globals, ...thread.locals]);
  thread.steps.forEach((step, index) =>
    checkStep(step, thread, known, (problem) => complain(`step ${index} (${step.text}): ${problem}`)),
  );
};

const duplicates = <T>(values: readonly T[]): T[] => {
  const seen = new Set<T>();
  return values.filter((value) => seen.size === seen.add(value).size);
};

/** What is ill-formed in a model, one sentence fragment each; empty for a good model. */
export const problemsOf = (model: Model): string[] => {
  const problems: string[] = [];
  const complain: Complain = (problem) => problems.push(problem);
  for (const field of model.globals) checkField(field, complain);
  const fields = [...model.globals, ...model.threads.flatMap(({ locals }) => locals)];
  if (fields.reduce((bytes, { length }) => bytes + length, 0) > MAX_FIELD_BYTES) complain(`the fields take more than ${MAX_FIELD_BYTES} bytes`);
  if (model.threads.length > MAX_THREADS) complain(`there are more than ${MAX_THREADS} threads`);
  for (const field of duplicates(fields)) complain(`field ${field.name} is declared twice`);
  for (const name of duplicates(model.threads.map((thread) => thread.name))) complain(`two threads are called ${name}`);
  for (const thread of model.threads) {
    checkThread(thread, model.globals, (problem) => complain(`thread ${thread.name}, ${problem}`));
  }
  for (const { thread, step, what } of model.reach) {
    if (model.threads[thread]?.steps[step] === undefined) complain(`${what}: no such step to reach`);
  }
  return problems;
};
