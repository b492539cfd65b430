// SPDX-License-Identifier: GPL-2.0-only

/** What a rule says about itself: shown in hovers, `patchwalk rules`, and checked against its documentation page. */
export interface RuleMeta {
  /** Kebab-case statement of the defect. */
  readonly id: string;
  readonly title: string;
  readonly severity: "error" | "warning" | "info";
  /** First release for which the rule can apply. */
  readonly since: string;
  /** First release for which it no longer applies, or null. */
  readonly until: string | null;
  /** Why it matters, two or three sentences. */
  readonly why: string;
  /** messageId -> template with `{name}` placeholders. */
  readonly messages: Readonly<Record<string, string>>;
  /** Scenario names that back the rule; empty where it is a single-threaded contract. */
  readonly scenarios: readonly string[];
  readonly sources: readonly {
    readonly thread: string;
    readonly who: string;
    readonly date: string;
    readonly link: string | null;
  }[];
}
