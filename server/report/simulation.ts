// SPDX-License-Identifier: GPL-2.0-only
import type { Evidence, HeldSpan, ScheduleStep } from "../review/finding.ts";
import type { WhatIf } from "../review/what-if.ts";
import { scheduleColumns } from "./columns.ts";
import { whyFixed } from "./evidence.ts";
import type { Paint } from "./paint.ts";
import { visibleLine } from "./visible.ts";
import { outcomeText, replayText } from "./what-if.ts";
import { wrapText } from "./wrap.ts";
import { count } from "./words.ts";

const WIDTH = 80;

/** Numbers without bound, in decimal digits. */
interface Share {
  readonly total: string;
  readonly failing: string;
}

/** What exploring one variant of a scenario showed. */
export interface SimulationReport {
  readonly scenario: string;
  readonly title: string;
  readonly variant: string;
  readonly what: string;
  /** Release, era and architecture in words. */
  readonly setting: string;
  readonly verdict: "fail" | "pass" | "unknown" | "vacuous";
  /** `reduced`: after reductions, in place of every state. */
  readonly counted: "all" | "reduced";
  readonly states: number;
  readonly transitions: number;
  readonly unreached: readonly string[];
  readonly property: string | null;
  readonly badState: string;
  readonly switches: number | null;
  readonly firstThread: string | null;
  readonly schedule: readonly ScheduleStep[];
  /** The failing schedule of the code as it is, where callers were to hold a lock; else empty. */
  readonly failing: readonly ScheduleStep[];
  readonly held: readonly HeldSpan[];
  /** What mends it, and what it does with the failing schedule; null where nothing fails or nothing mends it. */
  readonly fixed: Evidence["fixed"];
  /** Exact numbers of complete schedules, and of those that differ in more than the order of independent steps. */
  readonly counts: { readonly schedules: Share; readonly classes: Share | null } | null;
  /** For a fixed variant: what happens without its fix; null for others. */
  readonly withoutFix: SimulationReport["verdict"] | null;
  /** What the verdict covers: threads, loops, memory model. */
  readonly bounds: string;
  /** What it rests on besides. */
  readonly assumptions: readonly string[];
  /** Where callers were to hold a lock: what becomes of the failing schedule of the code as it is. Null: nobody asked. */
  readonly assumeHeld: WhatIf | null;
  readonly sources: readonly string[];
}

/** One sentence about a verdict, as exact as it is. */
function verdictText(report: SimulationReport): string {
  const size = `${count(report.states, "state")}, ${count(report.transitions, "transition")}${report.counted === "all" ? "" : " after reductions"}`;
  switch (report.verdict) {
    case "fail":
      return `FAIL: ${visibleLine(report.property ?? "")} (${size} up to the first failure${report.switches === null ? "" : `; ${count(report.switches, "context switch").replace(/switchs$/, "switches")}`})`;
    case "pass":
      return `PASS: no schedule of this model fails (all ${size})${report.withoutFix === "fail" ? "; without the fix it fails" : ""}`;
    case "unknown":
      return `UNKNOWN: cut short after ${size}`;
    case "vacuous":
      return `VACUOUS: never reached: ${report.unreached.map(visibleLine).join("; ")} (all ${size})`;
  }
}

const digits = (number: string): string => number.replace(/\B(?=(\d{3})+$)/g, ",");
const shareText = ({ total, failing }: Share, what: string): string => `${digits(failing)} of ${digits(total)} ${what}`;

/** What a lock that callers hold changes. */
function heldLines({ assumeHeld, failing, firstThread }: SimulationReport): string[] {
  const replay = assumeHeld && replayText(assumeHeld, failing, firstThread);
  return assumeHeld === null ? [] : [outcomeText(assumeHeld), ...(replay === null ? [] : [replay])];
}

function oftenText({ schedules, classes }: NonNullable<SimulationReport["counts"]>): string {
  if (schedules.failing === schedules.total) return "fails in every schedule";
  return `fails in ${shareText(schedules, "schedules")}${classes === null ? "" : `, ${shareText(classes, "that differ in more than the order of independent steps")}`}`;
}

/** How often it fails, and why the fix works. */
function factLines({ counts, fixed, verdict }: SimulationReport): string[] {
  if (verdict !== "fail") return [];
  const often = counts === null ? [] : [oftenText(counts)];
  const mended = fixed === null ? [] : [`with "${visibleLine(fixed.title)}" the schedule ${whyFixed(fixed)}`];
  return [...often, ...mended];
}

const paintVerdict = ({ verdict }: SimulationReport, paint: Paint): ((text: string) => string) =>
  verdict === "fail" ? paint.red : verdict === "pass" ? paint.green : paint.yellow;

/** One variant with its schedule. */
export function simulationText(report: SimulationReport, paint: Paint): string {
  const columns = scheduleColumns(report.schedule, report.badState, { width: WIDTH - 2, lineLabel: "line", firstThread: report.firstThread });
  const bad = columns.findIndex((line) => line.startsWith("*** "));
  const color = paintVerdict(report, paint);
  return [
    ...wrapText(`${report.scenario}: ${visibleLine(report.title)}`, { width: WIDTH, rest: "  " }).map(paint.bold),
    ...wrapText(`${report.variant}: ${visibleLine(report.what)}; ${report.setting}`, { width: WIDTH, first: "  ", rest: "  " }).map(paint.dim),
    ...wrapText(verdictText(report), { width: WIDTH, first: "  ", rest: "    " }).map(color),
    ...(columns.length === 0 ? [] : ["", ...columns.map((line, row) => `  ${bad >= 0 && row >= bad ? paint.red(line) : line}`)]),
    ...[...heldLines(report), ...factLines(report)].flatMap((fact) => ["", ...wrapText(fact, { width: WIDTH, first: "  ", rest: "  " })]),
    "",
    ...wrapText(`covers ${visibleLine(report.bounds)}`, { width: WIDTH, first: "  ", rest: "    " }).map(paint.dim),
    ...report.assumptions.flatMap((one) => wrapText(`assumes ${visibleLine(one)}`, { width: WIDTH, first: "  ", rest: "    " })).map(paint.dim),
    ...report.sources.flatMap((source) => wrapText(`read from ${visibleLine(source)}`, { width: WIDTH, first: "  ", rest: "    " })).map(paint.dim),
    "",
  ].join("\n");
}
