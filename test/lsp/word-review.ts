// SPDX-License-Identifier: GPL-2.0-only
import type { ReviewOptions } from "../../server/review/options.ts";
import type { Review } from "../../server/review/finding.ts";
import type { ReviewInput } from "../../server/review/review.ts";
import type { ServerParts } from "../../server/lsp/server.ts";
import { FINDING, REVIEW } from "../report/sample-review.ts";

export interface Call {
  readonly input: ReviewInput;
  readonly options: ReviewOptions;
}

/** A finding at each word `BAD`, related to the line before; the text `CRASH` is a bug. Calls are recorded. */
export function recordingParts(): ServerParts & { readonly calls: Call[] } {
  const calls: Call[] = [];
  const review = (input: ReviewInput, options: ReviewOptions): Review[] => {
    calls.push({ input, options });
    if (input.text.includes("CRASH")) throw new Error("a bug");
    const findings = input.text.split("\n").flatMap((line, index) => {
      const at = line.indexOf("BAD");
      return at < 0 ? [] : [{
        ...FINDING,
        location: { ...FINDING.location, patchLine: index + 1, column: at + 1, endColumn: at + 4 },
        related: [{ message: "mapped here", patchLine: index, file: null, newLine: null }],
      }];
    });
    return [{ ...REVIEW, findings }];
  };
  return {
    calls,
    review,
    ruleOf: () => null,
    ruleUrl: (id) => `file:///docs/rules/${id}.md`,
    debounceMs: 20,
  };
}
