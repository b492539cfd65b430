// SPDX-License-Identifier: GPL-2.0-only
import { formatRelease } from "../kernel/release.ts";
import type { Patch } from "../patch/model.ts";
import { readPatches } from "../patch/read.ts";
import { decideTarget, type DecidedTarget } from "../source/target.ts";
import type { Problem } from "../text/problem.ts";
import { coverageOf, NO_COVERAGE } from "./coverage.ts";
import type { Review, TargetReport } from "./finding.ts";
import { judge } from "./judge.ts";
import type { ReviewOptions } from "./options.ts";
import { subjectOf, subjectOfFile } from "./subject.ts";

/** What is reviewed: a document that holds patches, or a C file as it stands. */
export interface ReviewInput {
  readonly path: string;
  readonly text: string;
  readonly kind: "patch" | "c";
}

/**
 * Reviews one document. A document with several patches (mbox) gives one review per patch, in document order;
 * a document without any patch gives one review without findings. Lines count from the start of `text`.
 */
export function review(input: ReviewInput, options: ReviewOptions): Review[] {
  if (input.kind === "c") return [reviewFile(input, options)];
  const document = readPatches(input.text);
  if (document.patches.length === 0) return [emptyReview(options, document.problems)];
  return document.patches.map((patch, index) =>
    reviewPatch(input.text, patch, options, document.problems.filter((problem) => owner(document.patches, problem) === index)),
  );
}

/** The patch to which a problem belongs: the last one that begins above it. */
function owner(patches: readonly Patch[], problem: Problem): number {
  const line = problem.line;
  return line === null ? 0 : Math.max(0, patches.findLastIndex((patch) => patch.startLine <= line));
}

const NO_PATCH: Patch = {
  form: "diff", messageId: null, subject: null, from: null, date: null, commit: null, whitespaceLost: false,
  prose: [], files: [], remarks: [], startLine: 1, endLine: 1,
};

const reportOf = (decided: DecidedTarget): TargetReport => ({
  release: formatRelease(decided.target.release),
  decidedBy: decided.decidedBy,
  because: decided.because,
  arch: decided.target.arch,
  config: Object.entries(decided.target.config).map(([key, value]) => `${key}=${value ? "y" : "n"}`).toSorted(),
});

function emptyReview(options: ReviewOptions, problems: readonly Problem[]): Review {
  const decided = decideTarget(NO_PATCH, options);
  return {
    messageId: null, subject: null, target: reportOf(decided), problems: [...problems, ...decided.problems],
    coverage: NO_COVERAGE, obligations: [], findings: [],
  };
}

function reviewPatch(document: string, patch: Patch, options: ReviewOptions, problems: readonly Problem[]): Review {
  const decided = decideTarget(patch, options);
  const subject = subjectOf(document, patch, decided.target);
  const judged = subject ? judge(subject, options) : { findings: [], obligations: [], problems: [] };
  return {
    messageId: patch.messageId,
    subject: patch.subject,
    target: reportOf(decided),
    problems: [...problems, ...decided.problems, ...judged.problems],
    coverage: subject ? coverageOf(subject.unit) : NO_COVERAGE,
    obligations: judged.obligations,
    findings: judged.findings,
  };
}

function reviewFile(input: ReviewInput, options: ReviewOptions): Review {
  const decided = decideTarget(NO_PATCH, options);
  const subject = subjectOfFile(input.path, input.text, decided.target);
  const judged = subject ? judge(subject, options) : { findings: [], obligations: [], problems: [] };
  return {
    messageId: null,
    subject: null,
    target: reportOf(decided),
    problems: [...decided.problems, ...judged.problems],
    coverage: subject ? coverageOf(subject.unit) : NO_COVERAGE,
    obligations: judged.obligations,
    findings: judged.findings,
  };
}
