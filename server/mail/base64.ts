// SPDX-License-Identifier: GPL-2.0-only
import type { TextLine } from "../text/lines.ts";
import type { Charset } from "./charset.ts";
import { createLineBuilder } from "./line-builder.ts";
import type { LineBuilder } from "./line-builder.ts";

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const none = 255;
const values = new Uint8Array(128).fill(none);
for (let at = 0; at < alphabet.length; at += 1) values[alphabet.charCodeAt(at)] = at;

const valueOf = (code: number): number => (code < 128 ? (values[code] ?? none) : none);
const padding = 61;
const newline = 10;

/** A group of four characters that stands for three bytes. Each byte has the place of the character where its bits begin. */
interface Group {
  bits: number;
  length: number;
  /** Place of the character before the present one. */
  before: number;
}

const put = (builder: LineBuilder, byte: number, at: number): void => {
  if (byte === newline) builder.endLine(at);
  else builder.putByte(byte, at);
};

const putCharacter = (builder: LineBuilder, group: Group, value: number, at: number): void => {
  if (group.length === 1) put(builder, ((group.bits << 2) | (value >> 4)) & 255, group.before);
  if (group.length === 2) put(builder, ((group.bits << 4) | (value >> 2)) & 255, group.before);
  if (group.length === 3) put(builder, ((group.bits << 6) | value) & 255, group.before);
  group.bits = value;
  group.before = at;
  group.length = (group.length + 1) % 4;
};

/** How a line of a body fits base64: `damaged` lines have a few characters that it has not. */
type Look = "data" | "damaged" | "text";

const lookOf = (text: string): Look => {
  const data = text.trimEnd();
  let wrong = 0;
  for (let at = 0; at < data.length; at += 1) {
    const code = data.charCodeAt(at);
    if (valueOf(code) === none && !(code === padding && at >= data.length - 2)) wrong += 1;
  }
  if (wrong === 0) return "data";
  return wrong * 20 <= data.length && !data.includes(" ") ? "damaged" : "text";
};

/** True where lines are indeed base64: some tools decode a body but keep the field that says it is encoded. */
export const isBase64 = (lines: readonly TextLine[]): boolean => {
  const filled: string[] = [];
  for (const { text } of lines) {
    if (text.trim() !== "") filled.push(text);
    if (filled.length === 5) break;
  }
  const first = (filled[0] ?? "").trim();
  if (first.length < 4 || lookOf(first) === "text") return false;
  // A word alone on its line has the same letters.
  return first.length >= 16 || filled.every((text) => lookOf(text) !== "text");
};

/** Lists add their footer to an encoded body as it is. Padding ends the data, so what follows must look like more of it. */
const isFooter = (text: string, isPadded: boolean): boolean => {
  const data = text.trim();
  return lookOf(text) === "text" || (isPadded && data !== "" && (data.length < 16 || data.length % 4 !== 0));
};

/**
 * Decodes the lines of a base64 body, up to the first that cannot be base64; those after it stay as they are. `bad` is the
 * first line with characters that base64 has not, or that ends in the middle of a group; null where there is none.
 */
export const decodeBase64 = (
  lines: readonly TextLine[], charset: Charset,
): { readonly lines: readonly TextLine[]; readonly bad: number | null } => {
  const builder = createLineBuilder(charset);
  const group: Group = { bits: 0, length: 0, before: 0 };
  let bad: number | null = null;
  let isPadded = false;
  let next = 0;
  let end = 0;
  for (let line = lines[0]; line !== undefined && !isFooter(line.text, isPadded); line = lines[next]) {
    next += 1;
    const { text, start } = line;
    if (text.trim() === "") continue;
    builder.enter(line);
    if (lookOf(text) === "damaged") bad ??= line.line;
    for (let at = 0; at < text.length; at += 1) {
      const code = text.charCodeAt(at);
      const value = valueOf(code);
      if (value !== none) putCharacter(builder, group, value, start + at);
      if (code === padding) group.length = 0;
    }
    isPadded ||= text.includes("=");
    end = start + text.length;
  }
  // Empty lines set a footer off from the text.
  while (next > 0 && next < lines.length && lines[next - 1]?.text.trim() === "") next -= 1;
  if (group.length === 1) bad ??= lines[next - 1]?.line ?? null;
  if (!builder.isEmpty()) builder.endLine(end);
  return { lines: [...builder.lines, ...lines.slice(next)], bad };
};
