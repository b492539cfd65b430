// SPDX-License-Identifier: GPL-2.0-only

/**
 * Where the characters of a decoded line stand in the document: one logical line can be spread over several lines of the
 * document (a soft break of quoted-printable, base64).
 */
export interface LineMap {
  /** Offset in the document of each UTF-16 unit of the text, and one more for its end. Never descends. */
  readonly places: Int32Array;
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
  const places = map.places.subarray(count);
  const start = places[0] ?? line.start;
  const passed = map.breaks.filter((at) => at <= start).length;
  return { line: line.line + passed, start, text, map: { places, breaks: map.breaks.slice(passed) } };
};

const placesOf = ({ start, text, map }: TextLine): Int32Array => map?.places ?? Int32Array.from({ length: text.length + 1 }, (_, at) => start + at);

/**
 * One line from a line and the rest of it, which stands further down. `glue` is what to put between: it gets the place
 * where the upper line ends.
 */
export const joinLines = (upper: TextLine, lower: TextLine, glue: "" | " "): TextLine => {
  const above = placesOf(upper);
  const below = placesOf(lower);
  const places = new Int32Array(upper.text.length + glue.length + below.length);
  places.set(above.subarray(0, upper.text.length + glue.length));
  places.set(below, upper.text.length + glue.length);
  const breaks = [...(upper.map?.breaks ?? []), lower.start, ...(lower.map?.breaks ?? [])];
  return { line: upper.line, start: upper.start, text: upper.text + glue + lower.text, map: { places, breaks } };
};
