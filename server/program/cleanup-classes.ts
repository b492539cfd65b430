// SPDX-License-Identifier: GPL-2.0-only
import { conditionalGuard, freeClass, guardClass, variableClass } from "../kernel/guards.ts";
import type { Image } from "../source/image.ts";
import type { Statement, Value } from "./code.ts";
import { both, not } from "./condition.ts";
import { readFunctions } from "./read-code.ts";
import { relocate, substitute } from "./render.ts";
import { mapStatement } from "./statement-parts.ts";

/** What <linux/cleanup.h> makes of one declaration: what runs where it stands, and what at the end of its scope. */
export interface CleanupCode {
  readonly enter: Statement;
  /** The condition under which the scope is entered at all; null: it always is. It stands in the place of `enter`. */
  readonly held: Value | null;
  /** null where the class is not known. */
  readonly leave: Statement | null;
}

/** A variable's class: the value that it starts with, where the class says it, and what happens to it in the end. */
export interface VariableCode {
  readonly initial: Value | null;
  readonly leave: Statement | null;
}

export interface CleanupClasses {
  guard(name: string, args: readonly Value[], at: number, end: number): CleanupCode;
  /** `args`: those of a CLASS(); null for `__free()`. */
  variable(name: string, variable: Value, args: readonly Value[] | null, end: number): VariableCode;
}

/** A class that the text defines; `_T` is the guarded object, or the variable. */
interface Defined {
  readonly enter: Statement | null;
  readonly leave: Statement;
  readonly parameters: readonly string[];
  readonly isConditional: boolean;
}

const NOTHING: Statement = { kind: "list", items: [] };
const callOf = (name: string, args: readonly Value[], at: number, end: number): Value => ({ kind: "call", name, args, at, end });
const run = (value: Value): Statement => ({ kind: "expression", value });

const known = new WeakMap<Image, CleanupClasses>();

/** The classes that a text can use: its own, then the kernel's. */
export function cleanupClassesOf(image: Image): CleanupClasses {
  const made = known.get(image) ?? makeClasses(image.text);
  known.set(image, made);
  return made;
}

function makeClasses(text: string): CleanupClasses {
  const { guards, frees } = definedIn(text);
  const bound = (value: Value, names: ReadonlyMap<string, Value>, at: number, end: number): Value => relocate(substitute(value, names), at, end);
  return {
    guard(name, args, at, end) {
      const own = guards.get(name);
      if (own) {
        const names = new Map(args[0] ? [["_T", args[0]]] : []);
        const here = (part: Statement): Statement => mapStatement(part, (value) => bound(value, names, at, end));
        const held = own.isConditional && own.enter?.kind === "expression" ? bound(own.enter.value, names, at, end) : null;
        return { enter: held ? NOTHING : here(own.enter ?? NOTHING), held, leave: here(own.leave) };
      }
      const tried = conditionalGuard(name);
      const plain = tried ?? guardClass(name);
      const enter = callOf(plain?.lock ?? `guard(${name})`, args, at, end);
      const leave = plain && run(callOf(plain.unlock, args, at, end));
      return tried ? { enter: NOTHING, held: tried.held === "zero" ? not(enter) : enter, leave } : { enter: run(enter), held: null, leave };
    },
    variable(name, variable, args, end) {
      const { at } = variable;
      const own = (args ? guards : frees).get(name);
      if (own) {
        const names = new Map([["_T", variable], ...own.parameters.flatMap((one, index) => (args?.[index] ? [[one, args[index]] as const] : []))]);
        const initial = args && own.enter?.kind === "expression" ? bound(own.enter.value, names, at, end) : null;
        return { initial, leave: mapStatement(own.leave, (value) => bound(value, names, at, end)) };
      }
      const kind = args ? variableClass(name) : null;
      if (kind && args) return { initial: callOf(kind.enter, args, at, end), leave: run(callOf(kind.leave, [variable], at, end)) };
      const free = args ? null : freeClass(name);
      if (!free) return { initial: args && callOf(`CLASS(${name})`, args, at, end), leave: args ? null : run(callOf(`__free(${name})`, [variable], at, end)) };
      const condition = free.unlessError ? (both(variable, not(callOf("IS_ERR", [variable], at, end))) ?? variable) : variable;
      return { initial: null, leave: { kind: "if", condition, then: run(callOf(free.call, [variable], at, end)), otherwise: null } };
    },
  };
}

