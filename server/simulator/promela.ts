// SPDX-License-Identifier: GPL-2.0-only
import { nextCounter } from "./compile.ts";
import type { ExploreOptions } from "./explore.ts";
import type { Expression, Field } from "./expression.ts";
import type { Alternative, Assignment, Check, Model, ThreadSpec } from "./model.ts";

/** What the exploration that the export is compared with was asked. */
export type PromelaOptions = Pick<ExploreOptions, "properties" | "deadlock" | "disabled">;

interface Scope {
  /** Promela names of fields. Only looked up, never iterated. */
  readonly names: ReadonlyMap<Field, string>;
  readonly isWanted: (check: Check) => boolean;
  /** Whether a thread may wait for ever at any step without that being a deadlock. */
  readonly mayPark: (thread: ThreadSpec) => boolean;
}

/**
 * A name that is no keyword of Promela or C and no macro of the generated C (a variable called `cnt` breaks it): the number
 * makes it unique, the rest is for a reader.
 */
const mangled = (prefix: string, index: number, name: string): string =>
  `${prefix}${index}_${name.replace(/[^A-Za-z0-9]+/g, "_").replace(/^_|_$/g, "").slice(0, 40)}`;

/** A comment that no text can leave: the preprocessor of C reads the file before Spin does. */
const comment = (text: string): string =>
  `/* ${text.replace(/[^ -~]|[\\?"'`]/gu, ".").replace(/\*(?=\/)|\/(?=\*)/g, "$& ").trim()} */`;

const nameOf = ({ names }: Scope, field: Field): string => {
  const name = names.get(field);
  if (name === undefined) throw new Error(`field ${field.name} is not part of the model`);
  return name;
};

/** Whether a value can be below 0; it can only come from a subtraction. */
const mayBeNegative = (of: Expression): boolean =>
  of.kind === "binary" && (of.operator === "-" || (of.operator === "+" && (mayBeNegative(of.left) || mayBeNegative(of.right))));

const reads = (of: Expression, field: Field): boolean => {
  switch (of.kind) {
    case "constant":
      return false;
    case "field":
      return of.field === field;
    case "element":
      return of.field === field || reads(of.index, field);
    case "not":
      return reads(of.of, field);
    case "binary":
      return reads(of.left, field) || reads(of.right, field);
  }
};

/** Spin refuses to index an array with an element of the same array: such an access names each element. */
const isSelfIndexed = (field: Field, index: Expression): boolean => field.length > 1 && reads(index, field);

/** The condition under which an index is inside its array; null where it always is. */
const insideOf = (field: Field, index: Expression, text: string): string | null => {
  if (index.kind === "constant" && index.value < field.length) return null;
  const below = `(${text} < ${field.length})`;
  return mayBeNegative(index) ? `((${text} >= 0) && ${below})` : below;
};

const elementText = (scope: Scope, field: Field, index: string): string =>
  field.length === 1 ? nameOf(scope, field) : `${nameOf(scope, field)}[${index}]`;

const chosenElement = (scope: Scope, field: Field, index: string): string =>
  field.initial.reduceRight<string>((rest, _, at) => `((${index} == ${at}) -> ${elementText(scope, field, String(at))} : ${rest})`, "0");

const OPERATORS = { and: "&&", or: "||" } as const;

/** Values are C's `int` in Spin too, comparisons are 0 and 1, and a store keeps the low byte. */
const expressionText = (scope: Scope, of: Expression): string => {
  const text = (inner: Expression): string => expressionText(scope, inner);
  switch (of.kind) {
    case "constant":
      return String(of.value);
    case "field":
      return nameOf(scope, of.field);
    case "element": {
      const index = text(of.index);
      if (isSelfIndexed(of.field, of.index)) return chosenElement(scope, of.field, index);
      const inside = insideOf(of.field, of.index, index);
      const value = elementText(scope, of.field, index);
      return inside === null ? value : `(${inside} -> ${value} : 0)`;
    }
    case "not":
      return `(${text(of.of)} == 0)`;
    case "binary": {
      const operator = of.operator === "and" || of.operator === "or" ? OPERATORS[of.operator] : of.operator;
      return `(${text(of.left)} ${operator} ${text(of.right)})`;
    }
  }
};

const assignmentText = (scope: Scope, { target, index, value }: Assignment): string => {
  if (index === null) return `${nameOf(scope, target)} = ${expressionText(scope, value)}`;
  const at = expressionText(scope, index);
  const storeAt = (place: string): string => `${elementText(scope, target, place)} = ${expressionText(scope, value)}`;
  if (isSelfIndexed(target, index)) {
    return `if ${target.initial.map((_, place) => `:: (${at} == ${place}) -> ${storeAt(String(place))}`).join(" ")} :: else fi`;
  }
  const store = storeAt(at);
  const inside = insideOf(target, index, at);
  return inside === null ? store : `if :: ${inside} -> ${store} :: else fi`;
};

/** Expressions with more than one operand have their brackets already. */
const bracketed = (text: string): string => (text.startsWith("(") ? text : `(${text})`);

/** One atomic step and the jump behind it, which is no transition of its own. */
const alternativeText = (scope: Scope, { guard, checks = [], effect = [] }: Alternative, next: string): string => {
  const asserts = checks.filter(scope.isWanted).map(({ holds }) => `assert${bracketed(expressionText(scope, holds))}`);
  const body = [...asserts, ...effect.map((assignment) => assignmentText(scope, assignment))];
  const enabled = guard === undefined ? "" : `${bracketed(expressionText(scope, guard))} -> `;
  return `  :: d_step { ${enabled}${body.length === 0 ? "skip" : body.join("; ")} }; goto ${next}`;
};

const declaration = (scope: Scope, field: Field): string => {
  const { initial } = field;
  const name = nameOf(scope, field);
  const first = initial[0] ?? 0;
  if (field.length === 1) return `byte ${name} = ${first};`;
  const isUniform = initial.every((value) => value === first);
  return `byte ${name}[${field.length}] = ${isUniform ? first : `{ ${initial.join(", ")} }`};`;
};

/**
 * A thread as a process with one label a step. It never dies, since the state of a dead process is another one: it waits at
 * its end. Spin accepts it there, and where a label starts with `end`.
 */
const threadText = (scope: Scope, thread: ThreadSpec, index: number): string[] => {
  const { steps, locals, name } = thread;
  const label = (step: number): string => (step === steps.length || scope.mayPark(thread) ? `end${step}` : `step${step}`);
  return [
    comment(name),
    `active proctype ${mangled("T", index, name)}() {`,
    ...locals.map((field) => `  ${declaration(scope, field)}`),
    ...steps.flatMap(({ text, alternatives }, step) => [
      `${label(step)}: ${comment(text)}`,
      "  if",
      ...alternatives.map((one) => alternativeText(scope, one, label(nextCounter(thread, step, one)))),
      "  fi;",
    ]),
    `${label(steps.length)}: false`,
    "}",
  ];
};

const scopeOf = (model: Model, { properties, deadlock = false }: PromelaOptions): Scope => {
  const names = new Map<Field, string>();
  model.globals.forEach((field, index) => names.set(field, mangled("g", index, field.name)));
  model.threads.forEach(({ locals }, thread) =>
    locals.forEach((field, index) => names.set(field, mangled(`t${thread}l`, index, field.name))),
  );
  return {
    names,
    isWanted: ({ property }) => properties === undefined || properties.has(property),
    mayPark: ({ role }) => !deadlock || role !== "review",
  };
};

/**
 * A model as a Promela program with the same state graph: state for state what exploration stores, transition for transition
 * what it counts (Spin adds one for the initial state). A violated check is a failed assertion; a deadlock, where the options
 * ask for it, is an invalid end state. A livelock is not expressed. Holds for a full search of what Spin generates with
 * `-o1 -o2 -o3`, compiled with `-DNOREDUCE -DSAFETY`. Spin takes no program with more than about 2000 alternatives.
 */
export const promelaOf = (model: Model, options: PromelaOptions = {}): string => {
  const scope = scopeOf(model, options);
  const disabled = new Set(options.disabled ?? []);
  const threads = model.threads.flatMap((thread, index) => (disabled.has(index) ? [] : [threadText(scope, thread, index)]));
  // Spin wants a process.
  if (threads.length === 0) threads.push(["active proctype T_none() {", "end: false", "}"]);
  const globals = model.globals.map((field) => declaration(scope, field));
  return [comment(model.name), ...globals, ...threads.flat()].map((line) => `${line}\n`).join("");
};
