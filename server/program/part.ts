// SPDX-License-Identifier: GPL-2.0-only
import { readFunctions } from "./read-code.ts";
import type { FunctionCode } from "./code.ts";

/** Offsets of a part of a text. */
interface Extent {
  readonly start: number;
  readonly end: number;
}

const DEFINE = /^[ \t]*#[ \t]*define\b(?:[^\n\\]|\\[^])*/gm;

/**
 * Reads some functions of a text and nothing else: the rest is blank for the parser, so that offsets stay what they
 * are and the cost is that of the functions. Macros stay. `parts` are in order and apart from each other.
 */
export function readPart(text: string, parts: readonly Extent[]): FunctionCode[] {
  const pieces: string[] = [];
  let at = 0;
  const keep = (start: number, end: number): void => {
    pieces.push(" ".repeat(start - at), text.slice(start, end));
    at = end;
  };
  const macros = (from: number, to: number): void => {
    for (const match of text.slice(from, to).matchAll(DEFINE)) {
      // A blank line end in front of it: a directive begins a line.
      const start = from + match.index;
      if (start > at) pieces.push(`${" ".repeat(start - at - 1)}\n`);
      pieces.push(`${match[0]}`);
      at = start + match[0].length;
      if (at < text.length) {
        pieces.push("\n");
        at++;
      }
    }
  };
  for (const { start, end } of parts) {
    if (start < at) continue;
    macros(at, start);
    keep(Math.max(start, at), end);
  }
  macros(at, text.length);
  return readFunctions(pieces.join(""));
}
