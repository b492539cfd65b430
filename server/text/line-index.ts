// SPDX-License-Identifier: GPL-2.0-only
import type { Span } from "./span.ts";

/** A place in a text as editors count: line from 1, column from 0 in UTF-16 units. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** Translates between offsets and positions of one text. Arguments out of range are clamped to the text. */
export interface LineIndex {
  /** Number of lines; a text that ends in a newline has one more, empty line. At least 1. */
  readonly lineCount: number;
  readonly lineOf: (offset: number) => number;
  readonly positionOf: (offset: number) => Position;
  readonly offsetOf: (line: number, column: number) => number;
  /** The characters of a line without its terminator (`\n` or `\r\n`). */
  readonly spanOf: (line: number) => Span;
}

const lineStarts = (text: string): readonly number[] => {
  const starts = [0];
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  return starts;
};

const clamp = (value: number, low: number, high: number): number => Math.min(Math.max(value, low), high);

/** Index of the last element that is not greater than `value`; the first element is 0. */
const lastNotAfter = (starts: readonly number[], value: number): number => {
  let low = 0;
  let high = starts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((starts[middle] ?? 0) <= value) low = middle;
    else high = middle - 1;
  }
  return low;
};

/** Builds the index in one pass; each question then costs a binary search. */
export const lineIndex = (text: string): LineIndex => {
  const starts = lineStarts(text);
  const spanOf = (line: number): Span => {
    const at = clamp(line, 1, starts.length) - 1;
    const start = starts[at] ?? 0;
    const following = starts[at + 1];
    if (following === undefined) return { start, end: text.length };
    const newline = following - 1;
    return { start, end: newline > start && text.charCodeAt(newline - 1) === 13 ? newline - 1 : newline };
  };
  const positionOf = (offset: number): Position => {
    const inside = clamp(offset, 0, text.length);
    const at = lastNotAfter(starts, inside);
    return { line: at + 1, column: inside - (starts[at] ?? 0) };
  };
  return {
    lineCount: starts.length,
    lineOf: (offset) => positionOf(offset).line,
    positionOf,
    spanOf,
    offsetOf: (line, column) => {
      const { start, end } = spanOf(line);
      return clamp(start + Math.max(0, column), start, end);
    },
  };
};
