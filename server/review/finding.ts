// SPDX-License-Identifier: GPL-2.0-only
import type { Problem } from "../text/problem.ts";

export type Severity = "error" | "warning" | "info";
export type Tier = "proved" | "contract" | "pattern";
export type Origin = "introduced" | "incomplete-fix" | "interaction" | "pre-existing";

/** A place of a finding: in the document the user sees, and in the two files where known. All numbers are 1-based. */
export interface Location {
  readonly patchLine: number;
  readonly column: number;
  /** Column after the last character. */
  readonly endColumn: number;
  readonly file: string | null;
  readonly newLine: number | null;
  readonly oldLine: number | null;
}

export interface RelatedLocation {
  readonly message: string;
  readonly patchLine: number;
  readonly file: string | null;
  readonly newLine: number | null;
}

/** One row of a schedule. The last row of a failing schedule reaches the bad state. */
export interface ScheduleStep {
  /** Thread name: the function under review as `name()`, or an environment thread. */
  readonly thread: string;
  /** The statement or the environment's action, one line. */
  readonly step: string;
  /** 1-based line of the document, null for environment steps and for steps that the tool's templates own. */
  readonly patchLine: number | null;
  /** What the step changed, for example `entry(src_pte): X -> none`; "" where nothing visible changed. */
  readonly state: string;
}

export type Verdict = "fail" | "pass" | "unknown" | "vacuous" | "not-lifted";

export interface Evidence {
  readonly scenario: string;
  readonly verdict: Verdict;
  /** The property that was checked, for example `stale-secondary-mapping`. */
  readonly property: string;
  /** One sentence that names the bad state (empty unless the verdict is `fail`). */
  readonly badState: string;
  readonly states: number;
  readonly transitions: number;
  /** Threads, loops and memory model that the verdict covers. */
  readonly bounds: string;
  readonly assumptions: readonly string[];
  readonly schedule: readonly ScheduleStep[];
  /** The reference fix, explored to the end; null where it was not run. */
  readonly fixed: {
    readonly title: string;
    readonly verdict: Verdict;
    readonly states: number;
    /** The step of the failing schedule that the fix blocks, or null where the schedule completes without a violation. */
    readonly blockedAt: string | null;
    readonly heldBy: string | null;
    /** True where undoing the fix in the fixed program fails again. */
    readonly mutationFails: boolean;
  } | null;
  /** Wrong remedies that were tried and fail too, one sentence each. */
  readonly wrongFixes: readonly string[];
}

/** Who said so, and where. */
export interface Source {
  readonly thread: string;
  readonly who: string;
  readonly date: string;
  readonly link: string | null;
}

export interface Finding {
  readonly ruleId: string;
  /** `MM_` + the rule id in upper snake case. */
  readonly type: string;
  readonly severity: Severity;
  readonly tier: Tier;
  readonly origin: Origin;
  readonly messageId: string;
  readonly message: string;
  readonly function: string | null;
  /** Stable across line drift: hash of rule, function and normalised text. 16 hex digits. */
  readonly fingerprint: string;
  readonly location: Location;
  readonly related: readonly RelatedLocation[];
  readonly evidence: Evidence | null;
  readonly sources: readonly Source[];
}

/** One obligation of a mechanism that a patch implements, and whether the patch keeps it. */
export interface Obligation {
  readonly id: string;
  readonly ruleId: string;
  readonly status: "holds" | "broken" | "not-visible";
  readonly message: string;
  /** Document lines on which the answer rests, ascending. */
  readonly patchLines: readonly number[];
}

export type TargetDecision =
  | "setting" | "tree" | "base-commit" | "subject-tag" | "backport-note" | "date" | "default";

export interface TargetReport {
  /** Release, for example `6.6`. */
  readonly release: string;
  readonly decidedBy: TargetDecision;
  /** The words or line that decided, for a person. */
  readonly because: string;
  readonly arch: string;
  readonly config: readonly string[];
}

export interface Coverage {
  /** Functions touched that were found. */
  readonly functions: number;
  readonly analyzed: number;
  /** Of those, seen only in part (start or end outside the hunk). */
  readonly partial: number;
  readonly calls: number;
  readonly unknownCalls: number;
}

/** What the engine says about one input (one mail, one patch file, one C file). */
export interface Review {
  readonly messageId: string | null;
  readonly subject: string | null;
  readonly target: TargetReport;
  readonly problems: readonly Problem[];
  readonly coverage: Coverage;
  readonly obligations: readonly Obligation[];
  /** Ordered by patchLine, then rule id. */
  readonly findings: readonly Finding[];
}
