// SPDX-License-Identifier: GPL-2.0-only
import { displayWidth } from "./visible.ts";

export interface WrapOptions {
  /** Columns of the whole line, indentation included. At least 8. */
  readonly width: number;
  /** Before the first line. */
  readonly first?: string;
  /** Before every further line. */
  readonly rest?: string;
  /** How wide a text is, in the unit of `width`. Default: characters. */
  readonly measure?: (text: string) => number;
}

/** What closes stays with what it closes: such a rest of a word has no line of its own. */
const CLOSING = /^[)\]}?;,.:]*$/;
/** Longer rests than this are words. */
const LONGEST_CLOSING = 4;

/** Where to cut a word that starts at `from`: after punctuation of C or an underscore, else where the room ends. */
function cutAt(characters: readonly string[], from: number, room: number): number {
  const isLast = characters.length - from - room <= LONGEST_CLOSING;
  const rest = (at: number): string => characters.slice(at).join("");
  for (let at = from + room; at > from + room / 2; at--) {
    if (/[_(,;>&|=.\-/]/.test(characters[at - 1] ?? "") && !(isLast && CLOSING.test(rest(at)))) return at;
  }
  return from + room;
}

/** A word longer than a line, in pieces. */
function splitLongWord(word: string, room: number): string[] {
  const characters = [...word];
  const pieces: string[] = [];
  let from = 0;
  while (characters.length - from > room) {
    const cut = cutAt(characters, from, room);
    pieces.push(characters.slice(from, cut).join(""));
    from = cut;
  }
  pieces.push(characters.slice(from).join(""));
  return pieces;
}

/** Greedy filling at blanks. One line of text in, at least one line out. */
export function wrapText(text: string, options: WrapOptions): string[] {
  const first = options.first ?? "";
  const rest = options.rest ?? "";
  const width = Math.max(8, options.width);
  const lines: string[] = [];
  let line = "";
  const measure = options.measure ?? displayWidth;
  const roomOf = (count: number): number => Math.max(4, width - measure(count === 0 ? first : rest));
  for (const word of text.split(" ").filter((part) => part !== "")) {
    const joined = line === "" ? word : `${line} ${word}`;
    if (measure(joined) <= roomOf(lines.length)) {
      line = joined;
      continue;
    }
    if (line !== "") lines.push(line);
    // Wide characters, where the measure knows them, are two units.
    const unit = measure(word) > displayWidth(word) ? 2 : 1;
    const pieces = splitLongWord(word, Math.floor(Math.min(roomOf(0), roomOf(1)) / unit));
    lines.push(...pieces.slice(0, -1));
    line = pieces.at(-1) ?? "";
  }
  lines.push(line);
  return lines.map((content, index) => `${index === 0 ? first : rest}${content}`.trimEnd());
}
