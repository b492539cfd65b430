// SPDX-License-Identifier: GPL-2.0-only
import {
  asterisk,
  closeBrace,
  closeParen,
  closeSquare,
  closingParen,
  colon,
  comma,
  endOf,
  equals,
  openBrace,
  openParen,
  semicolon,
  startOf,
  typeAt,
  wordAt,
} from "./code.ts";
import type { Code } from "./code.ts";
import type { Role } from "./dialect.ts";
import { roleOf } from "./pass.ts";
import type { Pass } from "./pass.ts";
import { wordToken } from "./tokens.ts";

const plus = 43;
const minus = 45;
const dot = 46;
const greater = 62;

/** Behind `.` or `->` even a word of the tables is a plain member. */
export function isMember(code: Code, previous: number): boolean {
  const type = typeAt(code, previous);
  return type === dot || (type === greater && typeAt(code, previous - 1) === minus);
}

/** True where a statement or a declaration may start. */
export function startsStatement(pass: Pass): boolean {
  const type = typeAt(pass.code, pass.previous);
  if (type === wordToken) {
    const word = wordAt(pass.code, pass.previous);
    return word === "else" || word === "do";
  }
  return type === 0 || type === semicolon || type === openBrace || type === closeBrace || type === closeParen || type === colon;
}

/**
 * A loop written with a macro, known or not: `for_each_x(...) statement`, in a function also `other_macro(...) {`,
 * and `do { ... } while_each_x(...);`. Not a prototype, a definition, or a function of such a name.
 */
export function isLoop(pass: Pass, at: number, close: number, role: Role): boolean {
  const { code } = pass;
  if (!startsStatement(pass) || endOf(code, at) - startOf(code, at) < "while".length) return false;
  const next = typeAt(code, close + 1);
  if (pass.closed === "do") return next === semicolon && role !== "typeOperator";
  if (role === "iterator") return startsBody(code, close + 1);
  const inFunction = pass.braces.length > 0 && pass.braces.at(-1) !== "record";
  return role === "none" && inFunction && next === openBrace && !isOnLaterLine(code, close);
}

function startsBody(code: Code, token: number): boolean {
  const next = typeAt(code, token);
  const isStep = (next === plus || next === minus) && typeAt(code, token + 1) === next;
  return next === 0 || next === wordToken || next === openBrace || next === openParen || next === asterisk || isStep;
}

/** A macro at file level that has no semicolon behind it. */
export function isFileMacro(pass: Pass, at: number, close: number, role: Role): boolean {
  const { code } = pass;
  if (pass.braces.length > 0 || !startsStatement(pass)) return false;
  const next = typeAt(code, close + 1);
  if (next !== 0 && next !== wordToken) return false;
  if (role === "fileMacro") return true;
  return role === "none" && next === wordToken && isShouted(wordAt(code, at)) && isOnLaterLine(code, close);
}

function isShouted(word: string): boolean {
  return word.length > 2 && word.length < 80 && /^[A-Z_0-9]+$/.test(word);
}

function isOnLaterLine(code: Code, token: number): boolean {
  return code.text.slice(endOf(code, token), startOf(code, token + 1)).includes("\n");
}

/** `static DECLARE_WORK(name, fn);`, in a record `DECLARE_BITMAP(name, bits);`, in a function `DECLARE_BITMAP(name, bits) = { 0 };`. */
export function mayDeclareFirstArgument(pass: Pass, at: number): boolean {
  const { code } = pass;
  const close = closingParen(code, at + 1);
  const next = typeAt(code, close + 1);
  const isInitialized = next === equals && typeAt(code, close + 2) !== equals;
  if (next !== semicolon && !isInitialized) return false;
  const previous = wordAt(code, pass.previous);
  if (previous === "static" || previous === "extern") return true;
  if (isInitialized) return startsStatement(pass) && isShouted(wordAt(code, at));
  const mark = typeAt(code, pass.previous);
  return pass.braces.at(-1) === "record" && (mark === semicolon || mark === openBrace);
}

