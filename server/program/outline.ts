// SPDX-License-Identifier: GPL-2.0-only
import { argumentsOf, closeBrace, closeParen, codeOf, comma, endOf, equals, openBrace, openParen, semicolon, startOf, typeAt, wordAt, type Code } from "../syntax/code.ts";
import { splittingConditionals } from "../syntax/conditionals.ts";
import { kernelDialect } from "../syntax/dialect.ts";
import { visibleTokens } from "../syntax/overlay.ts";
import { scanTokens, wordToken } from "../syntax/tokens.ts";
import { namesOutside } from "./outline-outside.ts";

/** A call as the tokens show it: `f(...)`, or `x->field(...)` with the field as its name. */
export interface OutlineCall {
  readonly name: string;
  readonly isPointer: boolean;
}

/** A name that is given away without a call: perhaps a function whose address is taken. */
export interface OutlineUse {
  readonly name: string;
  /** Field that receives it (`.field = name`, `x->field = name`), or null. */
  readonly field: string | null;
  /** Structure of the field where the declaration of the initializer names it, else null. */
  readonly type: string | null;
}

export interface OutlineFunction {
  readonly name: string;
  readonly isStatic: boolean;
  readonly isSyscall: boolean;
  /** Offsets of the definition, from the first word of its type to behind the closing brace. */
  readonly start: number;
  readonly end: number;
  readonly calls: readonly OutlineCall[];
  readonly uses: readonly OutlineUse[];
}

/** What one file defines, calls and gives away, read from its tokens alone: a twentieth of the cost of parsing. */
export interface Outline {
  readonly functions: readonly OutlineFunction[];
  /** Uses outside of any function: tables of operations, initializers, macros at file level, bodies of macros. */
  readonly uses: readonly OutlineUse[];
}

const KEYWORDS = new Set(["if", "while", "for", "switch", "return", "sizeof", "typeof", "__typeof__", "do", "else", "case", "default", "goto", "_Alignof", "alignof", "offsetof", "__builtin_offsetof", "asm", "__asm__", "volatile", "static", "const", "struct", "union", "enum", "NULL", "true", "false", "void", "int", "long", "unsigned", "char", "bool"]);

/** Words before the name of a function that are no part of its type. */
const STORAGE = new Set(["static", "inline", "noinline", "extern", "asmlinkage", "const", "volatile"]);

/** Reads the outline of a text; a text that is no C gives one of no meaning. */
export function outlineOf(text: string): Outline {
  const tokens = scanTokens(text);
  const code = codeOf(text, visibleTokens(tokens, splittingConditionals(text, tokens)));
  const functions: OutlineFunction[] = [];
  const uses: OutlineUse[] = [];
  /** Parentheses at file level, and those of them that are the parameters of a definition. */
  const parens: number[] = [];
  const parameters = new Set<number>();
  const named = new Set<string>();
  let first = 0;
  for (let at = 0; at < code.tokens.count; at++) {
    const type = typeAt(code, at);
    if (type === openBrace) {
      const close = code.closing[at] ?? -1;
      const end = close < 0 ? code.tokens.count : close;
      const head = headOf(code, first, at);
      const body = bodyOf(code, head ? at + 1 : at, end, head?.parameters ?? new Set());
      if (head) {
        functions.push({ name: head.name, isStatic: head.isStatic, isSyscall: head.isSyscall, start: startOf(code, first), end: close < 0 ? text.length : endOf(code, close), ...body });
        parameters.add(head.open);
      } else uses.push(...body.uses);
      // Who enters the body of a macro, and of what has no function around it, is not known.
      if (!head || head.isMacro) for (const call of body.calls) if (!call.isPointer) named.add(call.name);
      at = end;
      if (head) first = at + 1;
    } else if (type === semicolon || type === comma) {
      if (isInitializer(code, at - 1)) named.add(wordAt(code, at - 1));
      if (type === semicolon) first = at + 1;
    }
    else if (type === openParen && (code.closing[at] ?? -1) > at) {
      parens.push(at);
      at = code.closing[at] ?? at;
    }
  }
  const sought = new Set(functions.map((fn) => fn.name));
  const given = new Set([...named].filter((name) => sought.has(name)));
  namesOutside(code, tokens, parens.filter((open) => !parameters.has(open)), sought, given);
  return { functions, uses: [...uses, ...[...sought].filter((name) => given.has(name)).map((name) => ({ name, field: null, type: null }))] };
}

/** `name` of `x = name;`, `x = &name, ...` and `x = (type)name;`. */
function isInitializer(code: Code, at: number): boolean {
  const before = typeAt(code, at - 1);
  return typeAt(code, at) === wordToken && (before === equals || before === ampersand || before === closeParen);
}

interface Head {
  readonly name: string;
  readonly isStatic: boolean;
  readonly isSyscall: boolean;
  /** True where no type stands before the name: a macro that makes a function of which nothing else is seen. */
  readonly isMacro: boolean;
  /** The parenthesis of the parameters. */
  readonly open: number;
  readonly parameters: ReadonlySet<string>;
}

