// SPDX-License-Identifier: GPL-2.0-only

/**
 * Where the characters of a decoded line stand in the document: one logical line can be spread over several lines of the
 * document (a soft break of quoted-printable, base64).
 */
export interface LineMap {
  /**
   * From index `from` on: the offset in the document of each UTF-16 unit of the text, and one more for its end. Never
   * descends. Many lines share an array, since one of their own would cost them several times their text.
   */
  readonly offsets: Int32Array;
  readonly from: number;
  /** For each further line of the document that the text reaches, the offset at which it (or its part of the text) begins; ascending. */
  readonly breaks: readonly number[];
}

/** One line of a document, without its terminator. */
export interface TextLine {
  /** 1-based line of the document that holds the first character. */
  readonly line: number;
  /** UTF-16 offset in the document of the first character. */
  readonly start: number;
  /** The characters up to, and without, `\n` or `\r\n`. */
  readonly text: string;
  /** Null where the text stands in the document as it is, so that `start + i` is the place of `text[i]`. */
  readonly map: LineMap | null;
}

const byteOrderMark = "\uFEFF";

/**
 * Splits `text` into lines. Only `\n` ends a line (as for git); one `\r` before it belongs to the terminator.
 * A terminator at the very end opens no further line. A byte order mark is left out of the first line's text.
 */
export const splitLines = (text: string, firstLine = 1): TextLine[] => {
  const lines: TextLine[] = [];
  let start = text.startsWith(byteOrderMark) ? 1 : 0;
  let line = firstLine;
  while (start < text.length) {
    const newline = text.indexOf("\n", start);
    const next = newline < 0 ? text.length : newline;
    const end = next > start && text.charCodeAt(next - 1) === 13 ? next - 1 : next;
    lines.push({ line, start, text: text.slice(start, end), map: null });
    start = next + 1;
    line += 1;
  }
  return lines;
};

/** Document line of the end of a line. */
export const lastLineOf = (line: TextLine): number => line.line + (line.map?.breaks.length ?? 0);

/** The line without its first `count` characters. */
export const withoutFirst = (line: TextLine, count: number): TextLine => {
  const { map } = line;
  if (count === 0) return line;
  const text = line.text.slice(count);
  if (map === null) return { line: line.line, start: line.start + count, text, map };
  const from = map.from + count;
  const start = map.offsets[from] ?? line.start;
  let passed = 0;
  while (passed < map.breaks.length && (map.breaks[passed] ?? 0) <= start) passed += 1;
  return { line: line.line + passed, start, text, map: { offsets: map.offsets, from, breaks: passed === 0 ? map.breaks : map.breaks.slice(passed) } };
};

/** Offsets of the units of a line and of its end; null where the text stands in the document as it is. */
export const placesOf = ({ text, map }: TextLine): Int32Array | null => map?.offsets.subarray(map.from, map.from + text.length + 1) ?? null;

/** Copies the places of a line, without that of its end, into `into`. */
const copyPlaces = ({ start, text, map }: TextLine, into: Int32Array, from: number): void => {
  if (map !== null) into.set(map.offsets.subarray(map.from, map.from + text.length), from);
  else for (let at = 0; at < text.length; at += 1) into[from + at] = start + at;
};

const endOf = ({ start, text, map }: TextLine): number => (map === null ? start + text.length : (map.offsets[map.from + text.length] ?? start));

/**
 * One line from a line that a mailer broke at blanks, and the rest of it. Where no blank is left at a break, one is put
 * there; its place is the end of the upper line.
 */
export const joinLines = (first: TextLine, rest: readonly TextLine[]): TextLine => {
  if (rest.length === 0) return first;
  const lines = [first, ...rest];
  const pieces = lines.map((line, at) => (at + 1 === lines.length || /[ \t]$/.test(line.text) ? line.text : `${line.text} `));
  const text = pieces.join("");
  const places = new Int32Array(text.length + 1);
  const breaks: number[] = [];
  let length = 0;
  for (const [at, line] of lines.entries()) {
    copyPlaces(line, places, length);
    if (at > 0) breaks.push(line.start);
    for (const each of line.map?.breaks ?? []) breaks.push(each);
    length += pieces[at]?.length ?? 0;
    if ((pieces[at]?.length ?? 0) > line.text.length) places[length - 1] = endOf(line);
  }
  places[length] = endOf(lines.at(-1) ?? first);
  return { line: first.line, start: first.start, text, map: { offsets: places, from: 0, breaks } };
};
