// SPDX-License-Identifier: GPL-2.0-only
import type { ruleById } from "../review/catalogue.ts";
import type { Finding, Source } from "../review/finding.ts";
import { scheduleColumns } from "./columns.ts";
import { evidenceFacts, ORIGINS, reviewedThread, sourceText } from "./evidence.ts";
import { fencedText, markdownLink, plainMarkdown } from "./markdown.ts";
import { visibleLine } from "./visible.ts";
import { wrapText } from "./wrap.ts";

type Rule = NonNullable<ReturnType<typeof ruleById>>;

export interface HoverOptions {
  /** What the catalogue says about the finding's rule; null where the rule is not known. */
  readonly rule: Rule | null;
  /** How schedules name a document line: `mail` or `line`. */
  readonly lineLabel: string;
}

/** A popup is narrower than a terminal. */
const WIDTH = 72;

const LABELS = { explored: "Explored", "fixed by": "Fixed by", "no remedy": "Does not help", assumes: "Assumes" } as const;

const scheduleOf = (finding: Finding, options: HoverOptions): string[] =>
  finding.evidence === null ? [] : scheduleColumns(finding.evidence.schedule, finding.evidence.badState, {
    width: WIDTH,
    lineLabel: options.lineLabel,
    firstThread: reviewedThread(finding),
  });

/** Who said so about this finding, else about its rule. */
const sourcesOf = (finding: Finding, options: HoverOptions): readonly Source[] =>
  finding.sources.length > 0 ? finding.sources : options.rule?.sources ?? [];

const sourceMarkdown = (source: Source): string =>
  [plainMarkdown(source.who), plainMarkdown(source.date), markdownLink(source.thread, source.link)]
    .filter((part) => part !== "").join(", ");

/** A finding as markdown: sentence, why it matters, schedule, verdict, repair, who said so. */
export function hoverMarkdown(finding: Finding, options: HoverOptions): string {
  const schedule = scheduleOf(finding, options);
  const facts = finding.evidence === null ? [] : evidenceFacts(finding.evidence);
  const sources = sourcesOf(finding, options);
  const why = options.rule?.why ?? "";
  return [
    `**${plainMarkdown(finding.ruleId)}** (${finding.severity}, ${finding.tier})`,
    plainMarkdown(finding.message),
    ...(why === "" ? [] : [`**Why it matters:** ${plainMarkdown(why)}`]),
    ...(finding.origin === "introduced" ? [] : [plainMarkdown(capital(ORIGINS[finding.origin]))]),
    ...(schedule.length === 0 ? [] : [fencedText(schedule)]),
    ...(facts.length === 0 ? [] : [facts.map((fact) => `- **${LABELS[fact.label]}:** ${plainMarkdown(fact.text)}`).join("\n")]),
    ...(sources.length === 0 ? [] : [`**Who said so:** ${sources.map(sourceMarkdown).join("; ")}`]),
  ].join("\n\n");
}

const paragraph = (text: string): string => wrapText(visibleLine(text), { width: WIDTH }).join("\n");
const item = (label: string, text: string): string =>
  wrapText(text, { width: WIDTH, first: `${label}: `, rest: "  " }).join("\n");

/** The same as plain text, for clients that show no markdown. */
export function hoverPlain(finding: Finding, options: HoverOptions): string {
  const schedule = scheduleOf(finding, options);
  const facts = finding.evidence === null ? [] : evidenceFacts(finding.evidence);
  const sources = sourcesOf(finding, options);
  const why = options.rule?.why ?? "";
  return [
    `${visibleLine(finding.ruleId)} (${finding.severity}, ${finding.tier})`,
    paragraph(finding.message),
    ...(why === "" ? [] : [item("Why it matters", visibleLine(why))]),
    ...(finding.origin === "introduced" ? [] : [paragraph(capital(ORIGINS[finding.origin]))]),
    ...(schedule.length === 0 ? [] : [schedule.join("\n")]),
    ...(facts.length === 0 ? [] : [facts.map((fact) => item(LABELS[fact.label], fact.text)).join("\n")]),
    ...(sources.length === 0 ? [] : [item("Who said so", sources.map(sourceText).join("; "))]),
  ].join("\n\n");
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
