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

const placesOf = (open: Open, from: Int32Array, end: number): Int32Array => {
  const places = new Int32Array(from.length + 1);
  for (let at = 0; at < from.length; at += 1) places[at] = open.places[from[at] ?? 0] ?? end;
  places[from.length] = end;
  return places;
};

const withEnd = (open: Open, end: number): Int32Array => {
  const places = new Int32Array(open.length + 1);
  places.set(open.places.subarray(0, open.length));
  places[open.length] = end;
  return places;
};

/** A builder of lines whose bytes are text of `charset`. */
export const createLineBuilder = (charset: Charset): LineBuilder => {
  const lines: TextLine[] = [];
  const open: Open = {
    units: new Uint16Array(128), places: new Int32Array(128), encoded: new Uint8Array(128),
    length: 0, line: 0, breaks: [], needsCharset: false,
  };
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
    const text = decoded === null ? utf16.decode(open.units.subarray(0, open.length)) : decoded.text;
    const places = decoded === null ? withEnd(open, end) : placesOf(open, decoded.from, end);
    lines.push({ line: open.line, start: places[0] ?? end, text, map: { places, breaks: open.breaks } });
    open.length = 0;
    open.breaks = [];
    open.needsCharset = false;
  };
  return {
    lines,
    enter: (line) => {
      current = line.line;
      if (open.length > 0) open.breaks.push(line.start);
    },
    isEmpty: () => open.length === 0,
    putByte: (byte, at) => put(byte, at, 1),
    putUnit: (unit, at) => put(unit, at, 0),
    endLine,
  };
};
