// SPDX-License-Identifier: GPL-2.0-only
import { onlyNames } from "../kernel/naming-macros.ts";
import { openParen, typeAt, wordAt, startOf, endOf, type Code } from "../syntax/code.ts";
import { directiveToken, literalToken, wordToken, type Tokens } from "../syntax/tokens.ts";

/*
 * Names outside of functions that may be functions: what a macro does with them the tokens do not tell, so that whoever is
 * named there may be called by anyone.
 */

const star = 42;
const dot = 46;
const arrowEnd = 62;

/** Words after which a name is a value: after any other word it is declared. */
const VALUE_FOLLOWS = /^(?:return|else|do|case|goto)$/;

/** Names within parentheses at file level: `late_initcall(f);`, `DECLARE_WORK(w, f);`, `__attribute__((alias("f")))`. */
export function* namesOutside(code: Code, parens: readonly number[]): Generator<string, void> {
  for (const open of parens) {
    if (onlyNames(wordAt(code, open - 1))) continue;
    const close = code.closing[open] ?? open;
    for (let at = open + 1; at < close; at++) {
      const type = typeAt(code, at);
      if (type === literalToken) yield code.text.slice(startOf(code, at) + 1, endOf(code, at) - 1);
      else if (type === wordToken && !isDeclared(code, at)) yield wordAt(code, at);
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
export function* namesInMacros(text: string, tokens: Tokens): Generator<string, void> {
  for (let at = 0; at < tokens.count; at++) {
    if (tokens.type[at] !== directiveToken) continue;
    const directive = text.slice(tokens.start[at], tokens.end[at]);
    const [head = "", own = ""] = DEFINITION.exec(directive) ?? [];
    if (head === "") continue;
    // `#define f f` tells `#ifdef f` that there is one.
    for (const word of directive.slice(head.length).replace(COMMENT_OR_STRING, " ").match(/[A-Za-z_]\w*/g) ?? []) if (word !== own) yield word;
  }
}
