// SPDX-License-Identifier: GPL-2.0-only
import type { Image } from "../source/image.ts";
import { callMacro, macroDefinition } from "./call-macros.ts";
import type { Statement, Value } from "./code.ts";
import { opened } from "./helper-body.ts";
import { objectMacro } from "./object-macros.ts";
import { readFunctions } from "./read-code.ts";
import { relocate, render, substitute } from "./render.ts";
import { mapStatement } from "./statement-parts.ts";
import { partsOf } from "./value-parts.ts";

/** `do { ... } while (0)`, and `({ ... })`. */
const STATEMENTS = /^do\b[^]*\bwhile\s*\(\s*0\s*\)\s*;?\s*$/;
const EXPRESSION = /^\(\s*\{[^]*\}\s*\)\s*$/;

/** Macros that use macros are opened this deep. */
const MAX_DEPTH = 4;
/** Different uses in one text; more stay calls: each costs a parse. */
const MAX_USES = 256;

const readOf = new WeakMap<Image, Map<string, Statement | null>>();

/**
 * A use of a macro of the text that is more than calls in a row, as the statement that the preprocessor makes of it; its
 * value, if it has one, is that of the last statement. Null for any other call. `number` tells the locals of uses apart.
 */
export function macroStatement(image: Image, call: Value & { kind: "call" }, number: number): { readonly body: Statement; readonly hasValue: boolean } | null {
  const definition = macroDefinition(image, call.name, call.args.length);
  const depth = call.depth ?? 0;
  if (!definition || depth >= MAX_DEPTH || definition.parameters.length !== call.args.length || callMacro(image, call.name, call.args.length)) return null;
  const text = definition.body.trim();
  const hasValue = EXPRESSION.test(text);
  if ((!hasValue && !STATEMENTS.test(text)) || !call.args.every(isWritten)) return null;
  const body = placed(image, expanded(text, definition.parameters, call.args.map(render)), { ...call, depth }, number);
  return body && { body, hasValue };
}

/**
 * A macro of the text without parameters, alone as a statement (`UNLOCK;`): the statement that it stands for; null where that
 * is not understood, undefined where the name is no such macro.
 */
export function bareMacro(image: Image, { name, at }: Value & { kind: "name" }, number: number): Statement | null | undefined {
  const text = objectMacro(image, name);
  if (text === "") return { kind: "list", items: [] };
  return typeof text !== "string" ? text : placed(image, text, { at, end: at + name.length, depth: 0 }, number);
}

/** The statement that a text is, in the place of its use. */
function placed(image: Image, text: string, { at, end, depth }: { readonly at: number; readonly end: number; readonly depth: number }, number: number): Statement | null {
  const body = read(image, text);
  if (!body) return null;
  // What is declared in no braces of the macro's is declared for the code around its use.
  const own = EXPRESSION.test(text) || STATEMENTS.test(text) ? localsOf(body) : [];
  const locals = new Map(own.map((name): [string, Value] => [name, { kind: "name", name: `${name}__m${number}`, at }]));
  return mapStatement(body, (value) => opened(relocate(substitute(value, locals), at, end), depth + 1), { at, end });
}

/** True where the text of the value is C again. */
const isWritten = (value: Value): boolean => value.kind !== "block" && value.kind !== "opaque" && partsOf(value).every(isWritten);

const expanded = (text: string, parameters: readonly string[], args: readonly string[]): string =>
  text.replace(/[A-Za-z_]\w*/g, (word) => args[parameters.indexOf(word)] ?? word);

function read(image: Image, text: string): Statement | null {
  const uses = readOf.get(image) ?? new Map<string, Statement | null>();
  readOf.set(image, uses);
  const known = uses.get(text);
  if (known !== undefined || uses.size >= MAX_USES) return known ?? null;
  const [code] = readFunctions(`void f(void)\n{\n\t${text};\n}\n`);
  const body = code && !code.hasError ? insideOf(code.body) : null;
  const made = body && hasNoBlock(body) ? body : null;
  uses.set(text, made);
  return made;
}

/** The statements of a statement expression; the semicolon behind a statement that has its own is one more, and is nothing. */
function insideOf(body: Statement): Statement {
  if (body.kind === "expression" && body.value.kind === "block") return body.value.body;
  const items = body.kind === "list" ? body.items.filter((item) => item.kind !== "list" || item.items.length > 0) : [body];
  return items.length === 1 && items[0] ? (items[0] === body ? body : insideOf(items[0])) : { kind: "list", items };
}

/** A block inside of a value would keep the offsets of the macro. */
function hasNoBlock(body: Statement): boolean {
  let found = false;
  const look = (value: Value): Value => {
    found ||= value.kind === "block";
    partsOf(value).forEach(look);
    return value;
  };
  mapStatement(body, look);
  return !found;
}

function localsOf(body: Statement): string[] {
  const found: string[] = [];
  const visit = (statement: Statement): void => {
    if (statement.kind === "declare") found.push(...statement.variables.map(({ name }) => name));
    if (statement.kind === "list") statement.items.forEach(visit);
    if (statement.kind === "do" || statement.kind === "while" || statement.kind === "for") visit(statement.body);
    if (statement.kind === "if") for (const branch of [statement.then, statement.otherwise]) if (branch) visit(branch);
  };
  visit(body);
  return found;
}
