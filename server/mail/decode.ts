// SPDX-License-Identifier: GPL-2.0-only
import type { TextLine } from "../text/lines.ts";
import type { Problem } from "../text/problem.ts";
import { decodeBase64, isBase64 } from "./base64.ts";
import type { Charset } from "./charset.ts";
import { charsetOf } from "./charset.ts";
import { createLineBuilder } from "./line-builder.ts";
import { decodeQuotedPrintable, signsOfEncoding } from "./quoted-printable.ts";

/** Lines as they were before they were encoded. */
export interface DecodedLines {
  readonly lines: readonly TextLine[];
  readonly problems: readonly Problem[];
}

const asTheyAre = (lines: readonly TextLine[], problems: readonly Problem[] = []): DecodedLines => ({ lines, problems });

const problemAt = (code: string, message: string, lines: readonly TextLine[]): Problem => ({ code, message, line: lines[0]?.line ?? null });

const damaged = (encoding: string, line: number | null): readonly Problem[] =>
  line === null ? [] : [{ code: "encoding-damaged", message: `this line is not proper ${encoding}; what could be decoded was`, line }];

const doubtful = (charset: Charset, label: string | null, lines: readonly TextLine[]): readonly Problem[] =>
  charset.hasFailed() ? [problemAt("charset-doubtful", `not all of the text is ${label ?? "UTF-8"}; the rest was read as latin1`, lines)] : [];

const notUsed = (encoding: string, lines: readonly TextLine[]): DecodedLines =>
  asTheyAre(lines, [problemAt("encoding-not-used", `the mail says that it is ${encoding}, but its lines are not`, lines)]);

/**
 * Some tools decode a body but keep the field that says it is encoded. C has far more bare equals signs than anything that
 * looks like an escape.
 */
const isQuotedPrintable = (lines: readonly TextLine[]): boolean => {
  const signs = signsOfEncoding(lines);
  return signs.bare <= signs.escapes + signs.softBreaks;
};

/** Quoted-printable of which no field is left: escaped equals signs, encoded ends of lines, and hardly a bare equals sign. */
const isUndeclared = (lines: readonly TextLine[]): boolean => {
  if (sizeOf(lines) > mostDecoded) return false;
  if (!lines.some((line) => line.text.includes("=3D"))) return false;
  const { equals, lineEnds, escapes, softBreaks, bare } = signsOfEncoding(lines);
  return equals > 0 && lineEnds >= 2 && bare * 10 <= escapes + softBreaks;
};

const fromQuotedPrintable = (lines: readonly TextLine[], label: string | null, more: readonly Problem[]): DecodedLines => {
  const charset = charsetOf(label);
  const decoded = decodeQuotedPrintable(lines, charset);
  return { lines: decoded.lines, problems: [...more, ...damaged("quoted-printable", decoded.bad), ...doubtful(charset, label, lines)] };
};

const fromBase64 = (lines: readonly TextLine[], label: string | null): DecodedLines => {
  const charset = charsetOf(label);
  const decoded = decodeBase64(lines, charset);
  return { lines: decoded.lines, problems: [...damaged("base64", decoded.bad), ...doubtful(charset, label, lines)] };
};

const beyondAscii = /[^\0-\x7f]/;
const beyondLatin1 = /[^\0-\xff]/;

/**
 * A document that is not UTF-8 was read as latin1, so its characters are bytes of the declared charset. Where they are no
 * text in it, they stay as the user sees them.
 */
const fromBytes = (lines: readonly TextLine[], label: string | null): DecodedLines => {
  const foreign = lines.filter((line) => beyondAscii.test(line.text));
  if (foreign.length === 0 || sizeOf(lines) > mostDecoded || foreign.some((line) => beyondLatin1.test(line.text))) return asTheyAre(lines);
  const charset = charsetOf(label);
  const builder = createLineBuilder(charset);
  for (const line of lines) {
    if (!beyondAscii.test(line.text)) {
      builder.lines.push(line);
      continue;
    }
    builder.enter(line);
    for (let at = 0; at < line.text.length; at += 1) builder.putByte(line.text.charCodeAt(at), line.start + at);
    builder.endLine(line.start + line.text.length);
  }
  return asTheyAre(charset.hasFailed() ? lines : builder.lines);
};

/** Encodings of files, of which no line reads as text. Any other name is taken for a slip of the mailer. */
const notText = /^(?:x-)?(?:uuencode|uue|yenc|binhex|mac-binhex40)$/;

/**
 * Characters of a body that are decoded. The places of decoded characters take about twenty times the memory of the text,
 * and lists refuse mails of a tenth of this.
 */
const mostDecoded = 8 * 1024 * 1024;

const sizeOf = (lines: readonly TextLine[]): number => (lines.at(-1)?.start ?? 0) - (lines[0]?.start ?? 0);

/** Undoes a transfer encoding and a charset. What is no text in them stays as it is, and is told. */
export const decodeLines = (lines: readonly TextLine[], encoding: string | null, label: string | null): DecodedLines => {
  const name = (encoding ?? "").replace(/[\s;"].*$/s, "");
  const isEncoded = name === "quoted-printable" || name === "base64";
  if (isEncoded && sizeOf(lines) > mostDecoded) {
    return asTheyAre(lines, [problemAt("encoded-body", `the body is ${name} and too large to be decoded`, lines)]);
  }
  if (name === "quoted-printable") return isQuotedPrintable(lines) ? fromQuotedPrintable(lines, label, []) : notUsed(name, lines);
  if (name === "base64") return isBase64(lines) ? fromBase64(lines, label) : notUsed(name, lines);
  if (isUndeclared(lines)) {
    const note = problemAt("encoding-undeclared", "the text is quoted-printable although nothing says so; it was decoded", lines);
    return fromQuotedPrintable(lines, label, [note]);
  }
  if (notText.test(name)) return asTheyAre(lines, [problemAt("encoded-body", `the body is ${name} and was not decoded`, lines)]);
  return fromBytes(lines, label);
};
