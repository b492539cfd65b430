// SPDX-License-Identifier: GPL-2.0-only

/**
 * Tokens of C as the overlay needs them: words, brackets, punctuation, literals and preprocessor lines.
 *
 * Comments and white space leave no token, so that nothing inside them is ever masked. A directive with its
 * continuation lines is one token, for the C grammar reads the body of a macro as plain text anyway.
 */
export interface Tokens {
  /** Number of tokens. */
  readonly count: number;
  /** `wordToken`, `literalToken`, `directiveToken`, or the character code of one punctuation mark. */
  readonly type: Uint8Array;
  /** UTF-16 offsets into the scanned text. */
  readonly start: Int32Array;
  readonly end: Int32Array;
}

export const wordToken = 1;
export const literalToken = 2;
export const directiveToken = 3;
/** Any mark that is not ASCII. */
export const otherToken = 4;

const newline = 10;
const hash = 35;
const doubleQuote = 34;
const singleQuote = 39;
const star = 42;
const slash = 47;
const backslash = 92;

/** Scans any text in linear time; text that is not C gives tokens of no meaning, never an error. */
export function scanTokens(text: string): Tokens {
  const sink = newSink(text.length);
  let at = 0;
  let lineIsBlank = true;
  while (at < text.length) {
    const code = text.charCodeAt(at);
    if (code === newline) {
      lineIsBlank = true;
      at++;
    } else if (code <= 32) {
      at++;
    } else if (code === slash && isCommentStart(text, at)) {
      at = endOfComment(text, at);
    } else if (code === hash && lineIsBlank) {
      const end = endOfDirective(text, at);
      sink.add(directiveToken, at, end);
      at = end;
    } else {
      lineIsBlank = false;
      at = addToken(text, at, code, sink);
    }
  }
  return sink.done();
}

function addToken(text: string, at: number, code: number, sink: Sink): number {
  if (isWordStart(code)) {
    const end = endOfWord(text, at);
    sink.add(wordToken, at, end);
    return end;
  }
  if (code === doubleQuote || code === singleQuote) {
    const end = endOfQuoted(text, at, code);
    sink.add(literalToken, at, end);
    return end;
  }
  if (isDigit(code)) {
    const end = endOfNumber(text, at);
    sink.add(literalToken, at, end);
    return end;
  }
  sink.add(code < 128 ? code : otherToken, at, at + 1);
  return at + 1;
}

function isCommentStart(text: string, at: number): boolean {
  const next = text.charCodeAt(at + 1);
  return next === star || next === slash;
}

function endOfComment(text: string, at: number): number {
  if (text.charCodeAt(at + 1) === star) {
    const close = text.indexOf("*/", at + 2);
    return close < 0 ? text.length : close + 2;
  }
  return endOfLogicalLine(text, at);
}

/** The offset of the line feed that ends the line, behind any number of continuations. */
function endOfLogicalLine(text: string, from: number): number {
  let at = text.indexOf("\n", from);
  while (at > 0 && isContinued(text, at)) {
    at = text.indexOf("\n", at + 1);
  }
  return at < 0 ? text.length : at;
}

function isContinued(text: string, lineFeed: number): boolean {
  const before = text.charCodeAt(lineFeed - 1);
  return before === backslash || (before === 13 && text.charCodeAt(lineFeed - 2) === backslash);
}

/** A block comment that starts on the line of a directive belongs to it, even where it runs over several lines. */
function endOfDirective(text: string, from: number): number {
  let at = from;
  while (at < text.length) {
    const code = text.charCodeAt(at);
    if (code === newline) {
      if (!isContinued(text, at)) return at;
      at++;
    } else if (code === slash && isCommentStart(text, at)) {
      at = endOfComment(text, at);
    } else if (code === doubleQuote) {
      at = endOfQuoted(text, at, code);
    } else {
      at++;
    }
  }
  return text.length;
}

/** A literal ends at its quote or, since broken text must not swallow the rest of the file, at the end of its line. */
function endOfQuoted(text: string, from: number, quote: number): number {
  let at = from + 1;
  while (at < text.length) {
    const code = text.charCodeAt(at);
    if (code === quote) return at + 1;
    if (code === newline) return at;
    at += code === backslash ? 2 : 1;
  }
  return text.length;
}

function endOfWord(text: string, from: number): number {
  let at = from + 1;
  while (at < text.length && isWordPart(text.charCodeAt(at))) at++;
  return at;
}

function endOfNumber(text: string, from: number): number {
  let at = from + 1;
  while (at < text.length && (isWordPart(text.charCodeAt(at)) || text.charCodeAt(at) === 46)) at++;
  return at;
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}

function isWordStart(code: number): boolean {
  return (code >= 97 && code <= 122) || (code >= 65 && code <= 90) || code === 95;
}

function isWordPart(code: number): boolean {
  return isWordStart(code) || isDigit(code);
}

interface Sink {
  readonly add: (type: number, start: number, end: number) => void;
  readonly done: () => Tokens;
}

/** Growable columns; the first guess fits ordinary C, where a token with its blanks is four characters or more. */
function newSink(length: number): Sink {
  let capacity = (length >> 2) + 16;
  let type = new Uint8Array(capacity);
  let start = new Int32Array(capacity);
  let end = new Int32Array(capacity);
  let count = 0;
  const grow = (): void => {
    capacity *= 2;
    type = widened(type, new Uint8Array(capacity));
    start = widened(start, new Int32Array(capacity));
    end = widened(end, new Int32Array(capacity));
  };
  return {
    add: (newType, newStart, newEnd) => {
      if (count === capacity) grow();
      type[count] = newType;
      start[count] = newStart;
      end[count] = newEnd;
      count++;
    },
    done: () => ({ count, type, start, end }),
  };
}

function widened<Column extends Uint8Array<ArrayBuffer> | Int32Array<ArrayBuffer>>(from: Column, to: Column): Column {
  to.set(from);
  return to;
}
