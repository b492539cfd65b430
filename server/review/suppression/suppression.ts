// SPDX-License-Identifier: GPL-2.0-only
import { atLeast, parseRelease } from "../../kernel/release.ts";
import { matchesPattern } from "../../text/path-pattern.ts";
import type { Finding, SuppressionPlace } from "../finding.ts";

/** Somebody says that findings are none: which ones, and why. What is null matches anything. */
export interface Suppression {
  readonly rule: string;
  readonly function: string | null;
  /** Pattern of paths as a kernel tree has them. */
  readonly file: string | null;
  readonly fingerprint: string | null;
  readonly reason: string;
  /** The first release for which it does not hold; null: it holds for all. */
  readonly until: string | null;
  readonly place: SuppressionPlace;
}

/** Stands where a person is to write a reason. */
export const REASON_PLACEHOLDER = "<why this is not a bug>";

const MAX_REASON = 1000;

/** What is wrong with a reason, in a sentence; null where it is one. */
export function reasonProblem(reason: string): string | null {
  const text = reason.trim();
  if (text === "") return "a reason is missing: nothing is suppressed";
  if (text.length > MAX_REASON) return `a reason of more than ${MAX_REASON} characters: nothing is suppressed`;
  return text.startsWith("<") && text.endsWith(">") ? "the reason is still to be written: nothing is suppressed" : null;
}

/** True where a suppression names the finding, whatever the release. `file`: where the finding is, in a kernel tree. */
export const names = (suppression: Suppression, finding: Finding, file: string | null): boolean =>
  suppression.rule === finding.ruleId &&
  (suppression.fingerprint === null || suppression.fingerprint === finding.fingerprint) &&
  (suppression.function === null || suppression.function === finding.function) &&
  (suppression.file === null || (file !== null && matchesPattern(suppression.file, file)));

/** True where a suppression holds for a release. */
export function holdsFor({ until }: Suppression, release: string): boolean {
  const target = parseRelease(release);
  return until === null || target === null || !atLeast(target, until);
}
