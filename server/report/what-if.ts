// SPDX-License-Identifier: GPL-2.0-only
import type { Finding, ScheduleStep } from "../review/finding.ts";
import type { WhatIf, WhatIfAnswer } from "../review/what-if.ts";
import { scheduleColumns } from "./columns.ts";
import { evidenceFacts, reviewedThread } from "./evidence.ts";
import { visibleLine } from "./visible.ts";
import { wrapText } from "./wrap.ts";
import { capital, count } from "./words.ts";

const WIDTH = 76;

/** What exploring with the lock held showed, in one sentence. */
export function outcomeText({ outcome, lock, states, transitions, counted, unreached, takenBy }: WhatIf): string {
  const name = visibleLine(lock);
  const size = `${count(states, "state")}, ${count(transitions, "transition")}${counted === "all" ? "" : " after reductions"}`;
  const others = takenBy.length === 0 ? "; no other thread of this scenario takes it" : "";
  switch (outcome) {
    case "not-taken":
      return `${name}: no thread of this scenario takes it: it changes nothing`;
    case "pass":
      return `with ${name} held by the caller no schedule of this scenario fails (all ${size})`;
    case "fail":
      return `with ${name} held by the caller it still fails (${size} up to the first failure${others})`;
    case "deadlock":
      return `with ${name} held by the caller it does not get that far: it deadlocks (all ${size})`;
    case "vacuous":
      return `with ${name} held by the caller there is no answer: never reached: ${unreached.map(visibleLine).join("; ")} (all ${size})`;
    case "unknown":
      return `with ${name} held by the caller: cut short after ${size}`;
  }
}

/** The place of a step among the rows of the failing schedule, from 1; null where it is none of them. */
function rowOf(step: ScheduleStep, schedule: readonly ScheduleStep[], from: number): number | null {
  const isIt = (row: ScheduleStep): boolean => row.thread === step.thread && (row.step === step.step || row.step.startsWith(`${step.step} [`));
  const later = schedule.findIndex((row, index) => index >= from && isIt(row));
  const at = later >= 0 ? later : schedule.findIndex(isIt);
  return at < 0 ? null : at + 1;
}

/**
 * Where the failing schedule of the code as it is stops with the lock held, and who holds what; null where that was not asked.
 * `reviewed`: the thread whose caller holds the lock.
 */
export function replayText({ replay, heldBy, outcome }: WhatIf, schedule: readonly ScheduleStep[], reviewed: string | null): string | null {
  if (replay === null || outcome === "not-taken") return null;
  const { blocked, waitsFor } = replay;
  if (blocked === null) return outcome === "fail" ? "the failing schedule goes through as before" : "the failing schedule ends well";
  const row = rowOf(blocked, schedule, Math.max(0, replay.steps.filter(({ added }) => !added).length - 1));
  const step = `${visibleLine(blocked.thread)}: ${visibleLine(blocked.step)}`;
  const holder = heldBy === null ? "" : `, held by ${heldBy === reviewed ? `the caller of ${visibleLine(heldBy)}` : visibleLine(heldBy)}`;
  const waits = waitsFor.length === 0 ? "" : `, which waits for ${waitsFor.map(visibleLine).join(", ")}${holder}`;
  return `the failing schedule stops ${row === null ? "" : `at step ${row} of ${schedule.length}, `}at "${step}"${waits}`;
}

export interface WhatIfOptions {
  /** How schedules name a document line: `mail` or `line`. */
  readonly lineLabel: string;
}

const paragraphs = (texts: readonly string[]): string[] => texts.flatMap((text) => wrapText(visibleLine(text), { width: WIDTH, rest: "  " }));

const listed = (locks: readonly string[]): string => (locks.length === 0 ? "this scenario has no locks" : `its locks are ${locks.map(visibleLine).join(", ")}`);

/** What a verdict covers and rests on, said of a finding: it holds for every question about it as well. */
function coverage({ evidence }: Finding, { assumptions }: WhatIf): string[] {
  if (evidence === null) return [];
  const assumed = new Set([...evidence.assumptions, ...assumptions]);
  return [...(evidence.bounds === "" ? [] : [`covers: ${visibleLine(evidence.bounds)}`]), ...[...assumed].map((one) => `assumes: ${visibleLine(one)}`)];
}

/** The answer as plain text, a few lines wide enough for columns. */
export function whatIfText(answer: WhatIfAnswer, options: WhatIfOptions): string {
  switch (answer.kind) {
    case "no-finding":
      return "The document does not have this finding any more.";
    case "no-schedule":
      return "Nothing fails in what was explored for this finding: there is no schedule to ask about.";
    case "unknown-lock":
      return `No lock is called '${visibleLine(answer.lock)}' here: ${listed(answer.locks)}.`;
    case "locks":
      return `What if the caller of ${visibleLine(answer.finding.function ?? "the function")}() holds a lock? ${capital(listed(answer.locks))}.`;
    case "answer": {
      const { finding, whatIf } = answer;
      const reviewed = reviewedThread(finding);
      const replay = replayText(whatIf, finding.evidence?.schedule ?? [], reviewed);
      const columns = scheduleColumns(whatIf.schedule, whatIf.badState, { width: WIDTH, lineLabel: options.lineLabel, firstThread: reviewed });
      return [
        ...paragraphs([`${finding.message} [${finding.ruleId}]`]), "",
        ...paragraphs([whatIf.outcome === "not-taken" ? outcomeText(whatIf) : capital(outcomeText(whatIf)), ...(replay === null ? [] : [capital(replay)])]),
        ...(columns.length === 0 ? [] : ["", ...columns]),
        "", ...paragraphs(coverage(finding, whatIf)), "",
      ].join("\n");
    }
  }
}

/** The failing schedule of a finding as plain text, with what was explored. */
export function interleavingText(finding: Finding, options: WhatIfOptions): string {
  const { evidence } = finding;
  const columns = evidence === null ? [] : scheduleColumns(evidence.schedule, evidence.badState, { width: WIDTH, lineLabel: options.lineLabel, firstThread: reviewedThread(finding) });
  const facts = evidence === null ? [] : evidenceFacts(evidence).map(({ label, text }) => `${label}: ${text}`);
  return [...paragraphs([`${finding.message} [${finding.ruleId}] (${finding.tier})`]), "", ...columns, "", ...paragraphs(facts), ""].join("\n");
}

