// SPDX-License-Identifier: GPL-2.0-only
import type { ruleById } from "../review/catalogue.ts";
import type { Finding, Source } from "../review/finding.ts";
import { scheduleColumns } from "./columns.ts";
import { evidenceFacts, fixedByText, ORIGINS, reviewedThread, sourceText } from "./evidence.ts";
import { fixText } from "./fix.ts";
import { fencedText, markdownLink, plainMarkdown } from "./markdown.ts";
import { visibleLine } from "./visible.ts";
import { wrapText } from "./wrap.ts";
import { capital } from "./words.ts";

type Rule = NonNullable<ReturnType<typeof ruleById>>;

export interface HoverOptions {
  /** What the catalogue says about the finding's rule; null where the rule is not known. */
  readonly rule: Rule | null;
  /** How schedules name a document line: `mail` or `line`. */
  readonly lineLabel: string;
}

/** A popup is narrower than a terminal; three threads side by side need the width of one all the same. */
const WIDTH = 72;
const WIDE = 96;

const LABELS = { explored: "Explored", "fixed by": "Fixed by", "no remedy": "Does not help", assumes: "Assumes" } as const;

const scheduleOf = (finding: Finding, options: HoverOptions, wide: number): string[] =>
  finding.evidence === null ? [] : scheduleColumns(finding.evidence.schedule, finding.evidence.badState, {
    width: new Set(finding.evidence.schedule.map((step) => step.thread)).size > 2 ? wide : WIDTH,
    lineLabel: options.lineLabel,
    firstThread: reviewedThread(finding),
  });

/** Who said so about this finding, else about its rule. */
const sourcesOf = (finding: Finding, options: HoverOptions): readonly Source[] =>
  finding.sources.length > 0 ? finding.sources : options.rule?.sources ?? [];

const sourceMarkdown = (source: Source): string =>
  [plainMarkdown(source.who), plainMarkdown(source.date), markdownLink(source.thread, source.link)]
    .filter((part) => part !== "").join(", ");

/**
 * The rule in words. The finding's own sentence stands in the diagnostic, which editors show above the hover: what comes
 * first here is the schedule.
 */
const headline = (finding: Finding, options: HoverOptions): string =>
  `${options.rule?.title ?? finding.message} (${finding.ruleId}, ${finding.tier})`;

/** A finding as markdown: the rule, the schedule, verdict and repair, why it matters, who said so. */
export function hoverMarkdown(finding: Finding, options: HoverOptions): string {
  const schedule = scheduleOf(finding, options, WIDE);
  const facts = finding.evidence === null ? [] : evidenceFacts(finding.evidence);
  const sources = sourcesOf(finding, options);
  const why = options.rule?.why ?? "";
  return [
    `**${plainMarkdown(headline(finding, options))}**`,
    ...(schedule.length === 0 ? [plainMarkdown(finding.message)] : [fencedText(schedule)]),
    ...(facts.length === 0 ? [] : [facts.map((fact) => `- **${LABELS[fact.label]}:** ${plainMarkdown(fact.text)}`).join("\n")]),
    ...fixesOf(finding).map((fix) => `**Quick fix:** ${plainMarkdown(fix)}`),
    ...(finding.origin === "introduced" ? [] : [plainMarkdown(capital(ORIGINS[finding.origin]))]),
    ...(finding.fixedBy === undefined ? [] : [plainMarkdown(capital(fixedByText(finding.fixedBy)))]),
    ...(why === "" ? [] : [`**Why it matters:** ${plainMarkdown(why)}`]),
    ...(sources.length === 0 ? [] : [`**Sources:** ${sources.map(sourceMarkdown).join("; ")}`]),
  ].join("\n\n");
}

const paragraph = (text: string): string => wrapText(visibleLine(text), { width: WIDTH }).join("\n");
const item = (label: string, text: string): string =>
  wrapText(text, { width: WIDTH, first: `${label}: `, rest: "  " }).join("\n");

/** The same as plain text, for clients that show no markdown. */
export function hoverPlain(finding: Finding, options: HoverOptions): string {
  const schedule = scheduleOf(finding, options, WIDTH);
  const facts = finding.evidence === null ? [] : evidenceFacts(finding.evidence);
  const sources = sourcesOf(finding, options);
  const why = options.rule?.why ?? "";
  return [
    paragraph(headline(finding, options)),
    ...(schedule.length === 0 ? [paragraph(finding.message)] : [schedule.join("\n")]),
    ...(facts.length === 0 ? [] : [facts.map((fact) => item(LABELS[fact.label], fact.text)).join("\n")]),
    ...fixesOf(finding).map((fix) => item("Quick fix", fix)),
    ...(finding.origin === "introduced" ? [] : [paragraph(capital(ORIGINS[finding.origin]))]),
    ...(finding.fixedBy === undefined ? [] : [paragraph(capital(fixedByText(finding.fixedBy)))]),
    ...(why === "" ? [] : [item("Why it matters", visibleLine(why))]),
    ...(sources.length === 0 ? [] : [item("Sources", sources.map(sourceText).join("; "))]),
  ].join("\n\n");
}

const fixesOf = ({ fixes = [] }: Finding): readonly string[] => fixes.map(fixText);

