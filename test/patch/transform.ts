// SPDX-License-Identifier: GPL-2.0-only
import { stripWhiteSpace } from "./sample.ts";

/** What mailers, archives and reviewers do to a mail. The text has `\n` at the end of every line. */
export interface Transformation {
  readonly name: string;
  readonly apply: (mail: string) => string;
  /** True where runs of white space may change. */
  readonly losesBlanks: boolean;
  /** Problems that may be reported, and nothing else. */
  readonly mayReport: readonly string[];
  /** Those of them that must be where the text changed. */
  readonly mustReport: readonly string[];
}

const split = (mail: string): { readonly head: string; readonly body: string } => {
  const at = mail.indexOf("\n\n");
  return { head: mail.slice(0, at + 1), body: mail.slice(at + 2) };
};

const withFields = (mail: string, fields: string, body: string): string =>
  `${split(mail).head}MIME-Version: 1.0\n${fields}\n${body}`;

const utf8 = "Content-Type: text/plain; charset=utf-8\n";

const hex = (byte: number): string => `=${byte.toString(16).toUpperCase().padStart(2, "0")}`;

const quotedPrintableLine = (line: string): string => {
  const pieces = [...Buffer.from(line, "utf8")].map((byte, at, all) =>
    byte === 61 || byte > 126 || (byte < 32 && byte !== 9) || (at === all.length - 1 && (byte === 32 || byte === 9)) ? hex(byte) : String.fromCharCode(byte));
  let [out, width] = ["", 0];
  for (const piece of pieces) {
    if (width + piece.length > 75) [out, width] = [`${out}=\n`, 0];
    out += piece;
    width += piece.length;
  }
  return out;
};

export const quotedPrintable = (body: string): string => body.split("\n").map(quotedPrintableLine).join("\n");

export const base64 = (body: string): string => `${(Buffer.from(body, "utf8").toString("base64").match(/.{1,76}/g) ?? []).join("\n")}\n`;

/** Breaks lines at the last blank before `width`; `keepsBlank` leaves it at the end, as flowed text does. */
export const wrap = (line: string, width: number, keepsBlank: boolean): string[] => {
  const out: string[] = [];
  let rest = line;
  while (rest.length > width) {
    const at = rest.lastIndexOf(" ", width);
    if (at <= 1 || rest.slice(0, at).trim() === "") break;
    out.push(rest.slice(0, keepsBlank ? at + 1 : at));
    rest = rest.slice(at + 1);
  }
  return [...out, rest];
};

const isCode = (line: string): boolean => /^[-+ ]/.test(line) && !/^(?:--- |\+\+\+ |-- $)/.test(line);

const wrapBody = (body: string, keepsBlank: boolean): string =>
  body.split("\n").flatMap((line) => (isCode(line) ? wrap(line, 72, keepsBlank) : [line])).join("\n");

const stuffed = (body: string): string => body.replace(/^(?= |>|From )/gm, " ");

/** Quotes the body; every seventh line of the diff gets a remark, at one of the depths above. */
export const quoteWithRemarks = (mail: string, depth: number): string => {
  const { head, body } = split(mail);
  const mark = (level: number): string => "> ".repeat(level);
  const lines = body.trimEnd().split("\n").flatMap((line, at) => {
    const quoted = `${mark(depth)}${line}`;
    const level = at % depth;
    // A remark has empty lines around it.
    return at % 7 === 6 ? [quoted, mark(level).trimEnd(), `${mark(level)}Is the lock of number ${at} held here, and by whom?`, mark(level).trimEnd()] : [quoted];
  });
  return `${head.replace(/^Subject: /m, "Subject: Re: ")}\nOn Friday, Example Developer wrote:\n${lines.join("\n")}\n\nThanks.\n`;
};

const wrapped = (mail: string): string => `${split(mail).head}\n${wrapBody(split(mail).body, false)}`;

const encoded = (mail: string, name: string, encode: (body: string) => string): string =>
  withFields(mail, `${utf8}Content-Transfer-Encoding: ${name}\n`, encode(split(mail).body));

const crlfPerLine = (mail: string): string => mail.split("\n").map((line, at) => (at % 3 === 0 ? `${line}\r` : line)).join("\n");

const plain = { losesBlanks: false, mayReport: [], mustReport: [] };
const tails = { losesBlanks: true, mayReport: ["wrapped-line", "marker-doubtful"], mustReport: ["wrapped-line"] };

export const transformations: readonly Transformation[] = [
  { name: "quoted-printable", ...plain, apply: (mail) => encoded(mail, "quoted-printable", quotedPrintable) },
  { name: "base64", ...plain, apply: (mail) => encoded(mail, "base64", base64) },
  { name: "base64 with CRLF", ...plain, apply: (mail) => encoded(mail, "base64", (body) => base64(body.replaceAll("\n", "\r\n"))).replaceAll("\n", "\r\n") },
  { name: "flowed", ...tails, losesBlanks: false, apply: (mail) => withFields(mail, "Content-Type: text/plain; format=flowed\n", stuffed(wrapBody(split(mail).body, true))) },
  { name: "CRLF", ...plain, apply: (mail) => mail.replaceAll("\n", "\r\n") },
  { name: "CRLF in places", ...plain, apply: crlfPerLine },
  ...[1, 2, 3].map((depth): Transformation => ({ name: `quoted at depth ${depth}`, ...plain, apply: (mail) => quoteWithRemarks(mail, depth) })),
  { name: "white space stripped", losesBlanks: true, mayReport: ["whitespace-lost", "marker-doubtful", "hunk-count-mismatch"], mustReport: ["whitespace-lost"], apply: stripWhiteSpace },
  { name: "blank context trimmed", ...plain, apply: (mail) => mail.replaceAll(/^ $/gm, "") },
  { name: "wrapped", ...tails, apply: wrapped },
  { name: "wrapped, then base64", ...tails, apply: (mail) => encoded(wrapped(mail), "base64", base64) },
  { name: "quoted, then quoted-printable", ...plain, apply: (mail) => encoded(quoteWithRemarks(mail, 2), "quoted-printable", quotedPrintable) },
];
