// SPDX-License-Identifier: GPL-2.0-only
import { formatRelease } from "../kernel/release.ts";
import { coverFrom, coverOf, placeOf, type Cover } from "../patch/cover.ts";
import type { MailMessage, Patch, PatchDocument } from "../patch/model.ts";
import { readPatches } from "../patch/read.ts";
import { decideTarget, type DecidedTarget } from "../source/target.ts";
import type { Problem } from "../text/problem.ts";
import { coverageOf, lostProblems, NO_COVERAGE, unclosedProblems } from "./coverage.ts";
import { RULES } from "../rules/registry.ts";
import type { Rule } from "../rules/rule.ts";
import type { Aside, Review, TargetReport } from "./finding.ts";
import { rewritingOfFile, rewritingOfPatch } from "./fix/rewriting.ts";
import { judge, NOTHING_JUDGED } from "./judge.ts";
import type { ReviewOptions } from "./options.ts";
import { withoutSuppressed } from "./suppression/in-mail.ts";
import { mailSuppressions } from "./suppression/mail-suppressions.ts";
import { seenInTree, treeProblems, type ReviewTree } from "./tree.ts";
import type { Subject } from "../rules/rule.ts";
import { subjectOf, subjectOfFile, wholeFile } from "./subject.ts";

/** What is reviewed: a document that holds patches, or a C file as it stands. */
export interface ReviewInput {
  readonly path: string;
  readonly text: string;
  readonly kind: "patch" | "c";
  /** Cover letters of the inputs before this one. */
  readonly covers?: readonly Cover[];
  /** A kernel tree that shows the code around the hunks. */
  readonly tree?: ReviewTree;
}

/**
 * Reviews one document. A document with several patches (mbox) gives one review per patch, in document order;
 * a document without any patch gives one review without findings. Lines count from the start of `text`.
 */
export function review(input: ReviewInput, options: ReviewOptions, rules: readonly Rule[] = RULES): Review[] {
  if (input.kind === "c") return [reviewFile(input, options, rules)];
  const document = readPatches(input.text);
  if (document.patches.length === 0) return [emptyReview(document.messages, options, document.problems)];
  const covers = [...(input.covers ?? []), ...document.messages.map(coverFrom).filter((cover) => cover !== null)];
  const problems = byPatch(document.patches, document.problems);
  return document.messages.flatMap((message) =>
    message.patches.map((patch) =>
      reviewPatch(input, message, patch, coverOf(message, covers), options, problems.get(patch) ?? [], rules),
    ),
  );
}

/** The problems of each patch: those from its first line on. What stands above the first patch is counted to it. */
function byPatch(patches: readonly Patch[], problems: readonly Problem[]): ReadonlyMap<Patch, readonly Problem[]> {
  const found = new Map<Patch, Problem[]>(patches.map((patch) => [patch, []]));
  for (const problem of problems) {
    const line = problem.line;
    const owner = line === null ? 0 : Math.max(0, patches.findLastIndex((patch) => patch.startLine <= line));
    const patch = patches[owner];
    if (patch !== undefined) found.get(patch)?.push(problem);
  }
  return found;
}

const NO_PATCH: Patch = {
  form: "diff", messageId: null, subject: null, from: null, date: null, commit: null, whitespaceLost: false,
  prose: [], files: [], remarks: [], startLine: 1, endLine: 1,
};

export const reportOf = (decided: DecidedTarget): TargetReport => ({
  release: formatRelease(decided.target.release),
  decidedBy: decided.decidedBy,
  because: decided.because,
  arch: decided.target.arch,
  config: Object.entries(decided.target.config).map(([key, value]) => `${key}=${value ? "y" : "n"}`).toSorted(),
});

/** A cover letter, a reply without code, or no mail at all. */
function emptyReview(messages: readonly MailMessage[], options: ReviewOptions, problems: readonly Problem[]): Review {
  const message = messages.length === 1 ? (messages[0] ?? null) : null;
  const decided = decideTarget({ ...NO_PATCH, subject: message?.subject ?? null, date: message?.date ?? null }, options);
  return {
    messageId: message?.messageId ?? null, subject: message?.subject ?? null,
    series: message && placeOf(message, null), cover: message && coverFrom(message),
    target: reportOf(decided), problems: [...problems, ...decided.problems],
    coverage: NO_COVERAGE, obligations: [], findings: [], ...asideOf(undefined, options),
  };
}

