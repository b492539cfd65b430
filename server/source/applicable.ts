// SPDX-License-Identifier: GPL-2.0-only
import type { FileDiff, Hunk, Patch, PatchLine } from "../patch/model.ts";

/** A hunk of which nothing is missing, so that it can be applied to a file. */
export interface ApplicableHunk {
  readonly hunk: Hunk;
  /** Texts of the two sides. */
  readonly old: readonly string[];
  readonly new: readonly string[];
  /** Rows (from 0) at which the sides begin as the header says. */
  readonly oldRow: number;
  readonly newRow: number;
  /** Context lines before the first change and behind the last one. */
  readonly leading: number;
  readonly trailing: number;
}

/**
 * The hunks of a file, in order, where they are all there is of its diff; null where lines were lost, cut, guessed or quoted
 * in part: what they say of a file is then less than what the patch does to it.
 */
export function applicableHunks(patch: Patch, file: FileDiff): readonly ApplicableHunk[] | null {
  if (patch.form === "quoted" || patch.form === "archive" || file.hunks.length === 0) return null;
  const made: ApplicableHunk[] = [];
  for (const hunk of file.hunks) {
    const one = applicable(hunk);
    const before = made.at(-1);
    if (one === null || (before !== undefined && one.oldRow < before.oldRow + before.old.length)) return null;
    made.push(one);
  }
  return made;
}

function applicable(hunk: Hunk): ApplicableHunk | null {
  const { header, lines } = hunk;
  if (header === null || hunk.afterGap || hunk.ofMerge === true || hunk.lostContext > 0 || !lines.every(isPlain)) return null;
  const old = lines.filter(({ kind }) => kind !== "added").map(({ text }) => text);
  const later = lines.filter(({ kind }) => kind !== "deleted").map(({ text }) => text);
  if (old.length !== header.oldCount || later.length !== header.newCount) return null;
  const first = lines.findIndex(({ kind }) => kind !== "context");
  if (first < 0) return null;
  return {
    hunk, old, new: later,
    // A side without lines is named by the line before it.
    oldRow: header.oldCount === 0 ? header.oldStart : header.oldStart - 1,
    newRow: header.newCount === 0 ? header.newStart : header.newStart - 1,
    leading: first,
    trailing: lines.length - 1 - lines.findLastIndex(({ kind }) => kind !== "context"),
  };
}

/** A line that is certainly of the hunk and has its places in both files. */
const isPlain = ({ kind, oldLine, newLine, certainty }: PatchLine): boolean =>
  certainty === "exact" && (oldLine === null) === (kind === "added") && (newLine === null) === (kind === "deleted");
