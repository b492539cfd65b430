// SPDX-License-Identifier: GPL-2.0-only
import type { PatchLine } from "../patch/model.ts";

/** A line of a mail. `document`: the input that holds the mail, absent where it is the one that is reviewed. */
export interface MailPlace {
  readonly document?: string;
  /** 1-based line of that input. */
  readonly line: number;
}

/** A line of a file that the patch at hand does not show, as the patches before it in the series left it. */
export interface EarlierLine {
  readonly kind: "context";
  /** Its file. */
  readonly path: string;
  readonly text: string;
  readonly oldLine: number | null;
  readonly newLine: number | null;
  /** Where a patch of the series wrote it; null where they only show it. */
  readonly from: MailPlace | null;
}

/** A run of lines of one file: a hunk, or a hunk with what is known around it. */
export interface ShownHunk {
  /** As of a hunk. */
  readonly section: string;
  readonly lines: readonly (PatchLine | EarlierLine)[];
}

export const isEarlier = (line: PatchLine | EarlierLine): line is EarlierLine => "from" in line;
