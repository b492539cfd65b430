// SPDX-License-Identifier: GPL-2.0-only
import type { RuleMeta } from "../../rules/meta.ts";
import type { Problem } from "../../text/problem.ts";
import type { Finding, Review, SuppressedFinding } from "../finding.ts";
import type { ReviewOptions } from "../options.ts";
import { isAtLeast } from "../tier.ts";
import type { MailSuppressions } from "./mail-suppressions.ts";
import { staleInMail, staleMessage } from "./stale.ts";
import { sortOut } from "./suppress.ts";

/** The findings of a mail's patch, of any tier, after its own suppressions. `read`: what is known of how well it was read. */
export function withoutSuppressed(
  findings: readonly Finding[], { suppressions, problems }: MailSuppressions, read: Pick<Review, "problems" | "target">, options: ReviewOptions, rules: readonly RuleMeta[],
): Pick<Review, "findings" | "suppressed"> & { readonly problems: readonly Problem[] } {
  const sorted = sortOut(findings, suppressions, read.target.release, () => null);
  const isShown = ({ tier }: Finding): boolean => isAtLeast(tier, options.minTier);
  const stale = staleInMail(suppressions, sorted.used, read, options, rules).map((one): Problem => ({ code: "suppression-stale", message: staleMessage(one), line: one.place.line }));
  return { findings: sorted.findings.filter(isShown), ...suppressedOf(sorted.suppressed.filter(({ finding }) => isShown(finding))), problems: [...problems, ...stale] };
}

/** As a member of a review: absent where there is nothing. */
export const suppressedOf = (suppressed: readonly SuppressedFinding[]): Pick<Review, "suppressed"> => (suppressed.length === 0 ? {} : { suppressed });
