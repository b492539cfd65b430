// SPDX-License-Identifier: GPL-2.0-only
import { newCanvas } from "./canvas.ts";
import type { Overlay } from "./canvas.ts";
import { argumentsOf, closingParen, codeOf, colon, endOf, startOf, typeAt, wordAt } from "./code.ts";
import { splittingConditionals } from "./conditionals.ts";
import type { HiddenRange } from "./conditionals.ts";
import { maskClassDeclaration, maskFieldPath, maskNamedDeclaration, maskSyscall, maskTypedDeclaration } from "./declaration-macros.ts";
import type { Dialect, Role } from "./dialect.ts";
import { newPass, roleOf, stepOverMark, stepOverWord } from "./pass.ts";
import type { Pass } from "./pass.ts";
import { isFileMacro, isLoop, isMember, isProduct, isUnknownAttribute, mayBeCall, mayDeclareFirstArgument } from "./positions.ts";
import { directiveToken, scanTokens, wordToken } from "./tokens.ts";
import type { Tokens } from "./tokens.ts";
import { maskTypeArguments, maskTypeQuery } from "./type-arguments.ts";

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
  const code = codeOf(text, visibleTokens(tokens, hidden));
  maskWords(newPass(code, canvas, dialect));
  for (const range of code.tooDeep) {
    canvas.blank(range.start, range.end);
    canvas.note({ kind: "too-deep", name: "", start: range.start, end: range.end });
  }
  return canvas.done();
}

/** Drops directives and what lies in hidden ranges. */
export function visibleTokens(tokens: Tokens, hidden: readonly HiddenRange[]): Tokens {
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

function maskWords(pass: Pass): void {
  const { code } = pass;
  let at = 0;
  while (at < code.tokens.count) {
    if (typeAt(code, at) === wordToken) {
      at = maskWord(pass, at);
    } else {
      maskCaseRange(pass, at);
      if (isProduct(pass, at)) maskProduct(pass, at);
      stepOverMark(pass, at);
      at++;
    }
  }
}

/** Handles the word at the token and returns the token to go on with. */
function maskWord(pass: Pass, at: number): number {
  const { code } = pass;
  const word = wordAt(code, at);
  if (word === "struct" || word === "union") pass.opensRecord = true;
  else if (word === "case") pass.inCase = true;
  const role = roleOf(pass, word);
  if (role === "attribute" ? !isMember(code, pass.previous) : isUnknownAttribute(pass, at)) {
    return hide(pass, at, at, "attribute");
  }
  const close = closingParen(code, at + 1);
  if (close < 0) return keep(pass, at);
  if (role === "attributeCall") return hide(pass, at, close, "attribute-call");
  if (isFileMacro(pass, at, close, role)) return hide(pass, at, close, "declaration-macro");
  if (isLoop(pass, at, close, role)) {
    maskIterator(pass, at);
    return keep(pass, at);
  }
  return keep(pass, maskCall(pass, at, role));
}

/** A call, a declaration that looks like one, or a prototype. Returns the last token that is done with. */
function maskCall(pass: Pass, at: number, role: Role): number {
  const { code, canvas, dialect } = pass;
  if (role === "typeOperator") return at;
  if (role === "typeQuery") return maskTypeQuery(code, canvas, dialect, at);
  if (role === "syscall" && maskSyscall(code, canvas, at)) return at;
  if (role === "classDeclaration" && maskClassDeclaration(code, canvas, at)) return at;
  if (role === "typedDeclaration" && maskTypedDeclaration(code, canvas, at)) return at;
  if (role === "fieldPath") maskFieldPath(code, canvas, at);
  else if (mayDeclareFirstArgument(pass, at) && maskNamedDeclaration(code, canvas, at)) return at;
  else if (role === "typeArgument" || role === "typedDeclaration" || mayBeCall(pass, at)) {
    maskTypeArguments(code, canvas, dialect, at, role === "typeArgument");
  }
  return at;
}

/** The arguments become the condition, as one comma expression, and the statement behind them the body. */
function maskIterator(pass: Pass, at: number): void {
  const { code, canvas } = pass;
  const name = wordAt(code, at);
  const start = startOf(code, at);
  canvas.write(start, "while".padEnd(name.length));
  if (name === CONDITIONAL_GUARD) maskStatementArgument(pass, at);
  canvas.note({ kind: "iterator", name, start, end: endOf(code, at) });
}

/** Its second argument is a statement: what to do where the lock is not to be had. */
const CONDITIONAL_GUARD = "scoped_cond_guard";

function maskStatementArgument({ code, canvas }: Pass, at: number): void {
  const [, statement] = argumentsOf(code, at + 1);
  if (!statement) return;
  const end = endOf(code, statement.end - 1);
  // The comma in front of it goes, too.
  canvas.blank(startOf(code, statement.first - 1), end);
  canvas.note({ kind: "statement-argument", name: CONDITIONAL_GUARD, start: startOf(code, statement.first - 1), end });
}

const dot = 46;

/** `case 0 ... 9:` becomes `case 0 |   9:`, for the grammar knows ranges in initializers only. */
function maskCaseRange(pass: Pass, at: number): void {
  const { code, canvas } = pass;
  const mark = typeAt(code, at);
  if (mark === colon) pass.inCase = false;
  if (!pass.inCase || mark !== dot || typeAt(code, at + 1) !== dot || typeAt(code, at + 2) !== dot) return;
  const start = startOf(code, at);
  if (startOf(code, at + 2) !== start + 2) return;
  canvas.write(start, "|  ");
  canvas.note({ kind: "case-range", name: "...", start, end: start + 3 });
  pass.inCase = false;
}

/** `n * m` becomes `n / m`: an expression, whatever the names are. */
function maskProduct(pass: Pass, at: number): void {
  const { code, canvas } = pass;
  canvas.write(startOf(code, at), "/");
  canvas.note({ kind: "product", name: "*", start: startOf(code, at), end: endOf(code, at) });
}

/** The parser sees the word. Returns the token to go on with. */
function keep(pass: Pass, last: number): number {
  stepOverWord(pass, last);
  return last + 1;
}

/** The parser sees none of the tokens. Returns the token to go on with. */
function hide(pass: Pass, first: number, last: number, kind: "attribute" | "attribute-call" | "declaration-macro"): number {
  const { code, canvas } = pass;
  const start = startOf(code, first);
  const end = endOf(code, last);
  canvas.blank(start, end);
  canvas.note({ kind, name: wordAt(code, first), start, end });
  return last + 1;
}
