// SPDX-License-Identifier: GPL-2.0-only

/**
 * Something about an input that the reader had to recover from or could not know.
 * Input is never an exception: readers return `{ value, problems }`.
 */
export interface Problem {
  /** Stable kebab-case identifier, for example `hunk-count-mismatch`. */
  readonly code: string;
  /** One sentence for a person. */
  readonly message: string;
  /** 1-based line of the document, or null where the problem has no place. */
  readonly line: number | null;
}
