// SPDX-License-Identifier: GPL-2.0-only
import { quoteMarks, quotePrefix } from "../mail/quote.ts";
import { lineIndex } from "../text/line-index.ts";
import type { PatchDocument } from "./model.ts";

/** Consecutive quoted lines of a reply; document lines, first and last included. */
export interface QuoteBlock {
  readonly startLine: number;
  readonly endLine: number;
}

/** Marks end within so many characters. */
const longestMarks = 200;

/** The quotes of all replies in a document whose text begins at line 1, in order. */
export const quoteBlocks = ({ text, messages }: PatchDocument): QuoteBlock[] => {
  const index = lineIndex(text);
  const blocks: QuoteBlock[] = [];
  for (const message of messages) {
    if (message.kind !== "reply") continue;
    const heads: string[] = [];
    for (let line = message.bodyLine; line <= message.endLine; line += 1) {
      const { start, end } = index.spanOf(line);
      heads.push(text.slice(start, Math.min(end, start + longestMarks)));
    }
    const marks = quoteMarks(heads);
    const isQuoted = (at: number): boolean => at < heads.length && quotePrefix(heads[at] ?? "", marks).depth > 0;
    for (let at = 0, from = 0; at <= heads.length; at += 1) {
      if (isQuoted(at)) continue;
      if (at > from) blocks.push({ startLine: message.bodyLine + from, endLine: message.bodyLine + at - 1 });
      from = at + 1;
    }
  }
  return blocks;
};
