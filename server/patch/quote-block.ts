// SPDX-License-Identifier: GPL-2.0-only
import { quotePrefix } from "../mail/quote.ts";
import { lineIndex } from "../text/line-index.ts";
import type { PatchDocument } from "./model.ts";

/** Consecutive quoted lines of a reply; document lines, first and last included. */
export interface QuoteBlock {
  readonly startLine: number;
  readonly endLine: number;
}

/** The quotes of all replies in a document whose text begins at line 1, in order. */
export const quoteBlocks = ({ text, messages }: PatchDocument): QuoteBlock[] => {
  const index = lineIndex(text);
  const blocks: QuoteBlock[] = [];
  for (const message of messages) {
    if (message.kind !== "reply") continue;
    let startLine: number | null = null;
    for (let line = message.bodyLine; line <= message.endLine + 1; line += 1) {
      const { start, end } = index.spanOf(line);
      const isQuoted = line <= message.endLine && quotePrefix(text.slice(start, Math.min(end, start + 200))).depth > 0;
      if (isQuoted) startLine ??= line;
      else if (startLine !== null) {
        blocks.push({ startLine, endLine: line - 1 });
        startLine = null;
      }
    }
  }
  return blocks;
};