/**
 * The `*` of `f(g(n * m))`, two calls deep in a function: no declaration is there, but the grammar may well take the
 * statement for one, with a type `f(...)` and no name. Not the star of a type: that has a tag or a bracket beside it.
 */
export function isProduct(pass: Pass, at: number): boolean {
  const { code, dialect } = pass;
  if (typeAt(code, at) !== asterisk || pass.parens < 2 || pass.braces.length === 0 || pass.braces.at(-1) === "record") return false;
  const factor = wordAt(code, at - 1);
  if (factor === "" || dialect.isTypeKeyword(factor) || dialect.isPrimitive(factor) || dialect.isTypeKeyword(wordAt(code, at - 2))) return false;
  // `sizeof *p`, `return *p` in a statement expression.
  const role = roleOf(pass, factor);
  if (role === "typeOperator" || role === "typeQuery") return false;
  const next = wordAt(code, at + 1);
  return next === "" ? typeAt(code, at + 1) === openParen : !dialect.isTypeKeyword(next) && roleOf(pass, next) !== "attribute";
}

/** False behind what may be a type, for there the parentheses hold parameters, in which types are at home. */
export function mayBeCall(pass: Pass, at: number): boolean {
  const { code } = pass;
  const before = typeAt(code, pass.previous);
  if (before === asterisk) return false;
  if (before === wordToken && !/^(?:return|else|do|case)$/.test(wordAt(code, pass.previous))) return false;
  const next = typeAt(code, closingParen(code, at + 1) + 1);
  const isLoneVoid = wordAt(code, at + 2) === "void" && typeAt(code, at + 3) === closeParen;
  return next !== openBrace && !isLoneVoid;
}

/**
 * A word that the tables do not know, but that can be nothing except an attribute where it stands: before the
 * keyword of a type (`nokprobe_inline void f(...)`), as one name too many (`static nokprobe_inline u32 f(...)`), or
 * between an array declarator and its initializer.
 */
export function isUnknownAttribute(pass: Pass, at: number): boolean {
  const { code } = pass;
  if (!isPlainWord(pass, at)) return false;
  const next = typeAt(code, at + 1);
  if (typeAt(code, pass.previous) === closeSquare) return next === equals || next === semicolon || next === comma;
  if (next !== wordToken) return false;
  const follower = wordAt(code, at + 1);
  if (follower !== "const" && follower !== "volatile" && follower !== "typedef") {
    if (pass.dialect.isTypeKeyword(follower) || isLeadingKeyword(follower)) return isDeclarationContext(pass);
  }
  return isSpareName(pass, at);
}

/** Keywords before which no type name may stand. */
function isLeadingKeyword(word: string): boolean {
  return word === "static" || word === "extern" || word === "inline";
}

/** Not within parentheses, where `W int` may be pieces of a macro's argument. */
function isDeclarationContext(pass: Pass): boolean {
  const before = typeAt(pass.code, pass.previous);
  return before === wordToken || startsStatement(pass);
}

/** `static W type name(` or `static W type *name`. */
function isSpareName(pass: Pass, at: number): boolean {
  const { code } = pass;
  if (!/^(?:static|extern|inline)$/.test(wordAt(code, pass.previous)) || !isPlainWord(pass, at + 1)) return false;
  const third = typeAt(code, at + 2);
  return third === asterisk || (isPlainWord(pass, at + 2) && typeAt(code, at + 3) === openParen);
}

/** A word that is neither a keyword nor in the tables. */
function isPlainWord(pass: Pass, token: number): boolean {
  const word = wordAt(pass.code, token);
  const { dialect } = pass;
  if (word === "" || roleOf(pass, word) !== "none") return false;
  return !dialect.isTypeKeyword(word) && !dialect.isPrimitive(word) && !dialect.isDeclarationKeyword(word);
}
