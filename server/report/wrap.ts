// SPDX-License-Identifier: GPL-2.0-only
import { displayWidth } from "./visible.ts";

export interface WrapOptions {
  /** Columns of the whole line, indentation included. At least 8. */
  readonly width: number;
  /** Before the first line. */
  readonly first?: string;
  /** Before every further line. */
  readonly rest?: string;
  /** A single word may reach up to this column before it is cut. Default: `width`. */
  readonly wordWidth?: number;
}

/** A word longer than a line, cut after punctuation of C where possible. */
function splitLongWord(word: string, room: number): string[] {
  const pieces: string[] = [];
  let characters = [...word];
  while (characters.length > room) {
    let cut = room;
    for (let at = room; at > room / 2; at--) {
      if (/[_(,;>&|=.\-/]/.test(characters[at - 1] ?? "")) {
        cut = at;
        break;
      }
    }
    pieces.push(characters.slice(0, cut).join(""));
    characters = characters.slice(cut);
  }
  pieces.push(characters.join(""));
  return pieces;
}

/** Greedy filling at blanks. One line of text in, at least one line out. */
export function wrapText(text: string, options: WrapOptions): string[] {
  const first = options.first ?? "";
  const rest = options.rest ?? "";
  const width = Math.max(8, options.width);
  const lines: string[] = [];
  let line = "";
  const wordWidth = Math.max(width, options.wordWidth ?? width);
  const roomOf = (count: number, columns: number): number =>
    Math.max(4, columns - displayWidth(count === 0 ? first : rest));
  for (const word of text.split(" ").filter((part) => part !== "")) {
    const joined = line === "" ? word : `${line} ${word}`;
    if (displayWidth(joined) <= roomOf(lines.length, width)) {
      line = joined;
      continue;
    }
    if (line !== "") lines.push(line);
    const pieces = splitLongWord(word, Math.min(roomOf(0, wordWidth), roomOf(1, wordWidth)));
    lines.push(...pieces.slice(0, -1));
    line = pieces.at(-1) ?? "";
  }
  lines.push(line);
  return lines.map((content, index) => `${index === 0 ? first : rest}${content}`.trimEnd());
}
