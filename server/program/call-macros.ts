// SPDX-License-Identifier: GPL-2.0-only
import type { Image } from "../source/image.ts";
import type { FunctionCode, Statement, Value, Variable } from "./code.ts";
import { readFunctions } from "./read-code.ts";

/** `#define NAME(a, b, rest...)` and its body, over continued lines. */
const DEFINITION = /^[ \t]*#[ \t]*define[ \t]+([A-Za-z_]\w*)\(([\w \t,.]*)\)[ \t]*((?:[^\\\n]|\\[^\n]|\\\n)*)$/gm;

const MAX_BODY = 400;
const MAX_PARAMETERS = 10;
/** More macros than this are not read: each costs a parse. */
const MAX_MACROS = 64;

export interface MacroDefinition {
  readonly parameters: readonly string[];
  readonly body: string;
}

/** As it is written. */
interface WrittenMacro extends MacroDefinition {
  /** What stands for the arguments behind those of the parameters; null: there are none. */
  readonly rest: string | null;
}

const definitionsOf = new WeakMap<Image, ReadonlyMap<string, WrittenMacro | null>>();
const readOf = new WeakMap<Image, Map<string, FunctionCode | null>>();

function definitionsIn(image: Image): ReadonlyMap<string, WrittenMacro | null> {
  const known = definitionsOf.get(image);
  if (known) return known;
  const made = new Map<string, WrittenMacro | null>();
  for (const [, name = "", list = "", text = ""] of image.text.matchAll(DEFINITION))
    // Of two definitions the configuration decides: neither is taken.
    made.set(name, made.has(name) || text.length > MAX_BODY ? null : written(list, text.replace(/\\\n/g, " ")));
  definitionsOf.set(image, made);
  return made;
}

/** `a, ...` and `a, rest...`: the last one takes what is left. The comma in front of `##` goes where nothing is. */
const REST = /^([A-Za-z_]\w*)?[ \t]*\.\.\.$/;

function written(list: string, text: string): WrittenMacro | null {
  const named = list.split(",").map((one) => one.trim()).filter((one) => one !== "");
  const last = REST.exec(named.at(-1) ?? "");
  const parameters = last ? named.slice(0, -1) : named;
  const rest = last ? (last[1] ?? "__VA_ARGS__") : null;
  const body = rest === null ? text : text.replace(new RegExp(`,\\s*##\\s*${rest}\\b`, "g"), `, ${rest}`);
  return parameters.length > MAX_PARAMETERS || parameters.some((one) => !/^\w+$/.test(one)) || /#|\b__VA_OPT__\b/.test(body) ? null : { parameters, body, rest };
}

/**
 * A macro with parameters that the text defines once, in a few lines and without pasting, as it is used with so many
 * arguments; null for any other name.
 */
export function macroDefinition(image: Image, name: string, count: number): MacroDefinition | null {
  const found = definitionsIn(image).get(name) ?? null;
  if (!found || found.rest === null) return found;
  const { parameters, body, rest } = found;
  const more = count - parameters.length;
  if (more < 0 || count > MAX_PARAMETERS) return null;
  const others = Array.from({ length: more }, (_, index) => `${rest}__${index}`);
  const given = more > 0 ? body.replace(new RegExp(`\\b${rest}\\b`, "g"), others.join(", ")) : body.replace(new RegExp(`,?\\s*\\b${rest}\\b`, "g"), "");
  return { parameters: [...parameters, ...others], body: given };
}

/**
 * A macro of the text that is a call, or calls in a row (`do { f(x); g(x); } while (0)`), as a function that returns
 * their value; null for any other name. `count`: how many arguments it is used with. The offsets of its body mean nothing in the text.
 */
export function callMacro(image: Image, name: string, count: number): FunctionCode | null {
  const written = definitionsIn(image).get(name);
  if (!written) return null;
  const read = readOf.get(image) ?? new Map<string, FunctionCode | null>();
  readOf.set(image, read);
  const key = written.rest === null ? name : `${name} ${count}`;
  const known = read.get(key);
  if (known !== undefined || read.size >= MAX_MACROS) return known ?? null;
  const definition = macroDefinition(image, name, count);
  const made = definition && asFunction(name, definition);
  read.set(key, made);
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
