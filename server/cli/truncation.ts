// SPDX-License-Identifier: GPL-2.0-only
import type { Review } from "../review/finding.ts";

/**
 * Problems that mean the document ends before its patch does: what is left was linted, and the user must know that it
 * was not all. Losses that archives and quoting cause everywhere are not among them.
 */
const CUT_SHORT: ReadonlySet<string> = new Set(["truncated"]);

/** Why a document counts as unreadable in part, or null. */
export const cutReason = (review: Review): string | null =>
  review.problems.find((problem) => CUT_SHORT.has(problem.code))?.message ?? null;
