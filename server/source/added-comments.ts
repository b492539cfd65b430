// SPDX-License-Identifier: GPL-2.0-only
import type { FileDiff } from "../patch/model.ts";
import { blankComments } from "./blank.ts";

/** A line of a comment that a patch adds. Hunks show comments whose function they do not show. */
export interface AddedComment {
  readonly path: string | null;
  /** Document line. */
  readonly line: number;
  readonly text: string;
  /** The code that follows in the hunk, on one line and cut off. */
  readonly below: string;
}

/** As much of it as a definition needs for its name. */
const MAX_BELOW = 200;

/** The lines of comments that a patch adds to a file, in order. Code with a comment behind it is code. */
export function addedComments(file: FileDiff): AddedComment[] {
  return file.hunks.flatMap(({ lines }) => {
    const shown = lines.filter(({ kind }) => kind !== "deleted");
    const code = blankComments(shown.map(({ text }) => text).join("\n")).code.split("\n");
    let below = "";
    // From the end: what follows a line is known when it is reached.
    return shown.map((line, row) => ({ line, code: (code[row] ?? "").trim() })).toReversed().flatMap(({ line, code: own }): AddedComment[] => {
      if (own === "" && line.text.trim() !== "") return line.kind === "added" ? [{ path: file.newPath, line: line.line, text: line.text, below }] : [];
      if (own === "") return [];
      below = `${own} ${below}`.slice(0, MAX_BELOW);
      return [];
    }).toReversed();
  });
}
