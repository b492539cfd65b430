// SPDX-License-Identifier: GPL-2.0-only
import { quotePrefix } from "../mail/quote.ts";
import type { LineIndex } from "../text/line-index.ts";
import type { Patch, ProseLine } from "./model.ts";

/** What a mail says around the `---` that ends its commit message. */
export interface Commentary {
  /** Lines of the commit message, or of all of the mail where nothing ends it. */
  readonly message: readonly ProseLine[];
  /** Lines between `---` and the diffstat, or the diff: what git does not keep. */
  readonly below: readonly ProseLine[];
  /** Document line of the `---`; null where there is none. */
  readonly separator: number | null;
}

const SEPARATOR = /^---\s*$/;
/** ` mm/gup.c | 12 +-`, in archives without the blank; not what begins like a trailer. */
const DIFFSTAT = /^ ?(?![\w-]+:\s)\S.* \|\s+(?:\d+\b|Bin\b)|^ ?\d+ files? changed\b/;

/**
 * The commentary of a patch. Of a patch that a reply quotes it is what is quoted with it: lines of whoever answers, and quotes
 * within the mail of a patch, are none of its own. `index`: of the document's `text`.
 */
export function commentaryOf(text: string, index: LineIndex, { form, prose, files }: Patch): Commentary {
  const first = files[0]?.line ?? Infinity;
  const rawLine = (line: number): string => {
    const { start, end } = index.spanOf(line);
    return text.slice(start, Math.min(end, start + 400));
  };
  const depthOf = (line: number): number => quotePrefix(rawLine(line), ">").depth;
  const above = prose.filter(({ line }) => line < first && (form !== "quoted" || (depthOf(line) > 0 && depthOf(line) === depthOf(first))));
  const at = above.findIndex((one) => SEPARATOR.test(one.text));
  if (at < 0) return { message: above, below: [], separator: null };
  const rest = above.slice(at + 1);
  const stat = rest.findIndex((one) => DIFFSTAT.test(one.text.slice(0, 400)));
  return { message: above.slice(0, at), below: stat < 0 ? rest : rest.slice(0, stat), separator: above[at]?.line ?? null };
}
