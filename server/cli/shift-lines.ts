// SPDX-License-Identifier: GPL-2.0-only
import type { Evidence, Finding, Review, SuppressedFinding, VerifiedFix } from "../review/finding.ts";

/** The document is reviewed mail by mail, and each review counts lines from the start of its mail. */
export const shiftReview = (review: Review, by: number): Review =>
  by === 0 ? review : {
    ...review,
    problems: review.problems.map((problem) => ({ ...problem, line: problem.line === null ? null : problem.line + by })),
    obligations: review.obligations.map((one) => ({ ...one, patchLines: one.patchLines.map((line) => line + by) })),
    findings: review.findings.map((finding) => shiftFinding(finding, by)),
    ...(review.suppressed === undefined ? {} : { suppressed: review.suppressed.map((one) => shiftSuppressed(one, by)) }),
    ...(review.aside === undefined ? {} : {
      aside: { refuted: review.aside.refuted.map((one) => shiftFinding(one, by)), fixed: review.aside.fixed.map((one) => shiftFinding(one, by)) },
    }),
  };

/** Lines of a configuration are its own. */
const shiftSuppressed = (one: SuppressedFinding, by: number): SuppressedFinding => ({
  ...one, finding: shiftFinding(one.finding, by), place: one.place.in === "mail" ? { ...one.place, line: one.place.line + by } : one.place,
});

const shiftFinding = (finding: Finding, by: number): Finding => ({
  ...finding,
  location: { ...finding.location, patchLine: finding.location.patchLine + by },
  related: finding.related.map((related) => ({ ...related, patchLine: related.patchLine === null || related.path !== undefined || related.document !== undefined ? related.patchLine : related.patchLine + by })),
  evidence: finding.evidence === null ? null : shiftEvidence(finding.evidence, by),
  ...(finding.fixes === undefined ? {} : { fixes: finding.fixes.map((fix) => shiftFix(fix, by)) }),
});

const shiftFix = (fix: VerifiedFix, by: number): VerifiedFix => ({
  ...fix,
  edits: fix.edits.map((edit) => ({ ...edit, start: { ...edit.start, line: edit.start.line + by }, end: { ...edit.end, line: edit.end.line + by } })),
});

const shiftEvidence = (evidence: Evidence, by: number): Evidence => ({
  ...evidence,
  schedule: evidence.schedule.map((step) => ({ ...step, patchLine: step.patchLine === null ? null : step.patchLine + by })),
});
