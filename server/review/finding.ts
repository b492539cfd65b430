// SPDX-License-Identifier: GPL-2.0-only
import type { Proof } from "../scenarios/prove.ts";
import type { FixedSchedule, HeldSpan, ScheduleRow } from "../scenarios/schedule.ts";
import type { Cover, SeriesPlace } from "../patch/cover.ts";
import type { PreImageOrigin } from "../source/pre-image.ts";
import type { Problem } from "../text/problem.ts";

export type Severity = "error" | "warning" | "info";
export type Tier = "proved" | "contract" | "pattern";
/** `fixed`: the old side has it and the new one does not. Never that of a finding, only of what is told on request. */
export type Origin = "introduced" | "incomplete-fix" | "interaction" | "pre-existing" | "fixed";

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
  /** A file of the tree, where the place is in none of the document; `patchLine` then counts lines there. */
  readonly path?: string;
  /** Another input, where the place is in an earlier patch of the series; `patchLine` then counts lines there. */
  readonly document?: string;
  readonly message: string;
  /** null for a place that only the tree shows: `file` and `newLine` name it. */
  readonly patchLine: number | null;
  readonly file: string | null;
  readonly newLine: number | null;
}

export type ScheduleStep = ScheduleRow;

export type { FixedSchedule, HeldSpan };

export type Verdict = Proof["verdict"];

/** What exploring a scenario around the function showed; unjustified branches are among the assumptions. */
export interface Evidence extends Omit<Proof, "assumedBranches" | "explored" | "unread"> {
  /** What exploring the old side showed; missing where nobody had to know. */
  readonly old?: Pick<Proof, "verdict" | "property" | "states">;
}

/** What a finding rests on: see `RuleMeta.sources`. */
export interface Source {
  readonly thread: string;
  readonly who: string;
  readonly date: string;
  readonly link: string | null;
}

/** A place in the document, 1-based. */
export interface DocumentPosition {
  readonly line: number;
  readonly column: number;
}

/** A change of the document: what stands between two positions gives way to other text. */
export interface DocumentEdit {
  readonly start: DocumentPosition;
  readonly end: DocumentPosition;
  readonly remove: string;
  readonly insert: string;
}

/**
 * Edits that mend a finding: they were applied, the document was read and judged again, and nothing else was found. `proved`:
 * the simulator ran the edited code, too.
 */
export interface VerifiedFix {
  readonly title: string;
  readonly isProved: boolean;
  /** States of the edited code that were explored; 0 where it was not. */
  readonly states: number;
  /** The step of the failing schedule that the edited code blocks; null where the schedule completes without harm. */
  readonly blockedAt: string | null;
  readonly heldBy: string | null;
  /** In order of place; they do not overlap. */
  readonly edits: readonly DocumentEdit[];
}

/** A later patch of the series, which removes a finding. */
export interface FixedBy {
  readonly number: number;
  readonly total: number;
  readonly subject: string | null;
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
  /** The best first; absent where nobody asked for them. */
  readonly fixes?: readonly VerifiedFix[];
  /** Absent where no patch of the input removes it. It stays a finding: bisection stops between the two. */
  readonly fixedBy?: FixedBy;
  readonly sources: readonly Source[];
}

/** Where somebody says that a finding is none. */
export interface SuppressionPlace {
  /** A configuration file, or the commentary of the mail itself. */
  readonly in: "configuration" | "mail";
  /** The configuration file; null for the document. */
  readonly path: string | null;
  /** 1-based line and columns of the rule's name. */
  readonly line: number;
  readonly column: number;
  readonly endColumn: number;
}

/** A finding that somebody looked at and that is none. */
export interface SuppressedFinding {
  readonly finding: Finding;
  readonly reason: string;
  /** The first release for which it is a finding again, or null. */
  readonly until: string | null;
  readonly place: SuppressionPlace;
}

/** One obligation of a mechanism that a patch implements, and whether the patch keeps it. */
export interface Obligation {
  readonly id: string;
  readonly ruleId: string;
  readonly status: "holds" | "broken" | "undecided" | "not-visible";
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
  /** Where the code around the hunks came from, file by file; absent where no tree was at hand. */
  readonly preImages?: readonly PreImageReport[];
}

export interface PreImageReport {
  readonly file: string | null;
  readonly from: PreImageOrigin;
  /** How far from the lines of their headers the hunks stand, and how many context lines at their edges differ. */
  readonly offset: number;
  readonly fuzz: number;
}

/** What the engine says about one input (one mail, one patch file, one C file). */
export interface Review {
  readonly messageId: string | null;
  readonly subject: string | null;
  readonly series: SeriesPlace | null;
  /** What the input, a cover letter, says about the patches that follow. */
  readonly cover: Cover | null;
  readonly target: TargetReport;
  readonly problems: readonly Problem[];
  readonly coverage: Coverage;
  readonly obligations: readonly Obligation[];
  /** Ordered by patchLine, then rule id. */
  readonly findings: readonly Finding[];
  /** What would be a finding, had nobody said that it is none; in the same order. Absent where there is nothing. */
  readonly suppressed?: readonly SuppressedFinding[];
  /** What is no finding, where that was asked for. */
  readonly aside?: Aside;
}

/** What could be taken for findings, in the order of findings. */
export interface Aside {
  /** Breaks a rule as far as analysis can tell, and provably cannot get into the bad state. */
  readonly refuted: readonly Finding[];
  /** Defects of the old side that the new side does not have. */
  readonly fixed: readonly Finding[];
}
