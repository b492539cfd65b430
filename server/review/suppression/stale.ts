// SPDX-License-Identifier: GPL-2.0-only
import { atLeast, parseRelease } from "../../kernel/release.ts";
import type { RuleMeta } from "../../rules/meta.ts";
import { isOnePath } from "../../text/path-pattern.ts";
import type { Review } from "../finding.ts";
import type { ReviewOptions } from "../options.ts";
import { isPartial } from "../unread.ts";
import { holdsFor, type Suppression } from "./suppression.ts";

/**
 * True where a review says something of what a suppression names: the rule was on and is one for the release, the
 * simulator ran, and everything was read and judged to its end.
 */
function isJudged(suppression: Suppression, { problems, target }: Pick<Review, "problems" | "target">, options: ReviewOptions, rules: readonly RuleMeta[]): boolean {
  const rule = rules.find(({ id }) => id === suppression.rule);
  const release = parseRelease(target.release);
  if (rule === undefined || release === null || options.rules[rule.id] === "off" || !options.simulate) return false;
  const isForRelease = atLeast(release, rule.since) && !(rule.until !== null && atLeast(release, rule.until));
  return isForRelease && holdsFor(suppression, target.release) && !problems.some(isPartial);
}

/** Suppressions of a mail that name nothing in its patch, though it was looked for. */
export const staleInMail = (
  suppressions: readonly Suppression[], used: ReadonlySet<Suppression>, review: Pick<Review, "problems" | "target">, options: ReviewOptions, rules: readonly RuleMeta[],
): readonly Suppression[] => suppressions.filter((one) => !used.has(one) && isJudged(one, review, options, rules));

/**
 * Suppressions of a configuration that name nothing in a C file that was reviewed as a whole, with its callers. Only those
 * are meant that name this one file: of another one, nobody knows what else it is for.
 */
export const staleInFile = (
  suppressions: readonly Suppression[], used: ReadonlySet<Suppression>, file: string, review: Pick<Review, "problems" | "target">, options: ReviewOptions, rules: readonly RuleMeta[],
): readonly Suppression[] =>
  suppressions.filter((one) => one.file === file && isOnePath(one.file) && !used.has(one) && isJudged(one, review, options, rules));

/** What to say about one of them. */
export const staleMessage = ({ rule, function: fn, file, fingerprint, place }: Suppression): string => {
  const what = `${rule}${fingerprint === null ? "" : ` ${fingerprint}`}`;
  const where = place.in === "mail" ? ` in${fn === null ? "" : ` ${fn}() of`} this patch` : ` in${fn === null ? "" : ` ${fn}() of`} ${file ?? ""}`;
  return `stale suppression: there is no finding of ${what}${where}`;
};

/** What to say about one whose time is over. */
export const expiredMessage = ({ rule, until }: Suppression, release: string): string =>
  `this suppression of ${rule} ended with ${until ?? ""}, and the target is ${release}: the finding is reported`;
