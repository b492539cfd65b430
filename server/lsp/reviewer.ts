// SPDX-License-Identifier: GPL-2.0-only
import { readPatches } from "../patch/read.ts";
import type { Review } from "../review/finding.ts";
import type { ReviewOptions } from "../review/options.ts";
import type { ReviewInput } from "../review/review.ts";
import { whatIf, type WhatIfAnswer, type WhatIfQuestion } from "../review/what-if.ts";
import { earlierPatches } from "../source/earlier-patches.ts";
import { questionsOf, type TreeAtHand, type TreeQuestions } from "../source/tree-at-hand.ts";
import { nextTurn } from "./next-turn.ts";

/** A document as it is to be reviewed, and where the editor stands. Plain data: it may go to another thread. */
export interface ReviewedText extends Pick<ReviewInput, "path" | "text" | "kind"> {
  /** URIs of the workspace folders. */
  readonly folders: readonly string[];
  readonly isTrusted: boolean;
}

/** Who reviews documents for the editor. Answers reject with the signal's reason soon after it is aborted. */
export interface Reviewer {
  review(document: ReviewedText, options: ReviewOptions, signal: AbortSignal): Promise<readonly Review[]>;
  /** Gives up what runs; resolves when it has ended. */
  dispose(): Promise<void>;
  /** Reviews the document, from what is known of it, and asks about one of its findings. */
  whatIf(document: ReviewedText, options: ReviewOptions, question: WhatIfQuestion, signal: AbortSignal): Promise<WhatIfAnswer>;
}

export type ReviewFunction = (input: ReviewInput, options: ReviewOptions) => readonly Review[];

/** What the kernel tree among the workspace folders answers to questions about a document; null where there is none. */
export type TreeLookup = (folders: readonly string[], uri: string, questions: TreeQuestions, isTrusted: boolean) => Promise<TreeAtHand | null>;

/** A document with the tree around it. */
export async function inputFor({ path, text, kind, folders, isTrusted }: ReviewedText, lookup: TreeLookup | undefined): Promise<ReviewInput> {
  if (kind !== "patch" || lookup === undefined || folders.length === 0) return { path, text, kind };
  const at = await lookup(folders, path, questionsOf(readPatches(text), []), isTrusted);
  return at ? { path, text, kind, tree: { at, earlier: earlierPatches() } } : { path, text, kind };
}

export const findingsOf = (reviews: readonly Review[]): Review["findings"] => reviews.flatMap((review) => review.findings);

/**
 * Reviews in this thread, one document at a time. A review runs to its end once it began; between two the event loop takes
 * messages, so that a cancelled or outdated request costs nothing.
 */
export function reviewerHere(review: ReviewFunction, lookup: TreeLookup | undefined): Reviewer {
  let last: Promise<unknown> = Promise.resolve();

  function inTurn<T>(document: ReviewedText, signal: AbortSignal, work: (input: ReviewInput) => T): Promise<T> {
    const turn = last.then(nextTurn).then(async () => {
      signal.throwIfAborted();
      const input = await inputFor(document, lookup);
      signal.throwIfAborted();
      return work(input);
    });
    last = turn.catch(() => undefined);
    return turn;
  }

  return {
    dispose: () => Promise.resolve(),
    review: (document, options, signal) => inTurn(document, signal, (input) => review(input, options)),
    whatIf: (document, options, question, signal) => inTurn(document, signal, (input) => whatIf(findingsOf(review(input, options)), question)),
  };
}
