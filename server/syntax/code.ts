// SPDX-License-Identifier: GPL-2.0-only
import { wordToken } from "./tokens.ts";
import type { Tokens } from "./tokens.ts";

/** Tokens without directives and without what the preprocessor is taken to drop, with their brackets matched. */
export interface Code {
  readonly text: string;
  readonly tokens: Tokens;
  /** For an opening bracket the index of its closing one, else -1. */
  readonly closing: Int32Array;
}

export const openParen = 40;
export const closeParen = 41;
export const asterisk = 42;
export const comma = 44;
export const colon = 58;
export const semicolon = 59;
export const equals = 61;
export const openSquare = 91;
export const closeSquare = 93;
export const openBrace = 123;
export const closeBrace = 125;

export function codeOf(text: string, tokens: Tokens): Code {
  return { text, tokens, closing: matchBrackets(tokens) };
}

/** The token's type, or 0 outside of the text. */
export function typeAt(code: Code, token: number): number {
  return code.tokens.type[token] ?? 0;
}

/** The token's text where it is a word, else `""`. */
export function wordAt(code: Code, token: number): string {
  return typeAt(code, token) === wordToken ? code.text.slice(startOf(code, token), endOf(code, token)) : "";
}

export function startOf(code: Code, token: number): number {
  return code.tokens.start[token] ?? code.text.length;
}

export function endOf(code: Code, token: number): number {
  return code.tokens.end[token] ?? code.text.length;
}

/** The closing index of the parenthesis that opens at this token, or -1 where none opens or it stays open. */
export function closingParen(code: Code, token: number): number {
  return typeAt(code, token) === openParen ? (code.closing[token] ?? -1) : -1;
}

/** One argument: the tokens [first, end). */
export interface Argument {
  readonly first: number;
  readonly end: number;
}

/** The arguments between a matched pair of parentheses; none between empty ones. */
export function argumentsOf(code: Code, open: number): readonly Argument[] {
  const close = closingParen(code, open);
  const found: Argument[] = [];
  if (close <= open + 1) return found;
  let first = open + 1;
  for (let at = first; at < close; at++) {
    const inner = code.closing[at] ?? -1;
    if (inner >= 0) at = inner;
    else if (typeAt(code, at) === comma) {
      found.push({ first, end: at });
      first = at + 1;
    }
  }
  found.push({ first, end: close });
  return found;
}

/** Linear: each token is pushed and popped at most once. A brace closes whatever parentheses are still open in it. */
function matchBrackets(tokens: Tokens): Int32Array {
  const closing = new Int32Array(tokens.count).fill(-1);
  const open: number[] = [];
  for (let at = 0; at < tokens.count; at++) {
    const type = tokens.type[at];
    if (type === openParen || type === openSquare || type === openBrace) open.push(at);
    else if (type === closeParen) closeWith(openParen, at);
    else if (type === closeSquare) closeWith(openSquare, at);
    else if (type === closeBrace) {
      while (open.length > 0 && tokens.type[open.at(-1) ?? 0] !== openBrace) open.pop();
      closeWith(openBrace, at);
    }
  }
  return closing;

  function closeWith(opening: number, at: number): void {
    const last = open.at(-1);
    if (last === undefined || tokens.type[last] !== opening) return;
    closing[last] = at;
    open.pop();
  }
}
