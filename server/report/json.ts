// SPDX-License-Identifier: GPL-2.0-only
import type { Evidence, Finding, Location, RelatedLocation, Review, ScheduleStep, SuppressedFinding, Tier, VerifiedFix } from "../review/finding.ts";
import { RULESET, VERSION } from "./version.ts";

/** Counts over everything that was linted. */
export interface Summary {
  readonly proved: number;
  readonly contract: number;
  readonly pattern: number;
  /** Files that were read; a mailbox counts once. */
  readonly files: number;
  /** What is no finding; missing where nobody asked for it. */
  readonly aside?: AsideCounts;
  /** What would be findings, had nobody said that they are none; missing where there is nothing. */
  readonly suppressed?: number;
  /** Findings that a baseline has; missing where there is no baseline. */
  readonly baseline?: number;
}

interface AsideCounts {
  readonly refuted: number;
  readonly fixed: number;
}

export const EMPTY_SUMMARY: Summary = { proved: 0, contract: 0, pattern: 0, files: 0 };

/** Before anything was read. `showsAside`: what is no finding is counted, too. */
export const emptySummary = (showsAside: boolean): Summary => (showsAside ? { ...EMPTY_SUMMARY, aside: { refuted: 0, fixed: 0 } } : EMPTY_SUMMARY);

/** The summary with what one more review says; files are counted by who reads them. */
export function withFindings(summary: Summary, { findings, aside, suppressed = [] }: Pick<Review, "findings" | "aside" | "suppressed">): Summary {
  const count = (tier: Tier): number => summary[tier] + findings.filter((finding) => finding.tier === tier).length;
  const counts = summary.aside && aside ? { aside: { refuted: summary.aside.refuted + aside.refuted.length, fixed: summary.aside.fixed + aside.fixed.length } } : {};
  return { ...summary, proved: count("proved"), contract: count("contract"), pattern: count("pattern"), ...counts, ...(suppressed.length === 0 ? {} : { suppressed: (summary.suppressed ?? 0) + suppressed.length }) };
}

// Every object is rebuilt key by key, so that the order of keys is this file's and nobody else's.

const locationJson = (location: Location) => ({
  patchLine: location.patchLine,
  column: location.column,
  endColumn: location.endColumn,
  file: location.file,
  newLine: location.newLine,
  oldLine: location.oldLine,
});

const relatedJson = (related: RelatedLocation) => ({
  message: related.message,
  ...(related.path === undefined ? {} : { path: related.path }),
  ...(related.document === undefined ? {} : { document: related.document }),
  patchLine: related.patchLine,
  file: related.file,
  newLine: related.newLine,
});

const stepJson = (step: ScheduleStep) => ({
  thread: step.thread,
  step: step.step,
  patchLine: step.patchLine,
  ...(step.file === undefined ? {} : { file: step.file, newLine: step.newLine ?? null }),
  state: step.state,
  ...(step.isWaiting ? { isWaiting: true } : {}),
});

const fixedJson = (fixed: NonNullable<Evidence["fixed"]>) => ({
  title: fixed.title,
  verdict: fixed.verdict,
  states: fixed.states,
  blockedAt: fixed.blockedAt,
  heldBy: fixed.heldBy,
  mutationFails: fixed.mutationFails,
});

const evidenceJson = (evidence: Evidence) => ({
  scenario: evidence.scenario,
  verdict: evidence.verdict,
  property: evidence.property,
  badState: evidence.badState,
  states: evidence.states,
  transitions: evidence.transitions,
  bounds: evidence.bounds,
  assumptions: [...evidence.assumptions],
  schedule: evidence.schedule.map(stepJson),
  fixed: evidence.fixed === null ? null : fixedJson(evidence.fixed),
  ...(evidence.old === undefined ? {} : { old: { verdict: evidence.old.verdict, property: evidence.old.property, states: evidence.old.states } }),
  wrongFixes: [...evidence.wrongFixes],
});

const fixJson = ({ title, isProved, states, blockedAt, heldBy, edits }: VerifiedFix) => ({
  title,
  verified: true,
  proved: isProved,
  states,
  blockedAt,
  heldBy,
  edits: edits.map(({ start, end, remove, insert }) => ({ patchLine: start.line, column: start.column, endPatchLine: end.line, endColumn: end.column, remove, insert })),
});

/** The first fix as the contract has it; the others beside it. */
const fixesJson = ([first, ...others]: readonly VerifiedFix[]) => ({
  fix: first === undefined ? null : fixJson(first),
  ...(others.length === 0 ? {} : { otherFixes: others.map(fixJson) }),
});

