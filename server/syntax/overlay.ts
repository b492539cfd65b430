// SPDX-License-Identifier: GPL-2.0-only
import { newCanvas } from "./canvas.ts";
import type { Canvas, Overlay } from "./canvas.ts";
import {
  asterisk,
  closeBrace,
  closeParen,
  closingParen,
  codeOf,
  colon,
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
import { splittingConditionals } from "./conditionals.ts";
import type { HiddenRange } from "./conditionals.ts";
import { maskClassDeclaration, maskFieldPath, maskNamedDeclaration, maskSyscall, maskTypedDeclaration } from "./declaration-macros.ts";
import type { Dialect, Role } from "./dialect.ts";
import { directiveToken, scanTokens, wordToken } from "./tokens.ts";
import type { Tokens } from "./tokens.ts";
import { maskTypeArguments } from "./type-arguments.ts";

/**
 * Lays plain C of the same length over C of the kernel dialect.
 *
 * Takes time linear in the text, whatever the text is: each token is looked at as a word once, as a part of the
 * argument list directly around it once, and the search for a closing parenthesis is a table made beforehand.
 */
export function overlay(text: string, dialect: Dialect): Overlay {
  const canvas = newCanvas(text);
  const tokens = scanTokens(text);
  const hidden = splittingConditionals(text, tokens);
  for (const range of hidden) {
    canvas.blank(range.start, range.end);
    canvas.note({ kind: "conditional", name: range.directive, start: range.start, end: range.end });
  }
  maskWords({
    code: codeOf(text, visibleTokens(tokens, hidden)),
    canvas,
    dialect,
    roles: new Map(),
    previous: -1,
    braces: [],
    opensStruct: false,
  });
  return canvas.done();
}

/** Drops directives and what lies in hidden ranges. */
function visibleTokens(tokens: Tokens, hidden: readonly HiddenRange[]): Tokens {
  const type = new Uint8Array(tokens.count);
  const start = new Int32Array(tokens.count);
  const end = new Int32Array(tokens.count);
  let count = 0;
  let nextHidden = 0;
  for (let at = 0; at < tokens.count; at++) {
    const offset = tokens.start[at] ?? 0;
    while (offset >= (hidden[nextHidden]?.end ?? Infinity)) nextHidden++;
    if (tokens.type[at] === directiveToken || offset >= (hidden[nextHidden]?.start ?? Infinity)) continue;
    type[count] = tokens.type[at] ?? 0;
    start[count] = offset;
    end[count] = tokens.end[at] ?? 0;
    count++;
  }
  return { count, type, start, end };
}

/** Where the pass over the words stands. */
interface Pass {
  readonly code: Code;
  readonly canvas: Canvas;
  readonly dialect: Dialect;
  readonly roles: Map<string, Role>;
  /** The last token that the parser still sees, or -1. */
  previous: number;
  /** For each open brace whether it opens the body of a struct or union. */
  readonly braces: boolean[];
  /** True from `struct` or `union` to the brace or to whatever shows that none belongs to it. */
  opensStruct: boolean;
}

function maskWords(pass: Pass): void {
  const { code } = pass;
  let at = 0;
  while (at < code.tokens.count) {
    if (typeAt(code, at) === wordToken) {
      at = maskWord(pass, at);
    } else {
      stepMark(pass, typeAt(code, at));
      pass.previous = at;
      at++;
    }
  }
}

function stepMark(pass: Pass, mark: number): void {
  if (mark === openBrace) pass.braces.push(pass.opensStruct);
  else if (mark === closeBrace) pass.braces.pop();
  pass.opensStruct = false;
}

/** Handles the word at the token and returns the token to go on with. */
function maskWord(pass: Pass, at: number): number {
  const { code, canvas } = pass;
  const word = wordAt(code, at);
  if (word === "struct" || word === "union") pass.opensStruct = true;
  const role = roleOf(pass, word);
  const close = closingParen(code, at + 1);
  if (role === "attribute" && !isMember(code, pass.previous)) {
    hide(pass, at, at, "attribute");
    return at + 1;
  }
  if (close < 0) {
    pass.previous = at;
    return at + 1;
  }
  if (role === "attributeCall") {
    hide(pass, at, close, "attribute-call");
    return close + 1;
  }
  if (isFileMacro(pass, at, close, role)) {
    hide(pass, at, close, "declaration-macro");
    return close + 1;
  }
  if (role === "iterator" && isLoop(pass, close)) {
    canvas.write(startOf(code, at), "while".padEnd(word.length));
    canvas.note({ kind: "iterator", name: word, start: startOf(code, at), end: endOf(code, at) });
  } else if (role !== "typeOperator") {
    const resumeAt = maskCall(pass, at, role);
    pass.previous = resumeAt - 1;
    return resumeAt;
  }
  pass.previous = at;
  return at + 1;
}

/** A call, a declaration that looks like one, or a prototype. Returns the token to go on with. */
function maskCall(pass: Pass, at: number, role: Role): number {
  const { code, canvas } = pass;
  if (role === "syscall" && maskSyscall(code, canvas, at)) return at + 1;
  if (role === "classDeclaration" && maskClassDeclaration(code, canvas, at)) return at + 1;
  if (role === "typedDeclaration" && maskTypedDeclaration(code, canvas, at)) return at + 1;
  if (role === "fieldPath") maskFieldPath(code, canvas, at);
  else if (mayDeclareFirstArgument(pass, at) && maskNamedDeclaration(code, canvas, at)) return at + 1;
  else if (role === "typeArgument" || role === "typedDeclaration" || mayBeCall(pass, at)) {
    maskTypeArguments(code, canvas, pass.dialect, at, role === "typeArgument");
  }
  return at + 1;
}

function roleOf(pass: Pass, word: string): Role {
  let role = pass.roles.get(word);
  if (role === undefined) {
    role = pass.dialect.roleOf(word);
    pass.roles.set(word, role);
  }
  return role;
}

function hide(pass: Pass, first: number, last: number, kind: "attribute" | "attribute-call" | "declaration-macro"): void {
  const { code, canvas } = pass;
  const start = startOf(code, first);
  const end = endOf(code, last);
  canvas.blank(start, end);
  canvas.note({ kind, name: wordAt(code, first), start, end });
}

/** Behind `.` or `->` even a word of the tables is a plain member. */
function isMember(code: Code, previous: number): boolean {
  const type = typeAt(code, previous);
  const dot = 46;
  const greater = 62;
  const minus = 45;
  return type === dot || (type === greater && typeAt(code, previous - 1) === minus);
}

/** True where a statement or a declaration may start. */
function startsStatement(pass: Pass): boolean {
  const type = typeAt(pass.code, pass.previous);
  if (type === wordToken) {
    const word = wordAt(pass.code, pass.previous);
    return word === "else" || word === "do";
  }
  return type === 0 || type === semicolon || type === openBrace || type === closeBrace || type === closeParen || type === colon;
}

/** An iterator's use, not its prototype, its definition, or a function of such a name. */
function isLoop(pass: Pass, close: number): boolean {
  if (!startsStatement(pass)) return false;
  const next = typeAt(pass.code, close + 1);
  const plus = 43;
  const minus = 45;
  const isStep = (next === plus || next === minus) && typeAt(pass.code, close + 2) === next;
  return next === 0 || next === wordToken || next === openBrace || next === openParen || next === asterisk || isStep;
}

/** A macro at file level that has no semicolon behind it. */
function isFileMacro(pass: Pass, at: number, close: number, role: Role): boolean {
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

/** `static DECLARE_WORK(name, fn);` and, in a struct, `DECLARE_BITMAP(name, bits);`. */
function mayDeclareFirstArgument(pass: Pass, at: number): boolean {
  const { code } = pass;
  const next = typeAt(code, closingParen(code, at + 1) + 1);
  if (next !== semicolon && next !== equals) return false;
  const previous = wordAt(code, pass.previous);
  if (previous === "static" || previous === "extern") return true;
  const mark = typeAt(code, pass.previous);
  return pass.braces.at(-1) === true && (mark === semicolon || mark === openBrace);
}

/** False behind what may be a type, for there the parentheses hold parameters, in which types are at home. */
function mayBeCall(pass: Pass, at: number): boolean {
  const { code } = pass;
  const before = typeAt(code, pass.previous);
  if (before === asterisk) return false;
  if (before === wordToken && !/^(?:return|else|do|case)$/.test(wordAt(code, pass.previous))) return false;
  const next = typeAt(code, closingParen(code, at + 1) + 1);
  const isLoneVoid = wordAt(code, at + 2) === "void" && typeAt(code, at + 3) === closeParen;
  return next !== openBrace && !isLoneVoid;
}
