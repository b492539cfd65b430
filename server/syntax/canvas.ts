// SPDX-License-Identifier: GPL-2.0-only
import type { Mask } from "./tree.ts";

/** A copy of a text that can be written over, but not lengthened, with the record of why. */
export interface Canvas {
  /** Turns [start, end) into spaces; tabs and line ends stay. */
  readonly blank: (start: number, end: number) => void;
  /** Writes over what is there. The string holds no line end and covers none. */
  readonly write: (start: number, characters: string) => void;
  readonly note: (mask: Mask) => void;
  readonly done: () => Overlay;
}

/** What the parser sees instead of a text. */
export interface Overlay {
  /** As long as the original, with its line ends at the same offsets. */
  readonly text: string;
  /** By rising offset; together they cover every difference from the original. They may nest. */
  readonly masks: readonly Mask[];
}

const space = 32;

export function newCanvas(text: string): Canvas {
  const masks: Mask[] = [];
  const edits: { readonly start: number; readonly end: number; readonly characters: string | null }[] = [];
  return {
    blank: (start, end) => {
      edits.push({ start, end, characters: null });
    },
    write: (start, characters) => {
      edits.push({ start, end: start + characters.length, characters });
    },
    note: (mask) => {
      masks.push(mask);
    },
    done: () => {
      masks.sort((left, right) => left.start - right.start || right.end - left.end);
      return { text: edits.length === 0 ? text : painted(text, edits), masks };
    },
  };
}

function painted(
  text: string,
  edits: readonly { readonly start: number; readonly end: number; readonly characters: string | null }[],
): string {
  const bytes = Buffer.from(text, "utf16le");
  const units = new Uint16Array(bytes.buffer, bytes.byteOffset, text.length);
  for (const { start, end, characters } of edits) {
    for (let at = start; at < end; at++) {
      if (characters !== null) units[at] = characters.charCodeAt(at - start);
      else if (!isLayout(units[at] ?? 0)) units[at] = space;
    }
  }
  return bytes.toString("utf16le");
}

function isLayout(code: number): boolean {
  return code === 9 || code === 10 || code === 13;
}
