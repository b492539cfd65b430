// SPDX-License-Identifier: GPL-2.0-only
import type { ScheduleStep } from "../review/finding.ts";
import { clipped, displayWidth, visibleLine } from "./visible.ts";
import { wrapText } from "./wrap.ts";

export interface ColumnOptions {
  /** Columns of the widest line. 72 to 80 in practice. */
  readonly width: number;
  /** What a document line is called: `mail` gives `mail:140`. */
  readonly lineLabel: string;
  /** The thread that stands leftmost, if it takes part; the others follow in order of appearance. */
  readonly firstThread: string | null;
}

/** More threads than this do not fit side by side and are printed as blocks. */
const MOST_COLUMNS = 3;
const GAP = 3;

const threadsOf = (schedule: readonly ScheduleStep[], first: string | null): string[] => {
  const names = [...new Set(schedule.map((step) => step.thread))];
  return first !== null && names.includes(first) ? [first, ...names.filter((name) => name !== first)] : names;
};

const gutterOf = (step: ScheduleStep, label: string): string =>
  step.patchLine !== null ? `${label}:${step.patchLine}` : step.file === undefined ? "" : `${shown(step.file.replace(/^.*\//, ""))}:${step.newLine ?? ""}`;

/** Characters of one statement or state that are shown. */
const MOST_CHARACTERS = 240;

const shown = (text: string): string => clipped(visibleLine(text), MOST_CHARACTERS);
const stepText = (step: ScheduleStep): string => shown(step.step);
const stateText = (step: ScheduleStep): string => (step.state === "" ? "" : `[${shown(step.state)}]`);
const widest = (texts: readonly string[]): number => texts.reduce((width, text) => Math.max(width, displayWidth(text)), 0);

const gutterWidth = (schedule: readonly ScheduleStep[], label: string): number =>
  widest(schedule.map((step) => gutterOf(step, label)));

/** Columns get what they need; where that is too much, the wide ones share what the narrow ones leave. */
function columnWidths(natural: readonly number[], room: number): number[] {
  const widths = natural.map(() => 0);
  let open = natural.map((_, column) => column);
  let left = room;
  while (open.length > 0) {
    const share = Math.floor(left / open.length);
    const narrow = open.filter((column) => (natural[column] ?? 0) <= share);
    const settled = narrow.length > 0 ? narrow : open.slice(0, 1);
    for (const column of settled) {
      widths[column] = narrow.length > 0 ? natural[column] ?? 0 : Math.ceil(left / open.length);
      left -= widths[column] ?? 0;
    }
    open = open.filter((column) => !settled.includes(column));
  }
  return widths;
}

/**
 * The lines of one step inside its column: the statement, then what it changed. A row belongs to one thread, so a long
 * name may run into the columns to its right rather than be cut: `room` is what is left up to the right margin.
 */
function cellLines(step: ScheduleStep, width: number, room: number): string[] {
  const lines = wrapText(stepText(step), { width, wordWidth: room, rest: "  " });
  const state = stateText(step);
  return state === "" ? lines : [...lines, ...wrapText(state, { width, wordWidth: room, first: "  ", rest: "   " })];
}

function sideBySide(schedule: readonly ScheduleStep[], threads: readonly string[], options: ColumnOptions): string[] {
  const gutter = gutterWidth(schedule, options.lineLabel);
  const before = gutter === 0 ? 0 : gutter + 2;
  const natural = threads.map((thread) =>
    widest([
      shown(thread),
      ...schedule.filter((step) => step.thread === thread).flatMap((step) => [stepText(step), `  ${stateText(step)}`]),
    ]));
  const widths = columnWidths(natural, options.width - before - GAP * (threads.length - 1));
  const starts = widths.map((_, column) =>
    before + widths.slice(0, column).reduce((sum, width) => sum + width + GAP, 0));

  const headers = threads.map((thread, column) => wrapText(shown(thread), { width: widths[column] ?? 8 }));
  const lines: string[] = [];
  for (let row = 0; row < Math.max(...headers.map((header) => header.length)); row++) {
    lines.push(placed(headers.map((header) => header[row] ?? ""), starts));
  }
  lines.push(placed(widths.map((width) => "-".repeat(width)), starts));
  for (const step of schedule) {
    const column = threads.indexOf(step.thread);
    const start = starts[column] ?? 0;
    cellLines(step, widths[column] ?? 8, options.width - start).forEach((text, row) => {
      const mark = row === 0 ? gutterOf(step, options.lineLabel) : "";
      lines.push(`${mark.padEnd(start)}${text}`.trimEnd());
    });
  }
  return lines;
}

/** Texts at their columns, without trailing blanks. */
const placed = (texts: readonly string[], starts: readonly number[]): string =>
  texts.reduce((line, text, column) => line + " ".repeat(Math.max(0, (starts[column] ?? 0) - displayWidth(line))) + text, "")
    .trimEnd();

/** One block per run of one thread: for four threads and more. */
function blocks(schedule: readonly ScheduleStep[], options: ColumnOptions): string[] {
  const gutter = gutterWidth(schedule, options.lineLabel);
  const indent = " ".repeat(gutter === 0 ? 2 : gutter + 4);
  const lines: string[] = [];
  schedule.forEach((step, index) => {
    if (index === 0 || schedule[index - 1]?.thread !== step.thread) {
      lines.push(...wrapText(`${shown(step.thread)}:`, { width: options.width }));
    }
    const mark = gutterOf(step, options.lineLabel);
    const first = gutter === 0 ? indent : `  ${mark.padEnd(gutter)}  `;
    lines.push(...wrapText(stepText(step), { width: options.width, first, rest: `${indent}  ` }));
    const state = stateText(step);
    if (state !== "") lines.push(...wrapText(state, { width: options.width, first: `${indent}  `, rest: `${indent}   ` }));
  });
  return lines;
}

/**
 * A schedule as kernel changelogs print it: one column per thread, time downwards, the bad state after `***`.
 * Free of tabs, escape sequences and trailing blanks, ready to be pasted into a mail. Empty for an empty schedule.
 */
export function scheduleColumns(
  schedule: readonly ScheduleStep[],
  badState: string,
  options: ColumnOptions,
): string[] {
  if (schedule.length === 0) return [];
  const threads = threadsOf(schedule, options.firstThread);
  const lines = threads.length > MOST_COLUMNS
    ? blocks(schedule, options)
    : sideBySide(schedule, threads, options);
  const bad = shown(badState);
  return bad === "" ? lines : [...lines, ...wrapText(bad, { width: options.width, first: "*** ", rest: "    " })];
}