/** Whoever asks what is no finding gets an answer, also where nothing was to be judged. */
export const asideOf = (aside: Aside | undefined, options: ReviewOptions): Pick<Review, "aside"> =>
  options.showRefuted ? { aside: aside ?? { refuted: [], fixed: [] } } : {};

function reviewPatch(
  { text, tree }: ReviewInput, message: MailMessage, patch: Patch, cover: Cover | null, options: ReviewOptions, problems: readonly Problem[],
  rules: readonly Rule[],
): Review {
  const seen = tree && seenInTree(text, message, patch, cover, tree);
  const decided = decideTarget(patch, { ...options, ...seen?.target }, cover?.subject ?? null);
  const subject = subjectOf(text, patch, decided, seen);
  // The patch of the edited document: the same one of the same message, read without anything new to complain of.
  const reread = (edited: string): Subject | null => {
    const again = readPatches(edited);
    const same = againIn(again, readPatches(text), patch);
    return same && subjectOf(edited, same, decided, seen && { ...seen, preImages: seen.again(edited, same) });
  };
  const metas = rules.map(({ meta }) => meta);
  const said = mailSuppressions(text, patch, metas.map(({ id }) => id));
  // What a suppression names may be below the tier that is shown: it is not stale for that.
  const asked: ReviewOptions = said.suppressions.length > 0 ? { ...options, minTier: "pattern" } : options;
  const judged = subject ? judge(subject, asked, { rules, rewriting: rewritingOfPatch(text, patch, subject, reread) }) : NOTHING_JUDGED;
  const target = reportOf(decided);
  const all = [...problems, ...(seen ? treeProblems(seen, subject !== null) : []), ...decided.problems, ...(subject ? lostProblems(subject.unit) : []), ...judged.problems];
  const { findings, suppressed, problems: suppressionProblems } = withoutSuppressed(judged.findings, said, { problems: all, target }, options, metas);
  return {
    messageId: patch.messageId,
    subject: patch.subject,
    series: placeOf(message, cover),
    cover: coverFrom(message),
    target,
    problems: [...all, ...suppressionProblems],
    coverage: { ...(subject ? coverageOf(subject.unit, judged.cutOff) : NO_COVERAGE), ...(seen ? { preImages: seen.reports } : {}) },
    obligations: judged.obligations,
    findings,
    ...(suppressed === undefined ? {} : { suppressed }),
    ...asideOf(judged.aside, options),
  };
}

/** The patch at the place of another one in a document with other text; null where that reads worse. */
function againIn(edited: PatchDocument, before: PatchDocument, patch: Patch): Patch | null {
  const at = before.patches.findIndex((one) => one.startLine === patch.startLine && one.files[0]?.line === patch.files[0]?.line);
  const isWorse = edited.patches.length !== before.patches.length || edited.problems.length > before.problems.length;
  return isWorse ? null : (edited.patches[at] ?? null);
}

function reviewFile(input: ReviewInput, options: ReviewOptions, rules: readonly Rule[]): Review {
  const decided = decideTarget(NO_PATCH, options);
  const subject = subjectOfFile(input.path, input.text, decided.target);
  // Code in which nothing is left that a rule asks about is mended, too.
  const reread = (text: string): Subject => subjectOfFile(input.path, text, decided.target) ?? wholeFile(input.path, text, decided.target);
  const judged = subject ? judge(subject, options, { rules, rewriting: rewritingOfFile(input.text, subject, reread) }) : NOTHING_JUDGED;
  return {
    messageId: null,
    subject: null,
    series: null,
    cover: null,
    target: reportOf(decided),
    problems: [...decided.problems, ...(subject ? lostProblems(subject.unit) : unclosedProblems(input.text)), ...judged.problems],
    coverage: subject ? coverageOf(subject.unit, judged.cutOff) : NO_COVERAGE,
    obligations: judged.obligations,
    findings: judged.findings,
    ...asideOf(judged.aside, options),
  };
}
