// SPDX-License-Identifier: GPL-2.0-only

/** How many lines are looked at. A long cover letter fits; a log file of a million lines costs nothing. */
export const SNIFF_LINES = 400;

/** A line of a diff, possibly quoted in a reply: file headers, `diff --git`, and hunk headers with their numbers. */
const DIFF_LINE = /^[> \t]*(?:diff --git a\/|@@ -\d+(?:,\d+)? \+\d+(?:,\d+)? @@|(?:---|\+\+\+) [ab]\/)/;

/** The subject of a patch mail or of a reply to one, in its header or, in archives, on a line by itself. */
const PATCH_SUBJECT = /^(?:Subject:\s*)?(?:(?:Re|Fwd?):\s*|\[[\w.-]*\]\s*)*\[[^\]]*\b(?:PATCH|RFC|RESEND)\b[^\]]*\]/i;

/** Where a subject may stand: an mbox line, trace headers and signatures may come before it. */
const SUBJECT_LINES = 120;

/**
 * True where a plain text document is a patch or a mail about one: the text of a diff or the subject of a patch
 * mail is near its start. `lineAt` gives line `index` (from 0) without its line break.
 */
export function looksLikePatch(lineCount: number, lineAt: (index: number) => string): boolean {
  const end = Math.min(lineCount, SNIFF_LINES);
  for (let index = 0; index < end; index++) {
    const line = lineAt(index);
    if (DIFF_LINE.test(line)) return true;
    if (index < SUBJECT_LINES && PATCH_SUBJECT.test(line)) return true;
  }
  return false;
}
