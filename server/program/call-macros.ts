// SPDX-License-Identifier: GPL-2.0-only
import type { Image } from "../source/image.ts";
import type { FunctionCode, Statement, Value, Variable } from "./code.ts";
import { readFunctions } from "./read-code.ts";

/** `#define NAME(a, b)` and its body, over continued lines. */
const DEFINITION = /^[ \t]*#[ \t]*define[ \t]+([A-Za-z_]\w*)\(([\w \t,]*)\)[ \t]*((?:[^\\\n]|\\[^\n]|\\\n)*)$/gm;

const MAX_BODY = 400;
const MAX_PARAMETERS = 10;
/** More macros than this are not read: each costs a parse. */
const MAX_MACROS = 64;

export interface MacroDefinition {
  readonly parameters: readonly string[];
  readonly body: string;
}

const definitionsOf = new WeakMap<Image, ReadonlyMap<string, MacroDefinition | null>>();
const readOf = new WeakMap<Image, Map<string, FunctionCode | null>>();

function definitionsIn(image: Image): ReadonlyMap<string, MacroDefinition | null> {
  const known = definitionsOf.get(image);
  if (known) return known;
  const made = new Map<string, MacroDefinition | null>();
  for (const [, name = "", list = "", text = ""] of image.text.matchAll(DEFINITION)) {
    const body = text.slice(0, MAX_BODY + 1).replace(/\\\n/g, " ");
    const parameters = list.split(",").map((one) => one.trim()).filter((one) => one !== "");
    // Of two definitions the configuration decides: neither is taken.
    made.set(name, made.has(name) || text.length > MAX_BODY || parameters.length > MAX_PARAMETERS || /#/.test(body) ? null : { parameters, body });
  }
  definitionsOf.set(image, made);
  return made;
}

/** A macro with parameters that the text defines once, in a few lines and without pasting; null for any other name. */
export const macroDefinition = (image: Image, name: string): MacroDefinition | null => definitionsIn(image).get(name) ?? null;

/**
 * A macro of the text that is a call, or calls in a row (`do { f(x); g(x); } while (0)`), as a function that returns
 * their value; null for any other name. The offsets of its body mean nothing in the text.
 */
export function callMacro(image: Image, name: string): FunctionCode | null {
  const definition = definitionsIn(image).get(name);
  if (!definition) return null;
  const read = readOf.get(image) ?? new Map<string, FunctionCode | null>();
  readOf.set(image, read);
  const known = read.get(name);
  if (known !== undefined || read.size >= MAX_MACROS) return known ?? null;
  const made = asFunction(name, definition);
  read.set(name, made);
  return made;
}

function asFunction(name: string, { parameters, body }: MacroDefinition): FunctionCode | null {
  const [code] = readFunctions(`void ${name}(void)\n{\n\t${body};\n}\n`);
  if (!code || code.hasError) return null;
  const value = callsIn(code.body);
  if (!value) return null;
  const variables = parameters.map((one): Variable => ({ name: one, type: "", pointers: 0, isParameter: true }));
  return { ...code, parameters: variables, isForeign: true, body: { kind: "return", value, at: 0, end: 0 } };
}

/** The calls of a statement in a row, joined by commas; null where it does anything else. */
function callsIn(statement: Statement): Value | null {
  switch (statement.kind) {
    case "expression":
      return statement.value.kind === "call" ? statement.value : null;
    case "do":
      return statement.condition.kind === "number" && statement.condition.value === 0 ? callsIn(statement.body) : null;
    case "list": {
      const parts = statement.items.filter((item) => item.kind !== "list" || item.items.length > 0).map(callsIn);
      return parts.reduce((left, right) => left && right && { kind: "comma", left, right, at: 0 }, parts.length > 0 ? (parts.shift() ?? null) : null);
    }
    default:
      return null;
  }
}
