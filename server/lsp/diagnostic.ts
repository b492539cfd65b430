// SPDX-License-Identifier: GPL-2.0-only
import { DiagnosticSeverity } from "vscode-languageserver/node";
import type { Diagnostic, Location } from "vscode-languageserver/node";
import { SECTION } from "../protocol.ts";
import { fixedByText } from "../report/evidence.ts";
import { visibleLine } from "../report/visible.ts";
import type { Finding, Severity, SuppressedFinding } from "../review/finding.ts";
import type { Problem } from "../text/problem.ts";
import type { Client } from "./client.ts";
import { findingRange, lineRange } from "./range.ts";
import type { ReviewedDocument } from "./review-cache.ts";

const SEVERITIES: Readonly<Record<Severity, DiagnosticSeverity>> = {
  error: DiagnosticSeverity.Error,
  warning: DiagnosticSeverity.Warning,
  info: DiagnosticSeverity.Information,
};

/** Address of a rule's page, or null where there is none. */
export type RuleUrl = (ruleId: string) => string | null;

/** The findings of a document as the protocol has them. `data` is the fingerprint. */
export const diagnosticsOf = (reviewed: ReviewedDocument, client: Client, ruleUrl: RuleUrl): Diagnostic[] =>
  reviewed.reviews.flatMap((review) => [
    ...review.findings.map((finding) => diagnosticOf(finding, reviewed, client, ruleUrl)),
    ...review.problems.flatMap((problem) => suppressionDiagnostic(problem, reviewed)),
    ...(review.suppressed ?? []).flatMap((one) => suppressedHint(one, reviewed)),
  ]);

/** Whoever reads the mail of somebody else sees what its writer suppressed: at the line that says so, and in no list. */
function suppressedHint({ finding, place }: SuppressedFinding, { document }: ReviewedDocument): Diagnostic[] {
  if (place.in !== "mail") return [];
  const message = `suppressed here: ${visibleLine(finding.message)} (${finding.tier})`;
  return [{ range: lineRange(document, place.line), severity: DiagnosticSeverity.Hint, code: finding.ruleId, source: SECTION, message }];
}

/** What is wrong with the suppressions of a mail: whoever writes one is at that line. */
function suppressionDiagnostic({ code, message, line }: Problem, { document }: ReviewedDocument): Diagnostic[] {
  if (!code.startsWith("suppression-") || line === null) return [];
  const severity = code === "suppression-stale" ? DiagnosticSeverity.Information : DiagnosticSeverity.Warning;
  return [{ range: lineRange(document, line), severity, code, source: SECTION, message: visibleLine(message) }];
}

type Related = Finding["related"][number];

/** True for places that neither the document nor a tree that is open in the editor shows. */
const isElsewhere = ({ path, patchLine }: Related, { file }: ReviewedDocument): boolean => patchLine === null || (path !== undefined && file === null);

/** The line of a related place; of one that is not at hand, the line of the finding. */
function locationOf(place: Related, finding: Finding, reviewed: ReviewedDocument): Location {
  const { document, file } = reviewed;
  if (place.patchLine === null || isElsewhere(place, reviewed)) return { uri: document.uri, range: findingRange(document, finding.location) };
  if (place.path === undefined || file === null) return { uri: document.uri, range: lineRange(document, place.patchLine) };
  const start = { line: Math.max(place.patchLine - 1, 0), character: 0 };
  return { uri: file.tree.uriOf(place.path), range: { start, end: start } };
}

function diagnosticOf(finding: Finding, reviewed: ReviewedDocument, client: Client, ruleUrl: RuleUrl): Diagnostic {
  const { document } = reviewed;
  const href = client.showsCodeDescription ? ruleUrl(finding.ruleId) : null;
  const related = client.showsRelated ? finding.related : [];
  return {
    range: findingRange(document, finding.location),
    severity: SEVERITIES[finding.severity],
    code: finding.ruleId,
    ...(href === null ? {} : { codeDescription: { href } }),
    source: SECTION,
    message: `${visibleLine(finding.message)} (${finding.tier}${finding.fixedBy === undefined ? "" : `; ${fixedByText(finding.fixedBy)}`})`,
    ...(related.length === 0 ? {} : {
      relatedInformation: related.map((place) => ({
        location: locationOf(place, finding, reviewed),
        // What is in a file that is not at hand has no line here: the words say where it is.
        message: visibleLine(isElsewhere(place, reviewed) ? `${place.file ?? ""}:${place.newLine ?? ""}: ${place.message}` : place.message),
      })),
    }),
    data: finding.fingerprint,
  };
}
