// SPDX-License-Identifier: GPL-2.0-only
import type { PatchLine } from "../../server/patch/model.ts";

const isBase64Line = (text: string): boolean => /^[A-Za-z0-9+/]{2,}={0,2}$/.test(text);

const lineAround = (document: string, at: number): { readonly start: number; readonly text: string } => {
  const start = document.lastIndexOf("\n", at - 1) + 1;
  const newline = document.indexOf("\n", at);
  return { start, text: document.slice(start, newline < 0 ? document.length : newline).replace(/\r$/, "") };
};

/** The bytes of the group of four characters that stands at an offset; every generated line consists of whole groups. */
const bytesOfGroup = (document: string, at: number): readonly number[] => {
  const { start } = lineAround(document, at);
  const from = at - ((at - start) % 4);
  return [...Buffer.from(document.slice(from, from + 4), "base64")];
};

/** True where the byte at an offset of the document, decoded, is (the first byte of) the unit. */
const isUnitAt = (document: string, at: number, unit: string): boolean => {
  const found = document[at];
  const bytes = [...Buffer.from(unit, "utf8")];
  if (found !== unit && isBase64Line(lineAround(document, at).text)) {
    const index = (at - lineAround(document, at).start) % 4;
    const byte = bytesOfGroup(document, at)[index];
    // Half of a surrogate pair has no bytes of its own, and latin1 has others than UTF-8.
    return byte === bytes[0] || (unit === " " && (byte === 10 || byte === 13)) || (unit > "\x7f" && (byte ?? 0) > 0x7f);
  }
  if (found === "=" && /^=[0-9A-Fa-f]{2}/.test(document.slice(at, at + 3))) {
    const byte = Number.parseInt(document.slice(at + 1, at + 3), 16);
    return byte === bytes[0] || (unit > "\x7f" && byte > 0x7f);
  }
  // A line that a mailer wrapped has its blank where the upper part ends.
  return found === unit || (unit === " " && found === "\u00a0") || (unit === " " && (found === "\n" || found === "\r" || found === undefined));
};

/** True where every unit of a line stands at its place, and the line is the one that holds the first. */
export const standsWhereItSays = (document: string, line: PatchLine, lineOf: (offset: number) => number): boolean => {
  const { text, start, places } = line;
  if (lineOf(start) !== line.line || text.includes("\n")) return false;
  if (places === null) return document.slice(start, start + text.length).replaceAll("\u00a0", " ") === text;
  if (places.length !== text.length + 1 || places[0] !== start) return false;
  for (let at = 0; at < text.length; at += 1) {
    if ((places[at] ?? 0) > (places[at + 1] ?? 0) || !isUnitAt(document, places[at] ?? 0, text[at] ?? "")) return false;
  }
  return true;
};
