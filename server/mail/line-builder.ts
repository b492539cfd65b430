// SPDX-License-Identifier: GPL-2.0-only
import type { TextLine } from "../text/lines.ts";
import type { Charset, DecodedText } from "./charset.ts";

/** Puts decoded lines together, byte by byte, and keeps where each byte comes from. */
export interface LineBuilder {
  readonly lines: TextLine[];
  /** To be called with each line of the document from which bytes come. */
  readonly enter: (line: TextLine) => void;
  /** True where no line is open. */
  readonly isEmpty: () => boolean;
  /** A byte that was encoded at the offset `at` of the document. */
  readonly putByte: (byte: number, at: number) => void;
  /** A character that the document has as it is. */
  readonly putUnit: (unit: number, at: number) => void;
  /** Ends the open line; `at` is the place of what ended it. */
  readonly endLine: (at: number) => void;
}

const escape = 27;
const carriageReturn = 13;
const utf16 = new TextDecoder("utf-16le", { ignoreBOM: true });

/** Shared by the many lines that reach no further line of the document. */
const noBreaks: number[] = [];
const longestCall = 4096;

/** Made by the decoder, every character of a text takes two bytes; made this way, one where that will do. */
const textOf = (units: Uint16Array): string =>
  units.length <= longestCall ? String.fromCharCode.apply(null, units as unknown as number[]) : utf16.decode(units);

/** The units of the open line and the offsets they come from, in arrays that grow. */
interface Open {
  units: Uint16Array;
  places: Int32Array;
  /** 1 for a unit that is an encoded byte. */
  encoded: Uint8Array;
  length: number;
  line: number;
  breaks: number[];
  needsCharset: boolean;
}

const grow = (open: Open): void => {
  const [units, places, encoded] = [open.units, open.places, open.encoded];
  open.units = new Uint16Array(units.length * 2);
  open.places = new Int32Array(units.length * 2);
  open.encoded = new Uint8Array(units.length * 2);
  open.units.set(units);
  open.places.set(places);
  open.encoded.set(encoded);
};

/** The line as text, and where its units begin. Characters that the document has as they are split the bytes into runs. */
const decodeOpen = (open: Open, charset: Charset): DecodedText => {
  const pieces: string[] = [];
  const from: number[] = [];
  for (let start = 0; start < open.length; ) {
    const isLiteral = (at: number): boolean => open.encoded[at] === 0 && (open.units[at] ?? 0) > 127;
    const literal = isLiteral(start);
    let end = start + 1;
    while (end < open.length && isLiteral(end) === literal) end += 1;
    const units = open.units.subarray(start, end);
    const piece = literal ? { text: utf16.decode(units), from: Int32Array.from(units, (_, at) => at) } : charset.decode(Uint8Array.from(units));
    pieces.push(piece.text);
    for (const at of piece.from) from.push(start + at);
    start = end;
  }
  return { text: pieces.join(""), from: Int32Array.from(from) };
};

/** A large array that lines get their parts of: an array of its own costs a short line several times its text. */
interface Pool {
  chunk: Int32Array;
  used: number;
}

const chunkLength = 1 << 14;

/** Finds room for the places of a line, and returns where it begins in `pool.chunk`. */
const takeFrom = (pool: Pool, length: number): number => {
  if (pool.used + length > pool.chunk.length) {
    pool.chunk = new Int32Array(Math.max(chunkLength, length));
    pool.used = 0;
  }
  pool.used += length;
  return pool.used - length;
};

/** Keeps the places of a line in the pool. `units`: for each unit of the text, its index in the open line; null where they are the same. */
const keepPlaces = (open: Open, units: Int32Array | null, end: number, pool: Pool): number => {
  const length = units?.length ?? open.length;
  const from = takeFrom(pool, length + 1);
  for (let at = 0; at < length; at += 1) pool.chunk[from + at] = open.places[units === null ? at : (units[at] ?? 0)] ?? end;
  pool.chunk[from + length] = end;
  return from;
};

/** A builder of lines whose bytes are text of `charset`. */
export const createLineBuilder = (charset: Charset): LineBuilder => {
  const lines: TextLine[] = [];
  const open: Open = {
    units: new Uint16Array(128), places: new Int32Array(128), encoded: new Uint8Array(128),
    length: 0, line: 0, breaks: noBreaks, needsCharset: false,
  };
  const pool: Pool = { chunk: new Int32Array(0), used: 0 };
  let current = 0;
  const put = (unit: number, at: number, encoded: 0 | 1): void => {
    if (open.length === open.units.length) grow(open);
    if (open.length === 0) open.line = current;
    open.units[open.length] = unit;
    open.places[open.length] = at;
    open.encoded[open.length] = encoded;
    open.length += 1;
    open.needsCharset ||= encoded === 1 && (unit > 127 || unit === escape);
  };
  const endLine = (at: number): void => {
    if (open.length === 0) open.line = current;
    const ends = open.length > 0 && open.units[open.length - 1] === carriageReturn;
    const end = ends ? (open.places[open.length - 1] ?? at) : at;
    if (ends) open.length -= 1;
    const decoded = open.needsCharset ? decodeOpen(open, charset) : null;
    const text = decoded === null ? textOf(open.units.subarray(0, open.length)) : decoded.text;
    const from = keepPlaces(open, decoded?.from ?? null, end, pool);
    lines.push({ line: open.line, start: pool.chunk[from] ?? end, text, map: { offsets: pool.chunk, from, breaks: open.breaks } });
    open.length = 0;
    open.breaks = noBreaks;
    open.needsCharset = false;
  };
  return {
    lines,
    enter: (line) => {
      current = line.line;
      if (open.length === 0) return;
      if (open.breaks === noBreaks) open.breaks = [];
      open.breaks.push(line.start);
    },
    isEmpty: () => open.length === 0,
    putByte: (byte, at) => put(byte, at, 1),
    putUnit: (unit, at) => put(unit, at, 0),
    endLine,
  };
};
