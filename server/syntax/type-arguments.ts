// SPDX-License-Identifier: GPL-2.0-only
import type { Canvas } from "./canvas.ts";
import { argumentsOf, asterisk, closingParen, endOf, startOf, typeAt, wordAt } from "./code.ts";
import type { Argument, Code } from "./code.ts";
import type { Dialect } from "./dialect.ts";
import { wordToken } from "./tokens.ts";

/**
 * Makes an identifier of each type among the arguments of the call at this token, for the grammar takes
 * expressions only: `struct page *` becomes `struct_page__`. The node then spans the whole type.
 *
 * @param isKnown The macro is known to take types; then `page_t *` is one too, as it is not a product.
 */
export function maskTypeArguments(code: Code, canvas: Canvas, dialect: Dialect, call: number, isKnown: boolean): void {
  const name = wordAt(code, call);
  for (const argument of argumentsOf(code, call + 1)) {
    if (!isType(code, dialect, argument, isKnown)) continue;
    const start = startOf(code, argument.first);
    const end = endOf(code, argument.end - 1);
    if (!writeIdentifier(code, canvas, dialect, argument)) continue;
    canvas.note({ kind: "type-argument", name, start, end });
  }
}

/**
 * Makes an identifier of whatever stands in the parentheses: `typeof(a->b[0])` becomes `typeof(a__b_0_)`. The
 * grammar takes a type there, and a call of one identifier where it takes an expression.
 *
 * @returns The last token of the query, so that nothing within is masked again.
 */
export function maskTypeQuery(code: Code, canvas: Canvas, dialect: Dialect, query: number): number {
  const close = closingParen(code, query + 1);
  const first = query + 2;
  if (close <= first) return close;
  const start = startOf(code, first);
  const end = endOf(code, close - 1);
  const written = code.text.slice(start, end);
  if (close === first + 1 && wordAt(code, first) !== "" && !dialect.isTypeKeyword(written)) return close;
  if (/[\n\r]/.test(written)) {
    canvas.blank(start, end);
    canvas.write(start, "_");
  } else {
    canvas.write(start, `_${written.slice(1).replace(/\W/g, "_")}`);
  }
  canvas.note({ kind: "type-argument", name: wordAt(code, query), start, end });
  return close;
}

/** No type has more words and stars; a longer argument is not looked at. */
const longestType = 12;

function isType(code: Code, dialect: Dialect, argument: Argument, isKnown: boolean): boolean {
  const { first, end } = argument;
  if (end - first > longestType) return false;
  let words = 0;
  let plainWords = 0;
  let hasTag = false;
  let at = first;
  for (; at < end && typeAt(code, at) === wordToken; at++) {
    const word = wordAt(code, at);
    words++;
    if (dialect.roleOf(word) === "attribute") continue;
    if (word === "struct" || word === "union" || word === "enum") hasTag = true;
    else if (!dialect.isTypeKeyword(word) && !dialect.isPrimitive(word)) plainWords++;
  }
  const firstStar = at;
  while (at < end && (typeAt(code, at) === asterisk || isPointerQualifier(code, dialect, at))) at++;
  if (words === 0 || at < end) return false;
  if (hasTag) return plainWords === 1;
  if (plainWords === 0) return dialect.isTypeKeyword(wordAt(code, first)) || dialect.isPrimitive(wordAt(code, first));
  return isKnown && plainWords === 1 && (firstStar < end || words > 1);
}

function isPointerQualifier(code: Code, dialect: Dialect, token: number): boolean {
  const word = wordAt(code, token);
  return word === "const" || word === "volatile" || dialect.roleOf(word) === "attribute";
}

/** Returns false where the argument is an identifier already. */
function writeIdentifier(code: Code, canvas: Canvas, dialect: Dialect, argument: Argument): boolean {
  const start = startOf(code, argument.first);
  const end = endOf(code, argument.end - 1);
  const written = code.text.slice(start, end);
  if (/^[\w \t*]+$/.test(written)) {
    const joined = written.replace(/\W/g, "_");
    const isReserved = dialect.isTypeKeyword(joined) || dialect.isPrimitive(joined);
    const identifier = isReserved ? `_${joined.slice(1)}` : joined;
    canvas.write(start, identifier);
    return identifier !== written;
  }
  return keepOneWord(code, canvas, dialect, argument);
}

/** The type runs over lines or holds a comment: its name stays and the rest becomes blank. */
function keepOneWord(code: Code, canvas: Canvas, dialect: Dialect, argument: Argument): boolean {
  let kept = argument.first;
  for (let at = argument.first; at < argument.end; at++) {
    const word = wordAt(code, at);
    if (word !== "" && dialect.roleOf(word) !== "attribute" && word !== "const" && word !== "volatile") kept = at;
  }
  canvas.blank(startOf(code, argument.first), startOf(code, kept));
  canvas.blank(endOf(code, kept), endOf(code, argument.end - 1));
  if (dialect.isTypeKeyword(wordAt(code, kept))) canvas.write(startOf(code, kept), "_");
  return true;
}