const findingJson = (finding: Finding) => ({
  ruleId: finding.ruleId,
  type: finding.type,
  severity: finding.severity,
  tier: finding.tier,
  origin: finding.origin,
  message: finding.message,
  function: finding.function,
  fingerprint: finding.fingerprint,
  location: locationJson(finding.location),
  related: finding.related.map(relatedJson),
  evidence: finding.evidence === null ? null : evidenceJson(finding.evidence),
  ...fixesJson(finding.fixes ?? []),
  ...(finding.fixedBy === undefined ? {} : { fixedBy: { number: finding.fixedBy.number, total: finding.fixedBy.total, subject: finding.fixedBy.subject } }),
  sources: finding.sources.map(({ thread, who, date, link }) => ({ thread, who, date, link })),
});

/** A finding, and who says that it is none; `path` null stands for the input itself. */
const suppressedJson = ({ finding, reason, until, place }: SuppressedFinding) => ({
  ...findingJson(finding),
  suppression: { in: place.in, path: place.path, line: place.line, reason, until },
});

/** One element of `inputs`: plain JSON data in the order of the contract. */
export const inputJson = (path: string, review: Review) => ({
  path,
  messageId: review.messageId,
  subject: review.subject,
  series: review.series === null
    ? null
    : { version: review.series.version, index: review.series.index, total: review.series.total },
  target: {
    release: review.target.release,
    decidedBy: review.target.decidedBy,
    because: review.target.because,
    arch: review.target.arch,
    config: [...review.target.config],
  },
  problems: review.problems.map(({ code, message, line }) => ({ code, message, line })),
  coverage: {
    functions: review.coverage.functions,
    analyzed: review.coverage.analyzed,
    partial: review.coverage.partial,
    calls: review.coverage.calls,
    unknownCalls: review.coverage.unknownCalls,
    ...(review.coverage.preImages === undefined ? {} : { preImages: review.coverage.preImages.map(({ file, from, offset, fuzz }) => ({ file, from, offset, fuzz })) }),
  },
  obligations: review.obligations.map(({ id, ruleId, status, message, patchLines }) =>
    ({ id, ruleId, status, message, patchLines: [...patchLines] })),
  findings: review.findings.map(findingJson),
  ...(review.suppressed === undefined ? {} : { suppressed: review.suppressed.map(suppressedJson) }),
  ...(review.aside === undefined ? {} : { refuted: review.aside.refuted.map(findingJson), fixed: review.aside.fixed.map(findingJson) }),
});

/** Escapes what a terminal might obey and JSON leaves alone. Such characters occur inside strings only. */
const escapeInvisible = (json: string): string =>
  json.replace(/[\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);

/** JSON text of a value, two blanks a level. */
export const jsonText = (value: unknown, indent = 2): string => escapeInvisible(JSON.stringify(value, null, indent));

/** One line of `--format jsonl`, line end included. */
export const jsonLine = (path: string, review: Review): string => `${jsonText(inputJson(path, review), 0)}\n`;

const indented = (json: string, by: string): string => json.replaceAll("\n", `\n${by}`);

// The document of `--format json` in three parts, so that a mailbox of any size can be written as it is read.

export const jsonOpening = (): string =>
  `{\n  "patchwalk": ${jsonText(VERSION)},\n  "ruleset": ${jsonText(RULESET)},\n  "inputs": [`;

/** `index` counts the inputs written so far. */
export const jsonInput = (path: string, review: Review, index: number): string =>
  `${index === 0 ? "" : ","}\n    ${indented(jsonText(inputJson(path, review)), "    ")}`;

/** A configuration file that was used, and what there is to say about it. */
export interface ConfigurationJson {
  readonly path: string;
  readonly problems: readonly { readonly code: string; readonly message: string; readonly line?: number; readonly column?: number }[];
}

export function jsonClosing(summary: Summary, inputs: number, timings: Readonly<Record<string, number>> | null, configurations: readonly ConfigurationJson[] = []): string {
  const { proved, contract, pattern, files, aside, suppressed, baseline } = summary;
  const tail = {
    ...(configurations.length === 0 ? {} : { configurations: configurations.map(({ path, problems }) => ({ path, problems: problems.map(({ code, message, line, column }) => ({ code, message, line: line ?? null, column: column ?? null })) })) }),
    summary: {
      proved, contract, pattern, files,
      ...(aside === undefined ? {} : { refuted: aside.refuted, fixed: aside.fixed }),
      ...(suppressed === undefined ? {} : { suppressed }), ...(baseline === undefined ? {} : { baseline }),
    },
    ...(timings === null ? {} : { timings }),
  };
  return `${inputs === 0 ? "" : "\n  "}],\n${jsonText(tail).slice(2)}\n`;
}
