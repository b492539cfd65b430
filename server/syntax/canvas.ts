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
  let bytes: Buffer | undefined;
  let units: Uint16Array = new Uint16Array(0);
  // Plain C needs no copy at all.
  const open = (): Uint16Array => {
    if (bytes === undefined) {
      bytes = Buffer.from(text, "utf16le");
      units = new Uint16Array(bytes.buffer, bytes.byteOffset, text.length);
    }
    return units;
  };
  return {
    blank: (start, end) => {
      const paper = open();
      for (let at = start; at < end; at++) {
        if (!isLayout(paper[at] ?? 0)) paper[at] = space;
      }
    },
    write: (start, characters) => {
      const paper = open();
      for (let at = 0; at < characters.length; at++) paper[start + at] = characters.charCodeAt(at);
    },
    note: (mask) => {
      masks.push(mask);
    },
    done: () => {
      masks.sort((left, right) => left.start - right.start || right.end - left.end);
      return { text: bytes === undefined ? text : bytes.toString("utf16le"), masks };
    },
  };
}

function isLayout(code: number): boolean {
  return code === 9 || code === 10 || code === 13;
}
