// SPDX-License-Identifier: GPL-2.0-only
import type { Expression, Field } from "./expression.ts";
import type { Alternative, Assignment, Model, Step, StepSource, ThreadSpec } from "./model.ts";
import { problemsOf } from "./validate.ts";

/*
 * Models as text: fields are numbers (globals first, then the locals of each thread), everything else is as it is. Equal
 * models give equal bytes.
 */

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** Replaces each field object by its number. */
export function modelToJson(model: Model): string {
  const numbers = new Map<unknown, number>();
  for (const field of fieldsOf(model)) numbers.set(field, numbers.size);
  const fields = new Set<unknown>([...model.globals, ...model.threads.flatMap(({ locals }) => locals)]);
  const plain = (value: unknown): Json => {
    const number = numbers.get(value);
    if (number !== undefined) return { $field: number };
    if (Array.isArray(value)) return value.map(plain);
    if (typeof value === "object" && value !== null) return Object.fromEntries(Object.entries(value).filter(([, one]) => one !== undefined).map(([key, one]) => [key, plain(one)]));
    return value as Json;
  };
  return JSON.stringify({ fields: [...fields].map((field) => ({ ...(field as Field) })), model: plain(model) });
}

const fieldsOf = (model: Model): readonly Field[] => [...model.globals, ...model.threads.flatMap(({ locals }) => locals)];

/** The model that a text describes, or what is wrong with the text. Nothing of it is trusted. */
export function modelFromJson(text: string): { readonly model: Model } | { readonly problem: string } {
  try {
    const { fields, model } = object(JSON.parse(text), "a model is missing");
    const known = list(fields as readonly Field[]).map(readField);
    const made = withFields(model as Json, known, 0) as Model;
    readModel(made, new Set(known));
    const problems = problemsOf(made);
    return problems.length > 0 ? { problem: problems.join("; ") } : { model: made };
  } catch (error) {
    return { problem: error instanceof Error ? error.message : "not a model" };
  }
}

/** Deeper than any expression that is accepted, and what is around it. */
const MOST_DEPTH = 500;

function withFields(value: Json, known: readonly Field[], depth: number): unknown {
  if (depth > MOST_DEPTH) throw new Error("the text is nested too deeply");
  if (Array.isArray(value)) return (value as readonly Json[]).map((one) => withFields(one, known, depth + 1));
  if (typeof value !== "object" || value === null) return value;
  if (Object.hasOwn(value, "$field")) {
    const number = (value as { readonly $field: unknown }).$field;
    const field = Number.isInteger(number) ? known[number as number] : undefined;
    if (!field) throw new Error("no such field");
    return field;
  }
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, withFields(one, known, depth + 1)]));
}

type Known = ReadonlySet<Field>;

/** Throws where a member is missing or has another type than the model's. */
function readModel(model: Model, known: Known): void {
  object(model, "a model is missing");
  text(model.name);
  readFields(model.globals, known);
  for (const thread of list(model.threads)) readThread(thread, known);
  for (const one of list(model.reach)) {
    const { thread, step, what } = object(one, "an obligation is malformed");
    if (!Number.isInteger(thread) || !Number.isInteger(step) || typeof what !== "string") throw new Error("an obligation is malformed");
  }
}

function readThread(thread: ThreadSpec, known: Known): void {
  const { name, role, locals, steps, labels } = object(thread, "a thread is malformed") as unknown as ThreadSpec;
  text(name);
  if (role !== "review" && role !== "environment" && role !== "daemon") throw new Error("no such role");
  readFields(locals, known);
  if (!Object.values(object(labels, "labels are malformed")).every(Number.isInteger)) throw new Error("labels are malformed");
  for (const step of list(steps)) readStep(step, known);
}

function readStep(step: Step, known: Known): void {
  const { source, isFix, acquires = [], releases = [] } = object(step, "a step is malformed") as unknown as Step;
  text(step.text);
  if (typeof step.hidden !== "boolean" || (isFix !== undefined && isFix !== true)) throw new Error("a step is malformed");
  if (source !== null) readSource(source);
  for (const one of list(acquires)) text(readLock(one, known).name);
  for (const one of list(releases)) readLock(one, known);
  for (const alternative of list(step.alternatives)) readAlternative(alternative, known);
}

function readLock<T extends { readonly lock: Field }>(held: T, known: Known): T {
  object(held, "a lock is malformed");
  readFields([held.lock], known);
  return held;
}

const isLine = (value: unknown): boolean => value === undefined || value === null || Number.isInteger(value);

function readSource(source: StepSource): void {
  const { line, file = null, fileLine, side } = object(source, "the source of a step is malformed");
  const isPlace = line !== undefined && isLine(line) && isLine(fileLine) && (file === null || typeof file === "string");
  if (!isPlace || (side !== "old" && side !== "new")) throw new Error("the source of a step is malformed");
}

function readAlternative(alternative: Alternative, known: Known): void {
  const { guard, effect = [], checks = [], to = "", note = "", assumed = "" } = object(alternative, "an alternative is malformed") as unknown as Alternative;
  for (const said of [to, note, assumed]) text(said);
  if (guard !== undefined) readExpression(guard, known);
  for (const assignment of list(effect)) readAssignment(assignment, known);
  for (const check of list(checks)) {
    object(check, "a check is malformed");
    readExpression(check.holds, known);
    text(check.property);
    text(check.message);
  }
}

function readAssignment(assignment: Assignment, known: Known): void {
  object(assignment, "an assignment is malformed");
  readFields([assignment.target], known);
  if (assignment.index !== null) readExpression(assignment.index, known);
  readExpression(assignment.value, known);
}

const OPERATORS: ReadonlySet<string> = new Set(["==", "!=", "<", ">", "<=", ">=", "+", "-", "and", "or"]);

function readExpression(of: Expression, known: Known, depth = 0): void {
  if (depth > 200) throw new Error("an expression is too deep");
  object(of, "an expression is missing");
  switch (of.kind) {
    case "constant":
      return;
    case "field":
      return readFields([of.field], known);
    case "element":
      readFields([of.field], known);
      return readExpression(of.index, known, depth + 1);
    case "not":
      return readExpression(of.of, known, depth + 1);
    case "binary":
      if (!OPERATORS.has(of.operator)) throw new Error("no such operator");
      readExpression(of.left, known, depth + 1);
      return readExpression(of.right, known, depth + 1);
    default:
      throw new Error("no such expression");
  }
}

function readFields(fields: readonly Field[], known: Known): void {
  if (!list(fields).every((field) => known.has(field))) throw new Error("no such field");
}

function readField(field: Field): Field {
  const { name, initial, length, labels, elements = [], hidden, atomic } = object(field, "a field is malformed") as unknown as Field;
  text(name);
  for (const said of [...Object.values(object(labels, "the labels of a field are malformed")), ...list(elements)]) text(said);
  const isCounted = Array.isArray(initial) && initial.length === length;
  if (!isCounted || typeof hidden !== "boolean" || (atomic !== undefined && atomic !== true)) throw new Error("a field is malformed");
  return field;
}

function text(value: unknown): void {
  if (typeof value !== "string") throw new Error("a name is missing");
}

function object(value: unknown, problem: string): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new Error(problem);
  return value as Readonly<Record<string, unknown>>;
}

function list<T>(value: readonly T[]): readonly T[] {
  if (!Array.isArray(value)) throw new Error("a list is missing");
  return value;
}
