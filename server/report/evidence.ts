// SPDX-License-Identifier: GPL-2.0-only
import type { Evidence, Finding, FixedBy, Origin, Verdict } from "../review/finding.ts";
import { visibleLine } from "./visible.ts";
import { count } from "./words.ts";

/** One labelled paragraph about a finding's evidence. All texts are safe to print. */
export interface EvidenceFact {
  readonly label: "explored" | "fixed by" | "no remedy" | "assumes";
  readonly text: string;
}

/** `explored to the end` and not `proved`: what a verdict covers is said beside it. */
const VERDICTS: Readonly<Record<Verdict, string>> = {
  fail: "the schedule above breaks it",
  pass: "no schedule breaks it",
  unknown: "cut short before an answer",
  vacuous: "no answer: the steps in question were never reached",
  "not-lifted": "not explored: the code could not be turned into a thread",
};

function exploredText(evidence: Evidence): string {
  const property = visibleLine(evidence.property);
  const verdict = evidence.verdict === "fail" && evidence.schedule.length === 0
    ? "a schedule breaks it"
    : VERDICTS[evidence.verdict];
  const head = property === "" ? verdict : `${property}: ${verdict}`;
  if (evidence.verdict === "not-lifted") return head;
  const bounds = visibleLine(evidence.bounds);
  const size = `${count(evidence.states, "state")}, ${count(evidence.transitions, "transition")}`;
  return `${head} (${size}${bounds === "" ? "" : `; ${bounds}`})`;
}

/** What exploring the other side of the diff showed, where that was done. */
const oldText = ({ verdict, property, states }: NonNullable<Evidence["old"]>): string =>
  `the old code: ${visibleLine(property)}: ${verdict === "fail" ? "a schedule breaks it too" : VERDICTS[verdict]} (${count(states, "state")})`;

/** The later patch that removes a finding: `fixed by 4/7 "mm: drop the lock"`. */
export const fixedByText = ({ number, total, subject }: FixedBy): string => `fixed by ${number}/${total}${subject === null ? "" : ` "${visibleLine(subject)}"`}`;

/** Why a fix works, in words for the end of a sentence about the failing schedule. */
export function whyFixed(fixed: NonNullable<Evidence["fixed"]>): string {
  if (fixed.blockedAt === null) return "ends well";
  const holder = fixed.heldBy === null ? "" : `, held by: ${visibleLine(fixed.heldBy)}`;
  return `stops at "${visibleLine(fixed.blockedAt)}"${holder}`;
}

function fixedText(fixed: NonNullable<Evidence["fixed"]>): string {
  const title = visibleLine(fixed.title);
  switch (fixed.verdict) {
    case "pass":
      return [
        fixed.counted === "all"
          ? `${title}: passes, all ${count(fixed.states, "state")} explored`
          : `${title}: passes, ${count(fixed.states, "state")} explored after reductions`,
        `the schedule above then ${whyFixed(fixed)}`,
        ...(fixed.mutationFails ? ["undoing the fix fails again"] : []),
      ].join("; ");
    case "fail":
      return `${title}: still fails (${count(fixed.states, "state")})`;
    default:
      return `${title}: ${VERDICTS[fixed.verdict]} (${count(fixed.states, "state")})`;
  }
}

/** What was explored, what repairs it, what does not, and what was assumed, in this order. */
export const evidenceFacts = (evidence: Evidence): EvidenceFact[] => [
  { label: "explored", text: exploredText(evidence) },
  ...(evidence.old === undefined ? [] : [{ label: "explored" as const, text: oldText(evidence.old) }]),
  ...(evidence.fixed === null ? [] : [{ label: "fixed by" as const, text: fixedText(evidence.fixed) }]),
  ...evidence.wrongFixes.map((text) => ({ label: "no remedy" as const, text: visibleLine(text) })),
  ...evidence.assumptions.map((text) => ({ label: "assumes" as const, text: visibleLine(text) })),
];

/** How a finding relates to the two sides of the diff, for a person. */
export const ORIGINS: Readonly<Record<Origin, string>> = {
  introduced: "introduced: the old code does not have it",
  "incomplete-fix": "incomplete fix: the old code has it too, and this patch changes the code concerned",
  interaction: "interaction: an old line that fails because of a changed one",
  "pre-existing": "pre-existing: the old code has it too, and this patch does not touch it",
  fixed: "fixed: the old code has it, and this patch mends it",
};

/** `thread, who, date` of a source, without the parts that are not known. */
export const sourceText = (source: Finding["sources"][number]): string =>
  [source.who, source.date].map(visibleLine).filter((part) => part !== "").join(", ") +
  (source.thread === "" ? "" : `: ${visibleLine(source.thread)}`);

/** The thread under review as schedules name it, or null. */
export const reviewedThread = (finding: Finding): string | null =>
  finding.function === null ? null : `${finding.function}()`;
