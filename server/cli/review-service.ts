// SPDX-License-Identifier: GPL-2.0-only
import { findingsOf, inputFor, type ReviewedText, type ReviewFunction, type TreeLookup } from "../lsp/reviewer.ts";
import type { Review } from "../review/finding.ts";
import type { ReviewOptions } from "../review/options.ts";
import { whatIf, type WhatIfAnswer, type WhatIfQuestion } from "../review/what-if.ts";
import { cancellable } from "../simulator/cancellation.ts";
import { collectNativeMemory } from "../syntax/parse.ts";

/** Tells a worker at its start that it is to review documents. */
export const REVIEWS = "reviews";

/** A document to review, and what is asked about it; plain data. */
export interface ReviewTask {
  readonly document: ReviewedText;
  readonly options: ReviewOptions;
  /** Null: its reviews are asked for. */
  readonly question: WhatIfQuestion | null;
  /** Shared flag: the work is given up soon after the first element becomes non-zero. */
  readonly cancel: Int32Array;
}

export type ReviewResult = { readonly reviews: readonly Review[] } | { readonly answer: WhatIfAnswer };

/** Does tasks of an editor. What was explored for one of them is known to the next, as long as the model is the same. */
export const reviewTaskRunner = (review: ReviewFunction, lookup: TreeLookup) => async ({ document, options, question, cancel }: ReviewTask): Promise<ReviewResult> => {
  const input = await inputFor(document, lookup);
  try {
    return cancellable(cancel, () => {
      const reviews = review(input, options);
      return question === null ? { reviews } : { answer: whatIf(findingsOf(reviews), question) };
    });
  } finally {
    collectNativeMemory();
  }
};
