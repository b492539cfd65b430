// SPDX-License-Identifier: GPL-2.0-only
import type { Expression, Field } from "./expression.ts";
import type { Alternative, Assignment, Check, Model, Step, ThreadSpec } from "./model.ts";

/** Members that a writer below says, or leaves out on purpose; the compiler complains of one that it does not know. */
type Complete<T, Known extends keyof T> = [Exclude<keyof T, Known>] extends [never] ? true : never;
const complete = <T, Known extends keyof T>(all: Complete<T, Known>): boolean => all;

/**
 * A model as a text that says everything of it but the lines that its steps come from: equal texts, equal models. Fields
 * are told apart by what they are, not by their names, so that they stand as numbers: globals first, then the locals of
 * each thread. Written out by hand, because it is made for every model that is asked about; nothing reads it back.
 */
export function canonicalText(model: Model): string {
  complete<Model, "name" | "globals" | "threads" | "reach">(true);
  const numbers = new Map<Field, number>();
  for (const field of model.globals) numbers.set(field, numbers.size);
  for (const { locals } of model.threads) for (const field of locals) numbers.set(field, numbers.size);
  let out = `${word(model.name)}${model.globals.length}`;
  for (const field of numbers.keys()) out += fieldText(field);
  for (const thread of model.threads) out += threadText(thread, numbers);
  for (const { thread, step, what } of model.reach) out += `!${thread},${step}${word(what)}`;
  return out;
}

/** A text with its length in front: no text can look like what follows it. */
const word = (text: string): string => `${text.length}"${text}`;

function fieldText({ name, length, initial, labels, elements, hidden, atomic }: Field): string {
  complete<Field, "name" | "length" | "initial" | "labels" | "elements" | "hidden" | "atomic">(true);
  return `\n@${word(name)}${length},${initial.join(",")}${JSON.stringify([labels, elements])}${hidden ? "h" : ""}${atomic ? "a" : ""}`;
}

function threadText({ name, role, locals, steps, labels }: ThreadSpec, numbers: ReadonlyMap<Field, number>): string {
  complete<ThreadSpec, "name" | "role" | "locals" | "steps" | "labels">(true);
  let out = `\n$${word(name)}${role}${locals.length}`;
  for (const label in labels) out += `${word(label)}${labels[label]}`;
  for (const step of steps) out += stepText(step, numbers);
  return out;
}

function stepText({ text, isFix, hidden, alternatives, acquires, releases }: Step, numbers: ReadonlyMap<Field, number>): string {
  complete<Step, "text" | "source" | "isFix" | "hidden" | "alternatives" | "acquires" | "releases">(true);
  let out = `\n-${word(text)}${isFix ? "f" : ""}${hidden ? "h" : ""}`;
  for (const { lock, name } of acquires ?? []) out += `+${numbers.get(lock)}${word(name)}`;
  for (const { lock } of releases ?? []) out += `~${numbers.get(lock)};`;
  for (const alternative of alternatives) out += alternativeText(alternative, numbers);
  return out;
}

function alternativeText({ guard, effect, checks, to, note, assumed }: Alternative, numbers: ReadonlyMap<Field, number>): string {
  complete<Alternative, "guard" | "effect" | "checks" | "to" | "note" | "assumed">(true);
  let out = guard === undefined ? "|" : `|?${valueText(guard, numbers)}`;
  for (const assignment of effect ?? []) out += assignmentText(assignment, numbers);
  for (const check of checks ?? []) out += checkText(check, numbers);
  if (to !== undefined) out += `>${word(to)}`;
  if (note !== undefined) out += `n${word(note)}`;
  if (assumed !== undefined) out += `a${word(assumed)}`;
  return out;
}

function assignmentText({ target, index, value }: Assignment, numbers: ReadonlyMap<Field, number>): string {
  complete<Assignment, "target" | "index" | "value">(true);
  return `=${numbers.get(target)}${index === null ? "" : `[${valueText(index, numbers)}`}:${valueText(value, numbers)}`;
}

function checkText({ holds, property, message }: Check, numbers: ReadonlyMap<Field, number>): string {
  complete<Check, "holds" | "property" | "message">(true);
  return `c${valueText(holds, numbers)}${word(property)}${word(message)}`;
}

function valueText(of: Expression, numbers: ReadonlyMap<Field, number>): string {
  switch (of.kind) {
    case "constant":
      return `${of.value};`;
    case "field":
      return `#${numbers.get(of.field)};`;
    case "element":
      return `#${numbers.get(of.field)}[${valueText(of.index, numbers)}`;
    case "not":
      return `!${valueText(of.of, numbers)}`;
    case "binary":
      return `(${of.operator} ${valueText(of.left, numbers)}${valueText(of.right, numbers)}`;
  }
}
