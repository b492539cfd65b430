// SPDX-License-Identifier: GPL-2.0-only
import type { TextLine } from "../text/lines.ts";
import type { Charset } from "./charset.ts";
import { createLineBuilder } from "./line-builder.ts";
import type { LineBuilder } from "./line-builder.ts";

const equals = 61;
/** Encoders fill a line up to 76 characters, but not all of them inside a word. */
const shortestBroken = 60;

const digit = (code: number): number => {
  if (code >= 48 && code <= 57) return code - 48;
  if (code >= 65 && code <= 70) return code - 55;
  return code >= 97 && code <= 102 ? code - 87 : -1;
};

/** The byte that `=XX` at `at` stands for, or -1. */
const byteAt = (text: string, at: number): number => {
  const high = digit(text.charCodeAt(at + 1));
  const low = digit(text.charCodeAt(at + 2));
  return high < 0 || low < 0 ? -1 : high * 16 + low;
};

/** Signs for and against lines being quoted-printable. */
export interface EncodingSigns {
  /** `=XX` */
  readonly escapes: number;
  /** `=3D` */
  readonly equals: number;
  readonly softBreaks: number;
  /** Lines that end in `=20`, or that are long and end in `=`: an encoder breaks no short ones. */
  readonly lineEnds: number;
  /** `=` with something else behind it. */
  readonly bare: number;
}

/** Counts what quoted-printable would have written, and what it never would. */
export const signsOfEncoding = (lines: readonly TextLine[]): EncodingSigns => {
  let [escapes, escapedEquals, softBreaks, lineEnds, bare] = [0, 0, 0, 0, 0];
  for (const { text } of lines) {
    for (let at = text.indexOf("="); at >= 0; at = text.indexOf("=", at + 1)) {
      const byte = byteAt(text, at);
      const isLast = at + 1 === text.length;
      if (byte === equals) escapedEquals += 1;
      if ((byte === 32 && at + 3 === text.length) || (isLast && text.length >= shortestBroken)) lineEnds += 1;
      if (byte >= 0) escapes += 1;
      else if (isLast) softBreaks += 1;
      else bare += 1;
    }
  }
  return { escapes, equals: escapedEquals, softBreaks, lineEnds, bare };
};

/** Takes one line; returns false where it goes on in the next one. */
const putLine = (builder: LineBuilder, { text, start }: TextLine, bad: () => void): boolean => {
  // Blanks behind a soft break were added on the way.
  const last = text.trimEnd().length - 1;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    const byte = code === equals ? byteAt(text, at) : -1;
    if (byte === 10) builder.endLine(start + at);
    else if (byte >= 0) builder.putByte(byte, start + at);
    else if (code === equals && at === last) return false;
    else {
      if (code === equals) bad();
      builder.putUnit(code, start + at);
    }
    if (byte >= 0) at += 2;
  }
  return true;
};

/** Decodes the lines of a quoted-printable body. `bad` is the line of the first `=` that escapes nothing, or null. */
export const decodeQuotedPrintable = (
  lines: readonly TextLine[], charset: Charset,
): { readonly lines: readonly TextLine[]; readonly bad: number | null } => {
  const builder = createLineBuilder(charset);
  let bad: number | null = null;
  for (const line of lines) {
    if (builder.isEmpty() && !line.text.includes("=")) {
      builder.lines.push(line);
      continue;
    }
    builder.enter(line);
    const isEnd = putLine(builder, line, () => (bad ??= line.line));
    if (isEnd) builder.endLine(line.start + line.text.length);
  }
  const last = lines.at(-1);
  if (!builder.isEmpty() && last !== undefined) builder.endLine(last.start + last.text.length);
  return { lines: builder.lines, bad };
};
