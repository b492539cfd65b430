// SPDX-License-Identifier: GPL-2.0-only
import type { Expression, Field } from "./expression.ts";
import type { Alternative, Assignment, Model, Step, ThreadSpec } from "./model.ts";
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
    const { fields, model } = JSON.parse(text) as { fields: readonly Field[]; model: Json };
    const known = fields.map(readField);
    const made = withFields(model, known) as unknown as Model;
    const problems = problemsOf(readModel(made));
    return problems.length > 0 ? { problem: problems.join("; ") } : { model: made };
  } catch (error) {
    return { problem: error instanceof Error ? error.message : "not a model" };
  }
}

function withFields(value: Json, known: readonly Field[]): unknown {
  if (Array.isArray(value)) return (value as readonly Json[]).map((one) => withFields(one, known));
  if (typeof value !== "object" || value === null) return value;
  if ("$field" in value) {
    const field = known[value["$field"] as number];
    if (!field) throw new Error("no such field");
    return field;
  }
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, withFields(one, known)]));
}

/** Throws where a member is missing or has another type than the model's. */
function readModel(model: Model): Model {
  text(model.name);
  for (const thread of list(model.threads)) readThread(thread);
  for (const { thread, step, what } of list(model.reach)) if (!Number.isInteger(thread) || !Number.isInteger(step) || typeof what !== "string") throw new Error("an obligation is malformed");
  list(model.globals);
  return model;
}

function readThread({ name, role, locals, steps, labels }: ThreadSpec): void {
  text(name);
  if (role !== "review" && role !== "environment" && role !== "daemon") throw new Error("no such role");
  list(locals);
  if (typeof labels !== "object" || !Object.values(labels).every(Number.isInteger)) throw new Error("labels are malformed");
  for (const step of list(steps)) readStep(step);
}

function readStep(step: Step): void {
  text(step.text);
  if (typeof step.hidden !== "boolean") throw new Error("a step is malformed");
  for (const alternative of list(step.alternatives)) readAlternative(alternative);
}

function readAlternative({ guard, effect = [], checks = [] }: Alternative): void {
  if (guard !== undefined) readExpression(guard);
  for (const assignment of list(effect)) readAssignment(assignment);
  for (const { holds, property, message } of list(checks)) {
    readExpression(holds);
    text(property);
    text(message);
  }
}

function readAssignment({ index, value }: Assignment): void {
  if (index !== null) readExpression(index);
  readExpression(value);
}

const OPERATORS: ReadonlySet<string> = new Set(["==", "!=", "<", ">", "<=", ">=", "+", "-", "and", "or"]);

function readExpression(of: Expression, depth = 0): void {
  if (depth > 200) throw new Error("an expression is too deep");
  switch (of.kind) {
    case "constant":
    case "field":
      return;
    case "element":
      return readExpression(of.index, depth + 1);
    case "not":
      return readExpression(of.of, depth + 1);
    case "binary":
      if (!OPERATORS.has(of.operator)) throw new Error("no such operator");
      readExpression(of.left, depth + 1);
      return readExpression(of.right, depth + 1);
    default:
      throw new Error("no such expression");
  }
}

function readField(field: Field): Field {
  text(field.name);
  if (!Array.isArray(field.initial) || field.initial.length !== field.length) throw new Error("a field is malformed");
  return field;
}

function text(value: unknown): void {
  if (typeof value !== "string") throw new Error("a name is missing");
}

function list<T>(value: readonly T[]): readonly T[] {
  if (!Array.isArray(value)) throw new Error("a list is missing");
  return value;
}
