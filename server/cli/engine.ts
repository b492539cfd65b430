// SPDX-License-Identifier: GPL-2.0-only
import { messagesOf } from "../mail/mbox-stream.ts";
import type { StreamedMessage } from "../mail/mbox-stream.ts";
import { rules } from "../review/catalogue.ts";
import type { Review } from "../review/finding.ts";
import type { ReviewOptions } from "../review/options.ts";
import { review } from "../review/review.ts";
import type { ReviewInput } from "../review/review.ts";
import type { RuleMeta } from "../rules/meta.ts";
import { collectNativeMemory } from "../syntax/parse.ts";

/** What the commands need of the engine; tests put their own in its place. */
export interface Engine {
  readonly review: (input: ReviewInput, options: ReviewOptions) => readonly Review[];
  readonly rules: () => readonly RuleMeta[];
  readonly messagesOf: (chunks: AsyncIterable<Uint8Array>) => AsyncIterable<StreamedMessage>;
  /** Called between documents: frees what the parser holds outside of the JavaScript heap. */
  readonly collectNativeMemory: () => void;
}

export const ENGINE: Engine = { review, rules, messagesOf, collectNativeMemory };
