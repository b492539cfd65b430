// SPDX-License-Identifier: GPL-2.0-only
import type { Review } from "../review/finding.ts";
import { isUnread } from "../review/unread.ts";

/** Why an input counts as unreadable in part, one reason for each place. */
export const unreadReasons = (review: Review): string[] =>
  review.problems
    .filter(isUnread)
    .map((problem) => problem.message + (problem.line === null ? "" : ` (line ${problem.line})`));
