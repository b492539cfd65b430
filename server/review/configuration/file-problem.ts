// SPDX-License-Identifier: GPL-2.0-only
import { lineIndex, type LineIndex } from "../../text/line-index.ts";
import type { Complaint, Extent } from "./json-tree.ts";

/** A place within one line. 1-based; columns count UTF-16 units. */
export interface FilePlace {
  readonly line: number;
  readonly column: number;
  /** Column after the last character. */
  readonly endColumn: number;
}

/** Something that is wrong with a file that the user names or keeps, and where. */
export interface FileProblem extends FilePlace {
  readonly code: string;
  readonly message: string;
}

/** So many things that are wrong are told of one file. */
const MOST_PROBLEMS = 100;

/** Complaints with their places, from the first line to the last. */
export function fileProblems(complaints: readonly Complaint[], source: string): readonly FileProblem[] {
  const index = lineIndex(source);
  const ordered = complaints.toSorted((a, b) => a.offset - b.offset);
  const more = ordered.length - MOST_PROBLEMS;
  const told = ordered.slice(0, MOST_PROBLEMS + 1).map((one): FileProblem => ({ code: one.code, message: one.message, ...filePlace(one, source, index) }));
  return told.map((one, at) => (at < MOST_PROBLEMS ? one : { ...one, message: `${more} more problem${more === 1 ? "" : "s"} from here on` }));
}

/** The first line of a part of a text. */
export function filePlace({ offset, length }: Extent, source: string, index: LineIndex): FilePlace {
  const { line, column } = index.positionOf(offset);
  const end = source.indexOf("\n", offset);
  return { line, column: column + 1, endColumn: column + 1 + Math.max(1, Math.min(length, (end < 0 ? source.length : end) - offset)) };
}
