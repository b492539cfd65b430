// SPDX-License-Identifier: GPL-2.0-only
import type { Finding, Review } from "../finding.ts";
import { byPlace } from "../judge.ts";
import { sortOut, type Sorted } from "./suppress.ts";
import type { Suppression } from "./suppression.ts";

/** A review after the suppressions of a configuration, beside what became of these. Those of the mail were applied before. */
export function withoutConfigured(review: Review, suppressions: readonly Suppression[], fileOf: (finding: Finding) => string | null): { readonly review: Review; readonly sorted: Sorted } {
  const sorted = sortOut(review.findings, suppressions, review.target.release, fileOf);
  const suppressed = [...(review.suppressed ?? []), ...sorted.suppressed].toSorted((a, b) => byPlace(a.finding, b.finding));
  return { review: { ...review, findings: sorted.findings, ...(suppressed.length === 0 ? {} : { suppressed }) }, sorted };
}