const DEFINITION = /\b(DEFINE_GUARD|DEFINE_GUARD_COND|DEFINE_LOCK_GUARD_0|DEFINE_LOCK_GUARD_1|DEFINE_LOCK_GUARD_1_COND|DEFINE_FREE|DEFINE_CLASS|EXTEND_CLASS)\(/g;

/** More definitions, and longer ones, are not read: each costs a parse. */
const MAX_CLASSES = 64;
const MAX_LENGTH = 600;

function definedIn(text: string): { readonly guards: ReadonlyMap<string, Defined>; readonly frees: ReadonlyMap<string, Defined> } {
  const guards = new Map<string, Defined>();
  const frees = new Map<string, Defined>();
  let left = MAX_CLASSES;
  if (text.includes("DEFINE_") || text.includes("EXTEND_CLASS"))
    for (const { 0: head, 1: macro = "", index } of text.matchAll(DEFINITION)) {
      const parts = argumentsAt(text, index + head.length);
      if (!parts || left-- <= 0) continue;
      const defined = definitionOf(macro, parts, guards);
      if (defined) (macro === "DEFINE_FREE" ? frees : guards).set(defined.name, defined.code);
    }
  return { guards, frees };
}

function definitionOf(macro: string, parts: readonly string[], guards: ReadonlyMap<string, Defined>): { readonly name: string; readonly code: Defined } | null {
  const [name = "", second = "", third = "", fourth = "", ...rest] = parts;
  // Of a lock guard `_T->lock` is the object; of a plain one it is a field.
  const read = (text: string): Statement | null => statementOf(macro.startsWith("DEFINE_LOCK_GUARD") ? text.replace(/\b_T->lock\b/g, "_T") : text);
  const code = (enter: string | null, leave: string, parameters: readonly string[] = []): { name: string; code: Defined } | null => {
    const [entered, left] = [enter === null ? null : read(enter), read(leave)];
    return left && (enter === null || entered) ? { name, code: { enter: entered, leave: left, parameters, isConditional: false } } : null;
  };
  switch (macro) {
    case "DEFINE_FREE":
      return code(null, third);
    case "DEFINE_GUARD":
    case "DEFINE_LOCK_GUARD_1":
      return code(third, fourth);
    case "DEFINE_LOCK_GUARD_0":
      return code(second, third);
    case "DEFINE_CLASS":
      return code(fourth, third, rest.map(parameterName));
    case "EXTEND_CLASS": {
      const base = guards.get(name);
      const enter = read(third);
      return base && enter ? { name: name + second, code: { ...base, enter, parameters: [fourth, ...rest].map(parameterName) } } : null;
    }
    default: {
      // DEFINE_GUARD_COND(name, _ext, lock) of a guard above it, or of one that the kernel has; since 6.16 with a condition on _RET.
      const enter = read(fourth === "" ? third : fourth.replace(/\b_RET\b/g, `(${third})`));
      const kernel = guardClass(name);
      const leave = guards.get(name)?.leave ?? (kernel && statementOf(`${kernel.unlock}(_T)`));
      return enter && leave ? { name: name + second, code: { enter, leave, parameters: [], isConditional: true } } : null;
    }
  }
}

const parameterName = (declared: string): string => /(\w+)\s*$/.exec(declared)?.[1] ?? "";

/** What stands between the parentheses that open before the offset, at its commas; null where they do not close soon. */
function argumentsAt(text: string, from: number): string[] | null {
  const parts: string[] = [];
  let depth = 0;
  let start = from;
  for (let at = from; at < Math.min(text.length, from + MAX_LENGTH); at++) {
    const mark = text[at] ?? "";
    if (depth === 0 && (mark === "," || mark === ")")) {
      parts.push(text.slice(start, at).trim());
      start = at + 1;
      if (mark === ")") return parts;
    } else if ("([{".includes(mark)) depth++;
    else if (")]}".includes(mark)) depth--;
  }
  return null;
}

/** A statement over `_T`. A pointer that is NULL is not asked whether it is an error. */
function statementOf(text: string): Statement | null {
  const [code] = readFunctions(`void f(void)\n{\n\t${text.replace(/!IS_ERR_OR_NULL\(_T\)/g, "(_T && !IS_ERR(_T))")};\n}\n`);
  return code && !code.hasError ? withoutEmpty(code.body) : null;
}

/** The semicolon behind a statement that has its own is one more statement. */
function withoutEmpty(body: Statement): Statement {
  if (body.kind !== "list") return body;
  const items = body.items.filter((item) => item.kind !== "list" || item.items.length > 0);
  return items.length === 1 && items[0] ? items[0] : { kind: "list", items };
}
