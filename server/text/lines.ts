// SPDX-License-Identifier: GPL-2.0-only

/** One line of a document, without its terminator. */
export interface TextLine {
  /** 1-based line of the document. */
  readonly line: number;
  /** UTF-16 offset of the first character. */
  readonly start: number;
  /** The characters up to, and without, `\n` or `\r\n`. */
  readonly text: string;
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
    lines.push({ line, start, text: text.slice(start, end) });
    start = next + 1;
    line += 1;
  }
  return lines;
};
