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
  /** True for a rule that knows edits which mend what it finds. Missing: it knows none. */
  readonly offersEdits?: true;
  /** Scenario names that back the rule; empty where it is a single-threaded contract. */
  readonly scenarios: readonly string[];
  /**
   * True where the defect is the bad state itself: then a candidate is dropped whose scenario cannot get there, if its
   * environment is complete and nothing was assumed. No rule of this build says so. Those with a race are about a contract that
   * reviewers enforce for its own sake (who may use the non-blocking start, which locks a walk needs, where COW is broken), and
   * their environments have the adversaries of the reports, not all there are: a clean exploration ends at `contract`. Those
   * about what one thread has open (mappings, sections that must not sleep) speak where exploring shows it: what remains
   * without a proof is a call that is wrong whatever comes of it.
   */
  readonly refutable?: true;
  readonly sources: readonly {
    /** Subject of the mail or commit, or what the place says. */
    readonly thread: string;
    /** A person, `commit HASH`, or a file of the kernel. */
    readonly who: string;
    /** The day of a mail; of commits and files the release. */
    readonly date: string;
    readonly link: string | null;
  }[];
}
