// SPDX-License-Identifier: GPL-2.0-only
import type { Finding, Obligation, PreImageReport, Review, Severity, SuppressedFinding } from "../review/finding.ts";
import { scheduleColumns } from "./columns.ts";
import { evidenceFacts, fixedByText, ORIGINS, reviewedThread, sourceText } from "./evidence.ts";
import { fixText } from "./fix.ts";
import type { Summary } from "./json.ts";
import type { Paint } from "./paint.ts";
import { visibleLine, visiblePath } from "./visible.ts";
import { wrapText } from "./wrap.ts";

export interface TextOptions {
  readonly paint: Paint;
  /** How schedules name a document line: `mail` or `line`. */
  readonly lineLabel: string;
}

const WIDTH = 80;
const INDENT = "  ";
const LABEL_WIDTH = 11;

const severityColor = (severity: Severity, paint: Paint): ((text: string) => string) =>
  severity === "error" ? paint.red : severity === "warning" ? paint.yellow : paint.cyan;

/** A label and its paragraph, wrapped with a hanging indent; an empty label continues the one above. */
const labelled = (label: string, text: string, paint: Paint): string[] => {
  const lead = `${INDENT}${label.padEnd(LABEL_WIDTH)}`;
  return wrapText(text, { width: WIDTH, first: lead, rest: " ".repeat(lead.length) })
    .map((line, index) => (index === 0 ? `${INDENT}${paint.dim(label.padEnd(LABEL_WIDTH))}${line.slice(lead.length)}` : line));
};

/** Facts with one label share it: only the first of a run shows it. */
const labelledFacts = (facts: readonly { label: string; text: string }[], paint: Paint): string[] =>
  facts.flatMap((fact, index) => labelled(facts[index - 1]?.label === fact.label ? "" : fact.label, fact.text, paint));

function scheduleLines(finding: Finding, options: TextOptions): string[] {
  if (finding.evidence === null) return [];
  const lines = scheduleColumns(finding.evidence.schedule, finding.evidence.badState, {
    width: WIDTH - INDENT.length,
    lineLabel: options.lineLabel,
    firstThread: reviewedThread(finding),
  });
  if (lines.length === 0) return [];
  const bad = lines.findIndex((line) => line.startsWith("*** "));
  return ["", ...lines.map((line, row) => INDENT + (bad >= 0 && row >= bad ? options.paint.red(line) : line)), ""];
}

/** The word at the place of the severity for what is no finding. */
type AsideWord = "refuted" | "fixed";

/** The first line is what editors parse: `path:line: severity: message [rule] (tier)`, never wrapped. */
function findingLines(path: string, finding: Finding, options: TextOptions, aside: AsideWord | null = null): string[] {
  const { paint } = options;
  const place = (line: number, document = path): string => paint.bold(`${visiblePath(document)}:${line}:`);
  const color = aside === null ? severityColor(finding.severity, paint) : paint.green;
  return [
    `${place(finding.location.patchLine)} ${color(`${aside ?? finding.severity}:`)} ${paint.bold(visibleLine(finding.message))} ` +
      `[${finding.ruleId}]${aside === null ? ` (${finding.tier})` : ""}`,
    ...finding.related.map((related) => `${related.patchLine === null ? place(related.newLine ?? 0, related.file ?? "") : place(related.patchLine, related.document ?? related.path)} ${paint.cyan("note:")} ${visibleLine(related.message)}`),
    ...scheduleLines(finding, options),
    ...(finding.origin === "introduced" ? [] : labelled("origin", ORIGINS[finding.origin], paint)),
    ...(finding.fixedBy === undefined ? [] : labelled("series", fixedByText(finding.fixedBy), paint)),
    ...(finding.evidence === null ? [] : labelledFacts(evidenceFacts(finding.evidence), paint)),
    ...(finding.fixes ?? []).flatMap((fix) => labelled("fix:", fixText(fix), paint)),
    ...labelledFacts(finding.sources.map((source) => ({ label: "source", text: sourceText(source) })), paint),
  ];
}

/** What a person decided needs no schedule: the finding, why it is none, and who says so. */
function suppressedLines(path: string, { finding, reason, until, place }: SuppressedFinding, paint: Paint): string[] {
  const where = `${visiblePath(place.path ?? path)}:${place.line}`;
  return [
    `${paint.bold(`${visiblePath(path)}:${finding.location.patchLine}:`)} ${paint.green("suppressed:")} ${paint.bold(visibleLine(finding.message))} [${finding.ruleId}] (${finding.tier})`,
    ...labelled("reason", visibleLine(reason), paint),
    ...labelled("said in", until === null ? where : `${where}, until ${until}`, paint),
  ];
}

const linesText = (lines: readonly number[]): string =>
  lines.length === 0 ? "" : ` (line${lines.length === 1 ? "" : "s"} ${lines.join(", ")})`;

function obligationLines(obligation: Obligation, paint: Paint): string[] {
  const [mark, color] = obligation.status === "holds"
    ? ["[x]", paint.green] as const
    : obligation.status === "broken" ? ["[!]", paint.red] as const : ["[ ]", paint.dim] as const;
  const unseen = obligation.status === "not-visible" ? " - not visible here" : obligation.status === "undecided" ? " - cannot be judged from this code" : "";
  const lead = `${INDENT}${mark} ${visibleLine(obligation.id).padEnd(6)} `;
  const text = `${visibleLine(obligation.message)}${unseen}${linesText(obligation.patchLines)}`;
  return wrapText(text, { width: WIDTH, first: lead, rest: " ".repeat(lead.length) })
    .map((line, index) => (index === 0 ? INDENT + color(mark) + line.slice(INDENT.length + mark.length) : line));
}

