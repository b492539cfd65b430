// SPDX-License-Identifier: GPL-2.0-only
import { onlyNames } from "../kernel/naming-macros.ts";
import { openParen, typeAt, wordAt, startOf, endOf, type Code } from "../syntax/code.ts";
import { directiveToken, literalToken, wordToken, type Tokens } from "../syntax/tokens.ts";

/*
 * Functions of a file that are named outside of functions: what a macro does with them the tokens do not tell, so that whoever
 * is named there may be called by anyone.
 */

const star = 42;
const dot = 46;
const arrowEnd = 62;

/** Words after which a name is a value: after any other word it is declared. */
const VALUE_FOLLOWS = /^(?:return|else|do|case|goto)$/;

/**
 * Adds to those found the sought names within parentheses at file level and in bodies of macros. `all`: the tokens of the text
 * with its directives.
 */
export function namesOutside(code: Code, all: Tokens, parens: readonly number[], sought: ReadonlySet<string>, found: Set<string>): void {
  if (sought.size === 0) return;
  const mayBe = filterOf(sought);
  namesInParens(code, parens, mayBe, sought, found);
  namesInMacros(code.text, all, mayBe, sought, found);
}

/** `late_initcall(f);`, `DECLARE_WORK(w, f);`, `__attribute__((alias("f")))`. */
function namesInParens(code: Code, parens: readonly number[], mayBe: Filter, sought: ReadonlySet<string>, found: Set<string>): void {
  for (const open of parens) {
    const close = code.closing[open] ?? open;
    for (let at = open + 1; at < close; at++) {
      const type = typeAt(code, at);
      if (type !== wordToken && type !== literalToken) continue;
      const quote = type === literalToken ? 1 : 0;
      const [start, end] = [startOf(code, at) + quote, endOf(code, at) - quote];
      if (!mayBe(code.text, start, end)) continue;
      const name = code.text.slice(start, end);
      if (sought.has(name) && !(type === wordToken && isDeclared(code, at)) && !onlyNames(wordAt(code, open - 1))) found.add(name);
    }
  }
}

/** True for the name of a parameter or of a member. */
function isDeclared(code: Code, at: number): boolean {
  const before = typeAt(code, at - 1);
  if (before === dot || before === arrowEnd) return true;
  if (typeAt(code, at + 1) === openParen) return false;
  return before === star || (before === wordToken && !VALUE_FOLLOWS.test(wordAt(code, at - 1)));
}

const DEFINITION = /^#\s*define\s+([A-Za-z_]\w*)/;
const COMMENT_OR_STRING = /\/\*[^]*?\*\/|\/\/[^\n]*|"(?:[^"\\\n]|\\[^])*"/g;

/** Names in bodies of macros: who uses the macro calls them unseen. */
function namesInMacros(text: string, tokens: Tokens, mayBe: Filter, sought: ReadonlySet<string>, found: Set<string>): void {
  for (let at = 0; at < tokens.count; at++) {
    if (tokens.type[at] !== directiveToken) continue;
    const [start, end] = [tokens.start[at] ?? 0, tokens.end[at] ?? 0];
    if (!/^#\s*d/.test(text.slice(start, start + 40)) || !hasWord(text, start, end, mayBe)) continue;
    const directive = text.slice(start, end);
    const [head = "", own = ""] = DEFINITION.exec(directive) ?? [];
    if (head === "") continue;
    // `#define f f` tells `#ifdef f` that there is one.
    for (const word of directive.slice(head.length).replace(COMMENT_OR_STRING, " ").match(/[A-Za-z_]\w*/g) ?? []) if (word !== own && sought.has(word)) found.add(word);
  }
}

type Filter = (text: string, start: number, end: number) => boolean;

/** False for most texts that are none of the names, without cutting them out: most words of a header are none. */
function filterOf(names: ReadonlySet<string>): Filter {
  const marks = new Uint8Array(1 << 12);
  const markOf = (text: string, start: number, end: number): number =>
    ((text.charCodeAt(start) & 15) << 8) | ((text.charCodeAt(end - 1) & 15) << 4) | ((end - start) & 15);
  for (const name of names) marks[markOf(name, 0, name.length)] = 1;
  return (text, start, end) => end > start && marks[markOf(text, start, end)] === 1;
}

/** True where a word of the range may be one of the names. */
function hasWord(text: string, from: number, to: number, mayBe: Filter): boolean {
  let start = -1;
  for (let at = from; at <= to; at++) {
    const isPart = at < to && isWordPart(text.charCodeAt(at));
    if (isPart && start < 0) start = at;
    if (isPart || start < 0) continue;
    if (mayBe(text, start, at)) return true;
    start = -1;
  }
  return false;
}

const isWordPart = (code: number): boolean => (code >= 97 && code <= 122) || (code >= 65 && code <= 90) || (code >= 48 && code <= 57) || code === 95;
