// SPDX-License-Identifier: GPL-2.0-only
import type { Canvas } from "./canvas.ts";
import { closeBrace, closeParen, openBrace, openParen, typeAt, wordAt } from "./code.ts";
import type { Code } from "./code.ts";
import type { Dialect, Role } from "./dialect.ts";

/** What an open brace belongs to, as far as masking depends on it. */
export type BraceOwner = "record" | "do" | "other";

/** Where the overlay's one pass over the words stands. */
export interface Pass {
  readonly code: Code;
  readonly canvas: Canvas;
  readonly dialect: Dialect;
  readonly roles: Map<string, Role>;
  /** The last token that the parser still sees, or -1. */
  previous: number;
  readonly braces: BraceOwner[];
  /** Parentheses that are open within the innermost brace, and within those around it. */
  parens: number;
  readonly parensAround: number[];
  /** Who owned the brace that `previous` closes, if it closes one. */
  closed: BraceOwner | null;
  /** True from `struct` or `union` to the brace or to whatever shows that none belongs to it. */
  opensRecord: boolean;
  /** True from `case` to its colon. */
  inCase: boolean;
}

export function newPass(code: Code, canvas: Canvas, dialect: Dialect): Pass {
  return {
    code,
    canvas,
    dialect,
    roles: new Map(),
    previous: -1,
    braces: [],
    parens: 0,
    parensAround: [],
    closed: null,
    opensRecord: false,
    inCase: false,
  };
}

/** Steps over a token that is no word. */
export function stepOverMark(pass: Pass, at: number): void {
  const mark = typeAt(pass.code, at);
  pass.closed = null;
  if (mark === openBrace) {
    const isDo = wordAt(pass.code, pass.previous) === "do";
    pass.braces.push(pass.opensRecord ? "record" : isDo ? "do" : "other");
    pass.parensAround.push(pass.parens);
    pass.parens = 0;
  } else if (mark === closeBrace) {
    pass.closed = pass.braces.pop() ?? null;
    pass.parens = pass.parensAround.pop() ?? 0;
  } else if (mark === openParen) pass.parens++;
  else if (mark === closeParen) pass.parens--;
  pass.opensRecord = false;
  pass.previous = at;
}

/** Steps over tokens that the parser will see, the last of which is `last`. */
export function stepOverWord(pass: Pass, last: number): void {
  pass.previous = last;
  pass.closed = null;
}

/** Each word is looked up in the tables once. */
export function roleOf(pass: Pass, word: string): Role {
  let role = pass.roles.get(word);
  if (role === undefined) {
    role = pass.dialect.roleOf(word);
    pass.roles.set(word, role);
  }
  return role;
}