/** The function that the tokens before a `{` at file level declare; null where they declare none. */
function headOf(code: Code, first: number, brace: number): Head | null {
  let found: { name: string; open: number; isSyscall: boolean; isMacro: boolean } | null = null;
  let isStatic = false;
  let hasType = false;
  for (let at = first; at < brace; at++) {
    const type = typeAt(code, at);
    if (type === equals) return null;
    if (type !== wordToken) {
      if (type === openParen && (code.closing[at] ?? -1) > at) at = code.closing[at] ?? at;
      continue;
    }
    const word = wordAt(code, at);
    if (word === "static") isStatic = true;
    if (typeAt(code, at + 1) !== openParen) {
      hasType ||= !STORAGE.has(word) && (!word.startsWith("__") || kernelDialect.roleOf(word) !== "attribute");
      continue;
    }
    const role = kernelDialect.roleOf(word);
    if (role === "syscall") {
      const name = wordAt(code, at + 2);
      if (name !== "") found = { name: `${word.startsWith("COMPAT_") ? "compat_sys" : "sys"}_${name}`, open: at + 1, isSyscall: true, isMacro: false };
    } else if (role !== "attributeCall" && !KEYWORDS.has(word)) found = { name: word, open: at + 1, isSyscall: false, isMacro: !hasType };
  }
  if (!found) return null;
  const parameters = new Set<string>();
  for (const argument of argumentsOf(code, found.open)) {
    const name = wordAt(code, argument.end - 1);
    if (name !== "") parameters.add(name);
  }
  return { ...found, isStatic, parameters };
}

const dot = 46;
const arrowEnd = 62;
const minus = 45;
const ampersand = 38;
const question = 63;
const colonMark = 58;
const star = 42;

/** Calls and uses between two tokens. */
function bodyOf(code: Code, from: number, to: number, declared: ReadonlySet<string>): { calls: readonly OutlineCall[]; uses: readonly OutlineUse[] } {
  const calls: OutlineCall[] = [];
  const uses = new Map<string, OutlineUse>();
  const locals = new Set(declared);
  for (let at = from; at < to; at++) {
    if (typeAt(code, at) !== wordToken) continue;
    const before = typeAt(code, at - 1);
    const after = typeAt(code, at + 1);
    if (after === openParen) {
      const name = wordAt(code, at);
      if (!KEYWORDS.has(name) && !locals.has(name)) calls.push({ name, isPointer: isMember(code, at) });
      continue;
    }
    if (before === wordToken || before === star) {
      const word = wordAt(code, at);
      if (before === star ? isDeclared(code, at) : !KEYWORDS.has(wordAt(code, at - 1)) || isTypeWord(wordAt(code, at - 1))) locals.add(word);
    }
    if (after !== comma && after !== semicolon && after !== closeParen && after !== closeBrace && after !== colonMark && after !== question) continue;
    if (isMember(code, at)) continue;
    if (before !== equals && before !== comma && before !== openParen && before !== ampersand && before !== question && before !== colonMark && before !== openBrace) continue;
    const name = wordAt(code, at);
    if (KEYWORDS.has(name) || locals.has(name)) continue;
    const field = fieldBefore(code, at);
    const type = field === null ? null : typeOfInitializer(code, at);
    uses.set(`${field ?? ""} ${name}`, { name, field, type });
  }
  return { calls, uses: [...uses.values()] };
}

const isTypeWord = (word: string): boolean => /^(?:void|int|long|unsigned|char|bool)$/.test(word);

/** `struct foo *name` against `a * name`: a declaration has a type and `struct` or nothing else before it. */
function isDeclared(code: Code, at: number): boolean {
  let back = at - 1;
  while (typeAt(code, back) === star) back--;
  return typeAt(code, back) === wordToken && typeAt(code, at + 1) !== closeParen;
}

const isMember = (code: Code, at: number): boolean =>
  typeAt(code, at - 1) === dot || (typeAt(code, at - 1) === arrowEnd && typeAt(code, at - 2) === minus);

/** `field` of `.field = name` or `x->field = name`. */
function fieldBefore(code: Code, at: number): string | null {
  const assigned = typeAt(code, at - 1) === ampersand ? at - 2 : at - 1;
  if (typeAt(code, assigned) !== equals || typeAt(code, assigned - 1) !== wordToken || !isMember(code, assigned - 1)) return null;
  return wordAt(code, assigned - 1);
}

/** Structure whose initializer holds the token: `struct type name = { ... token`. */
function typeOfInitializer(code: Code, at: number): string | null {
  for (let back = at - 1; back > 0 && at - back < MAX_INITIALIZER; back--) {
    const type = typeAt(code, back);
    if (type === semicolon) return null;
    if (type !== openBrace || typeAt(code, back - 1) !== equals) continue;
    for (let word = back - 2; word > back - 12; word--) if (wordAt(code, word) === "struct") return wordAt(code, word + 1);
    return null;
  }
  return null;
}

/** Tables are not longer than this, in tokens. */
const MAX_INITIALIZER = 400;
