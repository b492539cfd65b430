// SPDX-License-Identifier: GPL-2.0-only
import type { Canvas } from "./canvas.ts";
import { argumentsOf, asterisk, closingParen, endOf, openParen, startOf, typeAt, wordAt } from "./code.ts";
import type { Argument, Code } from "./code.ts";
import { wordToken } from "./tokens.ts";

/** `DEFINE_PER_CPU(struct s, name)` becomes `struct s  name`. Returns false, with nothing done, for any other shape. */
export function maskTypedDeclaration(code: Code, canvas: Canvas, macro: number): boolean {
  const [type, declared, third] = argumentsOf(code, macro + 1);
  if (type === undefined || declared === undefined || third !== undefined) return false;
  if (!isWordsAndStars(code, type) || wordAt(code, declared.first) === "") return false;
  const close = closingParen(code, macro + 1);
  canvas.blank(startOf(code, macro), endOf(code, macro + 1));
  blankToken(code, canvas, type.end);
  blankToken(code, canvas, close);
  noteDeclaration(code, canvas, macro, close);
  return true;
}

function isWordsAndStars(code: Code, argument: Argument): boolean {
  for (let at = argument.first; at < argument.end; at++) {
    const type = typeAt(code, at);
    if (type !== wordToken && (type !== asterisk || at === argument.first)) return false;
  }
  return argument.end > argument.first;
}

/** `static DECLARE_WORK(name, fn)` becomes `static DECLARE_WORK(name    )`: a type and a declarator in parentheses. */
export function maskNamedDeclaration(code: Code, canvas: Canvas, macro: number): boolean {
  const [declared, second] = argumentsOf(code, macro + 1);
  if (declared === undefined || second === undefined) return false;
  if (declared.end !== declared.first + 1 || wordAt(code, declared.first) === "") return false;
  const close = closingParen(code, macro + 1);
  canvas.blank(startOf(code, declared.end), startOf(code, close));
  noteDeclaration(code, canvas, macro, close);
  return true;
}

/** `CLASS(fd, f)(n)` becomes `fd  f=(n)`: a declaration with its initializer. */
export function maskClassDeclaration(code: Code, canvas: Canvas, macro: number): boolean {
  const [type, declared, third] = argumentsOf(code, macro + 1);
  if (type === undefined || declared === undefined || third !== undefined) return false;
  if (wordAt(code, type.first) === "" || wordAt(code, declared.first) === "") return false;
  const close = closingParen(code, macro + 1);
  const lastParen = closingParen(code, close + 1);
  if (typeAt(code, close + 1) !== openParen || lastParen < 0) return false;
  canvas.blank(startOf(code, macro), endOf(code, macro + 1));
  blankToken(code, canvas, type.end);
  if (lastParen === close + 2) {
    canvas.blank(startOf(code, close), endOf(code, lastParen));
  } else {
    canvas.write(startOf(code, close), "=");
  }
  noteDeclaration(code, canvas, macro, lastParen);
  return true;
}

/** What the overlay writes in front of the name of a system call. */
export const syscallPrefix = "long ";

/** `SYSCALL_DEFINE2(name, int, fd, long, n)` becomes `long LL_DEFINE2(int  fd, long  n)`; see `functionsOf` for the name. */
export function maskSyscall(code: Code, canvas: Canvas, macro: number): boolean {
  const [name, ...pairs] = argumentsOf(code, macro + 1);
  const close = closingParen(code, macro + 1);
  const start = startOf(code, macro);
  if (name === undefined) return false;
  canvas.write(start, syscallPrefix);
  canvas.blank(endOf(code, macro + 1), startOf(code, name.end));
  if (pairs.length > 0) blankToken(code, canvas, name.end);
  for (let index = 0; index + 1 < pairs.length; index += 2) {
    blankToken(code, canvas, pairs[index]?.end ?? close);
  }
  canvas.note({ kind: "syscall", name: wordAt(code, macro), start, end: endOf(code, close) });
  return true;
}

/** `offsetof(struct s, a[1].b)` becomes `offsetof(struct s, a     )`, for the grammar knows a single member only. */
export function maskFieldPath(code: Code, canvas: Canvas, operator: number): void {
  const [, path] = argumentsOf(code, operator + 1);
  if (path === undefined || wordAt(code, path.first) === "" || path.end === path.first + 1) return;
  const start = endOf(code, path.first);
  const end = endOf(code, path.end - 1);
  canvas.blank(start, end);
  canvas.note({ kind: "type-argument", name: wordAt(code, operator), start, end });
}

function blankToken(code: Code, canvas: Canvas, token: number): void {
  canvas.blank(startOf(code, token), endOf(code, token));
}

function noteDeclaration(code: Code, canvas: Canvas, macro: number, last: number): void {
  canvas.note({ kind: "declaration-macro", name: wordAt(code, macro), start: startOf(code, macro), end: endOf(code, last) });
}
