// SPDX-License-Identifier: GPL-2.0-only
import { wordToken } from "./tokens.ts";
import type { Tokens } from "./tokens.ts";

/** Tokens without directives and without what the preprocessor is taken to drop, with their brackets matched. */
export interface Code {
  readonly text: string;
  readonly tokens: Tokens;
  /** For an opening bracket the index of its closing one, else -1. */
  readonly closing: Int32Array;
  /** The stretches within more than `maxNesting` brackets. */
  readonly tooDeep: readonly TextRange[];
}

export interface TextRange {
  readonly start: number;
  readonly end: number;
}

/**
 * Brackets within brackets that are parsed. Real code has some dozen; the parser's error recovery takes time and
 * memory by the square of the depth (13 GB for 25,000 nested initializers).
 */
export const maxNesting = 256;

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
  return { text, tokens, ...matchBrackets(text, tokens) };
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

/** The arguments between a matched pair of parentheses; none between empty ones. Lazy, as there may be millions. */
export function* argumentsOf(code: Code, open: number): Generator<Argument, void> {
  const close = closingParen(code, open);
  if (close <= open + 1) return;
  let first = open + 1;
  for (let at = first; at < close; at++) {
    const inner = code.closing[at] ?? -1;
    if (inner >= 0) at = inner;
    else if (typeAt(code, at) === comma) {
      yield { first, end: at };
      first = at + 1;
    }
  }
  yield { first, end: close };
}

/** Linear: each token is pushed and popped at most once. A brace closes whatever parentheses are still open in it. */
function matchBrackets(text: string, tokens: Tokens): Pick<Code, "closing" | "tooDeep"> {
  const closing = new Int32Array(tokens.count).fill(-1);
  const open: number[] = [];
  const tooDeep: TextRange[] = [];
  let deepFrom = -1;
  for (let at = 0; at < tokens.count; at++) {
    const type = tokens.type[at];
    if (type === openParen || type === openSquare || type === openBrace) {
      open.push(at);
      if (open.length === maxNesting) deepFrom = tokens.end[at] ?? 0;
    } else if (type === closeParen || type === closeSquare || type === closeBrace) {
      closeBracket(tokens, closing, open, at);
      if (deepFrom >= 0 && open.length < maxNesting) {
        tooDeep.push({ start: deepFrom, end: tokens.start[at] ?? 0 });
        deepFrom = -1;
      }
    }
  }
  if (deepFrom >= 0) tooDeep.push({ start: deepFrom, end: text.length });
  return { closing, tooDeep };
}

/** True where every bracket of the tokens has its partner, none lies too deep, and the one outermost pair of braces closes last. */
export function endsWithOnlyBlock(tokens: Tokens): boolean {
  const open: number[] = [];
  for (let at = 0; at < tokens.count; at++) {
    const type = tokens.type[at] ?? 0;
    if (type === openParen || type === openSquare || type === openBrace) {
      open.push(type);
      if (open.length >= maxNesting) return false;
    } else if (type === closeParen || type === closeSquare || type === closeBrace) {
      if (open.pop() !== openerOf(type)) return false;
      if (type === closeBrace && open.length === 0) return at === tokens.count - 1;
    }
  }
  return false;
}

function closeBracket(tokens: Tokens, closing: Int32Array, open: number[], at: number): void {
  if (tokens.type[at] === closeBrace) {
    while (open.length > 0 && tokens.type[open.at(-1) ?? 0] !== openBrace) open.pop();
  }
  const last = open.at(-1);
  if (last === undefined || openerOf(tokens.type[at] ?? 0) !== tokens.type[last]) return;
  closing[last] = at;
  open.pop();
}

function openerOf(closer: number): number {
  return closer === closeParen ? openParen : closer === closeSquare ? openSquare : openBrace;
}
