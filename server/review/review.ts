// SPDX-License-Identifier: GPL-2.0-only
import type { Review } from "./finding.ts";
import type { ReviewOptions } from "./options.ts";

/** What is reviewed: a document that holds patches, or a C file as it stands. */
export interface ReviewInput {
  readonly path: string;
  readonly text: string;
  readonly kind: "patch" | "c";
}

/**
 * Reviews one document. A document with several patches (mbox) gives one review per patch, in document order;
 * a document without any patch gives one review without findings. Lines count from the start of `text`.
 */
export function review(_input: ReviewInput, _options: ReviewOptions): Review[] {
  return [];
}
