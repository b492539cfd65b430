// SPDX-License-Identifier: GPL-2.0-only
import type { Review } from "../review/finding.ts";

/**
 * Problems that mean part of an input, or all of it, was not read: what is left was linted, and the user must know
 * that it was not all. Losses that archives and quoting cause everywhere, and that the reader makes up for, are not
 * among them.
 */
const UNREAD: ReadonlySet<string> = new Set([
  "hunk-truncated", "message-cut", "encoded-body", "binary-input", "empty-input", "c-not-parsed",
]);

/** Why an input counts as unreadable in part, one reason for each place. */
export const unreadReasons = (review: Review): string[] =>
  review.problems
    .filter((problem) => UNREAD.has(problem.code))
    .map((problem) => problem.message + (problem.line === null ? "" : ` (line ${problem.line})`));