/** Broken obligations are findings already; a rule with nothing but unseen ones says nothing. */
const worthShowing = (obligations: readonly Obligation[]): readonly Obligation[] =>
  obligations.filter((obligation) =>
    obligations.some((other) => other.ruleId === obligation.ruleId && other.status !== "not-visible"));

const PRE_IMAGES: Readonly<Record<PreImageReport["from"], string>> = {
  blob: "blobs of the repository",
  series: "patches before this one",
  "work-tree": "the work tree",
  applied: "the work tree, which has the patch",
  "new-file": "the patch, which adds the file",
  fragment: "the hunks alone",
};

/** Where the code around the hunks came from: `code from the work tree (2 files), the hunks alone`. */
function preImagesText(preImages: readonly PreImageReport[]): string {
  const parts = Object.entries(PRE_IMAGES).flatMap(([from, words]) => {
    const count = preImages.filter((one) => one.from === from).length;
    return count === 0 ? [] : [count === 1 ? words : `${words} (${count} files)`];
  });
  return parts.length === 0 ? "no code to look at" : `code from ${parts.join(", ")}`;
}

function targetLine(review: Review): string {
  const { release, decidedBy, because, arch, config } = review.target;
  const { functions, partial, calls, unknownCalls, preImages } = review.coverage;
  return [
    `target ${release} by ${decidedBy}${because === "" ? "" : ` (${visibleLine(because)})`}, ${[arch, ...config].join(" ")}`,
    `${functions} function${functions === 1 ? "" : "s"}${partial > 0 ? `, ${partial} seen in part` : ""}`,
    ...(unknownCalls > 0 ? [`${unknownCalls} of ${calls} calls not known`] : []),
    ...(preImages === undefined ? [] : [preImagesText(preImages)]),
  ].join("; ");
}

/** The place in the series, where its cover letter was seen; else the subject says all there is. */
const seriesLines = ({ series }: Review): string[] =>
  series === null || series.title === null ? [] : [`   v${series.version} ${series.index}/${series.total} of "${visibleLine(series.title)}"`];

function headerLines(path: string, review: Review, paint: Paint): string[] {
  const subject = review.subject === null ? "" : `: ${visibleLine(review.subject)}`;
  return [
    paint.bold(`== ${visiblePath(path)}${subject}`),
    ...seriesLines(review).map(paint.dim),
    ...wrapText(targetLine(review), { width: WIDTH, first: "   ", rest: "   " }).map(paint.dim),
  ];
}

/**
 * The report on one input: header, problems of the document, findings with their schedules, obligations that were
 * checked. Empty where there is nothing to say. `brief` leaves out what asks for no action: problems and obligations.
 */
export function inputText(path: string, review: Review, options: TextOptions & { readonly brief: boolean; readonly showsSuppressed?: boolean }): string {
  const { paint } = options;
  const problems = options.brief ? [] : review.problems.map((problem) =>
    `${paint.bold(`${visiblePath(path)}:${problem.line === null ? "" : `${problem.line}:`}`)} ${paint.cyan("note:")} ${visibleLine(problem.message)} ` +
      `[${visibleLine(problem.code)}]`);
  const obligations = options.brief ? [] : worthShowing(review.obligations);
  const checklist = obligations.length === 0
    ? []
    : ["obligations of the mechanism that this patch changes:", ...obligations.flatMap((one) => obligationLines(one, paint))];
  const { refuted = [], fixed = [] } = review.aside ?? {};
  const aside = [...refuted.map((one) => findingLines(path, one, options, "refuted")), ...fixed.map((one) => findingLines(path, one, options, "fixed"))];
  const suppressed = options.showsSuppressed === true ? (review.suppressed ?? []).map((one) => suppressedLines(path, one, paint)) : [];
  const sections = [problems, ...review.findings.map((finding) => findingLines(path, finding, options)), ...suppressed, ...aside, checklist]
    .filter((section) => section.length > 0);
  if (sections.length === 0) return "";
  return [headerLines(path, review, paint), ...sections].map((section) => `${section.join("\n")}\n`).join("\n") + "\n";
}

/** The last line. `mails` counts patches, mails and C files; a file may hold many. */
export function summaryText(summary: Summary, mails: number, paint: Paint): string {
  const { proved, contract, pattern, files } = summary;
  const counts = [
    ...(proved > 0 ? [`${proved} proved`] : []),
    ...(contract > 0 ? [`${contract} contract`] : []),
    ...(pattern > 0 ? [`${pattern} pattern`] : []),
  ];
  const total = proved + contract + pattern;
  const found = total === 0 ? "no findings" : `${total} finding${total === 1 ? "" : "s"} (${counts.join(", ")})`;
  const scope = `${mails} input${mails === 1 ? "" : "s"} in ${files} file${files === 1 ? "" : "s"}`;
  const aside = summary.aside === undefined ? "" : `; ${summary.aside.refuted} refuted, ${summary.aside.fixed} fixed`;
  const others = [
    ...(summary.suppressed === undefined ? [] : [`${summary.suppressed} suppressed`]),
    ...(summary.baseline === undefined ? [] : [`${summary.baseline} in the baseline`]),
  ];
  return `patchwalk: ${total === 0 ? paint.green(found) : paint.bold(found)} in ${scope}${aside}${others.length === 0 ? "" : `; ${others.join(", ")}`}\n`;
}
