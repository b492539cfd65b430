// SPDX-License-Identifier: GPL-2.0-only
import type { Problem } from "../text/problem.ts";

/**
 * Problems that mean part of an input, or all of it, was not read: what is left was reviewed, and the user must know
 * that it was not all. Losses that archives and quoting cause everywhere, and that the reader makes up for, are not
 * among them.
 */
const UNREAD: ReadonlySet<string> = new Set([
  "hunk-truncated", "message-cut", "encoded-body", "binary-input", "empty-input", "c-not-parsed",
]);

/** Problems that mean code was read and not judged to the end. */
const UNJUDGED: ReadonlySet<string> = new Set(["paths-cut-off", "rule-failed", "file-changed"]);

/** True where part of the input was not read. */
export const isUnread = ({ code }: Problem): boolean => UNREAD.has(code);

/** True where nothing can be said of what was not found. */
export const isPartial = (problem: Problem): boolean => isUnread(problem) || UNJUDGED.has(problem.code);
