// SPDX-License-Identifier: GPL-2.0-only
import type { Evidence, HeldSpan, ScheduleStep } from "../review/finding.ts";
import { whyFixed } from "./evidence.ts";
import { clipped, visibleLine } from "./visible.ts";

/** One step in a picture. All texts of a picture are one visible line each, not escaped for any format. */
export interface PictureStep {
  readonly lane: number;
  readonly text: string;
  /** How the step went, where it could have gone otherwise; "" elsewhere. */
  readonly note: string;
  /** What the step changed; "" where nothing visible did. */
  readonly state: string;
  /** Line of the document, or null. */
  readonly line: number | null;
  readonly mark: "plain" | "added" | "bad" | "blocked";
}

/** What a lane holds from one step to another. */
export interface PictureSpan {
  readonly lane: number;
  readonly kind: HeldSpan["kind"];
  readonly name: string;
  readonly from: number;
  /** The last step of the span; null where it reaches beyond the end. */
  readonly to: number | null;
  /** What the blocked step waits for. */
  readonly isAwaited: boolean;
}

/** A schedule as pictures show it: one lane a thread, steps downwards, and how it ends. */
export interface Picture {
  readonly heading: string;
  readonly lanes: readonly string[];
  readonly steps: readonly PictureStep[];
  readonly spans: readonly PictureSpan[];
  readonly end: { readonly kind: "bad" | "blocked" | "well"; readonly text: string };
}

/** Characters of one text that are shown. */
const MOST_CHARACTERS = 240;
const shown = (text: string): string => clipped(visibleLine(text), MOST_CHARACTERS);

/** Threads from left to right: the one under review, then in order of appearance. */
export function lanesOf(steps: readonly ScheduleStep[], first: string | null): string[] {
  const names = [...new Set(steps.map((step) => step.thread))];
  return first !== null && names.includes(first) ? [first, ...names.filter((name) => name !== first)] : names;
}

/** A schedule has remarks in brackets behind the statement; in C, an index follows its array at once. */
const WITH_NOTE = /^(.*\S) \[([^[\]]*)\]$/;

const stepOf = (step: ScheduleStep, lanes: readonly string[], mark: PictureStep["mark"]): PictureStep => {
  const [, text, note] = WITH_NOTE.exec(visibleLine(step.step)) ?? [null, visibleLine(step.step), ""];
  return {
    lane: lanes.indexOf(step.thread), text: shown(text ?? ""), note: shown(note ?? ""), state: shown(step.state), line: step.patchLine, mark,
  };
};

const spansOf = (held: readonly HeldSpan[], lanes: readonly string[], awaited: readonly string[]): PictureSpan[] =>
  held.filter(({ thread }) => lanes.includes(thread)).map(({ thread, kind, name, from, to }) => ({
    lane: lanes.indexOf(thread), kind, name: shown(name), from, to, isAwaited: to === null && awaited.includes(name),
  }));

/** The failing schedule; null where there is none. */
export function failingPicture(evidence: Evidence, firstThread: string | null): Picture | null {
  const { schedule, held, badState } = evidence;
  if (schedule.length === 0) return null;
  const lanes = lanesOf(schedule, firstThread);
  const last = schedule.length - 1;
  return {
    heading: "The schedule that fails",
    lanes: lanes.map(shown),
    steps: schedule.map((step, index) => stepOf(step, lanes, step.isWaiting ? "blocked" : index === last ? "bad" : "plain")),
    spans: spansOf(held, lanes, []),
    end: { kind: "bad", text: shown(badState) },
  };
}

/** The same schedule with the reference fix; null where no fix passes. */
export function fixedPicture(evidence: Evidence, firstThread: string | null): Picture | null {
  const { fixed, schedule } = evidence;
  if (fixed === null || fixed.verdict !== "pass") return null;
  const { steps, held, blocked, waitsFor } = fixed.replay;
  // The lanes of the failing schedule, so that the two compare.
  const lanes = lanesOf([...schedule, ...steps, ...(blocked === null ? [] : [blocked])], firstThread);
  return {
    heading: shown(`Fixed by: ${fixed.title}`),
    lanes: lanes.map(shown),
    steps: [
      ...steps.map((step) => stepOf(step, lanes, step.added ? "added" : "plain")),
      ...(blocked === null ? [] : [stepOf(blocked, lanes, "blocked")]),
    ],
    spans: spansOf(held, lanes, waitsFor),
    end: { kind: blocked === null ? "well" : "blocked", text: shown(`The schedule ${whyFixed(fixed)}`) },
  };
}

/** Numbers of the steps that stand on one row of two pictures side by side; null: nothing. */
export interface PairedRow {
  readonly left: number | null;
  readonly right: number | null;
}

const isSame = (one: PictureStep, other: PictureStep): boolean => one.lane === other.lane && one.text === other.text;

/** Steps without a counterpart, between two rows that have one: those of one lane stand side by side, as changed lines do. */
function changedRows(left: Picture, right: Picture, lefts: readonly number[], rights: readonly number[]): PairedRow[] {
  const rows: PairedRow[] = [];
  let next = 0;
  for (const own of rights) {
    const other = lefts[next];
    const isPair = other !== undefined && left.steps[other]?.lane === right.steps[own]?.lane;
    rows.push({ left: isPair ? other : null, right: own });
    if (isPair) next++;
  }
  return [...rows, ...lefts.slice(next).map((own) => ({ left: own, right: null }))];
}

/** Lines two schedules up: equal steps share a row as long as both keep their order. */
export function pairRows(left: Picture, right: Picture): PairedRow[] {
  const rows: PairedRow[] = [];
  let next = 0;
  let changed: number[] = [];
  const upTo = (end: number): void => {
    rows.push(...changedRows(left, right, Array.from({ length: end - next }, (_, index) => next + index), changed));
    next = end;
    changed = [];
  };
  right.steps.forEach((step, index) => {
    const match = step.mark === "added" ? -1 : left.steps.findIndex((other, at) => at >= next && isSame(other, step));
    if (match < 0) {
      changed.push(index);
      return;
    }
    upTo(match);
    rows.push({ left: next++, right: index });
  });
  upTo(left.steps.length);
  return rows;
}
