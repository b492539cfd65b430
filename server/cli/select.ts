// SPDX-License-Identifier: GPL-2.0-only
import type { Finding, Review, Tier } from "../review/finding.ts";
import { isAtLeast } from "../review/tier.ts";
import type { FailOn } from "./arguments.ts";

/** True where a finding makes the exit status 1. */
export const isFailing = ({ findings }: Review, failOn: FailOn): boolean =>
  failOn !== "never" && findings.some((finding) => isAtLeast(finding.tier, failOn));

export interface Selection {
  /** Rules to report, or null for all. */
  readonly only: ReadonlySet<string> | null;
  readonly without: ReadonlySet<string>;
  readonly minTier: Tier;
}

const hasRule = (selection: Selection, ruleId: string): boolean =>
  (selection.only === null || selection.only.has(ruleId)) && !selection.without.has(ruleId);

/** What the user asked to see of a review. */
export const selected = (review: Review, selection: Selection): Review => ({
  ...review,
  obligations: review.obligations.filter((obligation) => hasRule(selection, obligation.ruleId)),
  findings: review.findings.filter((finding) => isSelected(finding, selection)),
  ...(review.suppressed === undefined ? {} : { suppressed: review.suppressed.filter(({ finding }) => isSelected(finding, selection)) }),
  ...(review.aside === undefined ? {} : { aside: { refuted: ofRules(review.aside.refuted, selection), fixed: ofRules(review.aside.fixed, selection) } }),
});

const isSelected = (finding: Finding, selection: Selection): boolean =>
  hasRule(selection, finding.ruleId) && isAtLeast(finding.tier, selection.minTier);

/** Tiers are about findings: what is none is shown whatever its evidence. */
const ofRules = (findings: readonly Finding[], selection: Selection): readonly Finding[] => findings.filter(({ ruleId }) => hasRule(selection, ruleId));

/** The rule that a name of `--types` or `--ignore` means: a type (`MM_...`) or a rule id, in any case. */
export const ruleOfName = (name: string): string =>
  name.trim().toLowerCase().replace(/^mm_/, "").replaceAll("_", "-");
