// SPDX-License-Identifier: GPL-2.0-only
import type { Image } from "../source/image.ts";
import type { Value } from "./code.ts";

/** What a macro of the input stands for, as if it were written at the given offset; null where it is no word of GUP flags. */
export type FlagMacros = (name: string, at: number) => Value | null;

/** `#define NAME` and the rest of the line. */
const DEFINITION = /^[ \t]*#[ \t]*define[ \t]+([A-Za-z_]\w*)[ \t]+(.*)$/gm;

/** A constant of the file, in one line: `static const unsigned int NAME = A | B;`. */
const CONSTANT = /^(?:static[ \t]+)?const[ \t]+(?:unsigned(?:[ \t]+(?:int|long))?|int|long|u32|u64|gup_flags_t)[ \t]+([A-Za-z_]\w*)[ \t]*=[ \t]*([^;\n]*);/gm;

/** The list of an enumeration, and one of its constants with a value. */
const ENUMERATION = /\benum\b[^;{}()]*\{([^{}]*)\}/g;
const ENUMERATOR = /([A-Za-z_]\w*)\s*=\s*([^,]+)/g;

/** Longer bodies are no words of flags; nor are words that take more macros than this. */
const MAX_BODY = 400;
const MAX_MACROS = 32;

const tables = new WeakMap<Image, ReadonlyMap<string, string>>();

function definitionsIn(image: Image): ReadonlyMap<string, string> {
  const known = tables.get(image);
  if (known) return known;
  const made = new Map<string, string>();
  for (const [, name = "", rest = ""] of image.text.matchAll(DEFINITION)) {
    const body = rest.slice(0, MAX_BODY + 1).replace(/\/[*/].*/, "");
    if (body.length <= MAX_BODY) made.set(name, body);
  }
  if (image.text.includes("FOLL_")) {
    for (const [, name = "", body = ""] of image.text.matchAll(CONSTANT)) if (body.length <= MAX_BODY) made.set(name, body);
    for (const [, list = ""] of image.text.matchAll(ENUMERATION))
      if (list.includes("FOLL_")) for (const [, name = "", body = ""] of list.matchAll(ENUMERATOR)) if (body.length <= MAX_BODY) made.set(name, body.trim());
  }
  tables.set(image, made);
  return made;
}

/** Macros and constants of the image that stand for words of GUP flags, or for parts of them. */
export function flagMacrosOf(image: Image): FlagMacros {
  const definitions = definitionsIn(image);
  return (name, at) => {
    let left = MAX_MACROS;
    const expand = (one: string): Value | null => {
      const body = definitions.get(one);
      if (body === undefined || left-- <= 0) return null;
      const value = readFlags(body, at, expand);
      return value && mentionsGup(value) ? value : null;
    };
    return expand(name);
  };
}

const mentionsGup = (value: Value): boolean =>
  value.kind === "name"
    ? value.name.startsWith("FOLL_")
    : value.kind === "unary"
      ? mentionsGup(value.of)
      : value.kind === "binary" && (mentionsGup(value.left) || mentionsGup(value.right));

/** Reads `A | (B & ~C)`; null where the text is anything else. */
function readFlags(text: string, at: number, expand: (name: string) => Value | null): Value | null {
  const tokens = text.match(/\w+|[|&~()]|\S/g) ?? [];
  let next = 0;
  const binary = (operator: "|" | "&", operand: () => Value | null): Value | null => {
    let left = operand();
    while (left && tokens[next] === operator) {
      next++;
      const right = operand();
      left = right && { kind: "binary", operator, left, right, at };
    }
    return left;
  };
  const union = (): Value | null => binary("|", () => binary("&", primary));
  function primary(): Value | null {
    const token = tokens[next++];
    if (token === undefined || next > 200) return null;
    if (token === "~") {
      const of = primary();
      return of && { kind: "unary", operator: "~", of, at };
    }
    if (token === "(") {
      const inner = union();
      return tokens[next++] === ")" ? inner : null;
    }
    if (/^(?:0[xX][\da-fA-F]+|\d+)[uUlL]*$/.test(token)) return { kind: "number", value: Number(token.replace(/[uUlL]+$/, "")), at };
    return /^[A-Za-z_]/.test(token) ? (expand(token) ?? { kind: "name", name: token, at }) : null;
  }
  const value = union();
  return next === tokens.length ? value : null;
}
