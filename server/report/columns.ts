// SPDX-License-Identifier: GPL-2.0-only
import type { ScheduleStep } from "../review/finding.ts";
import { lanesOf } from "./picture.ts";
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

/** More threads than this are printed as blocks, unless they are narrow. */
const MOST_COLUMNS = 3;
const GAP = 3;

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

/** What a column asks for: its longest line, and the name above it. */
interface Wanted {
  readonly width: number;
  readonly name: number;
}

/** The part of its even share of the room that a column keeps to the next, whatever stands in it. */
const LEAST_SHARE = 0.75;

const fits = (wanted: readonly Wanted[], room: number): boolean =>
  wanted.reduce((sum, { width }) => sum + width + GAP, -GAP) <= room;

/** The furthest left that each column may start: names do not meet, and no column is squeezed out. */
function leastStarts(wanted: readonly Wanted[], room: number): number[] {
  const even = Math.floor(room / wanted.length);
  // Names stay whole where all of them fit beside each other.
  const most = fits(wanted.map(({ name }) => ({ name, width: name })), room) ? room : even - GAP;
  const starts: number[] = [];
  wanted.forEach((_, column) => {
    const name = Math.min(wanted[column - 1]?.name ?? 0, most) + GAP;
    starts.push(column === 0 ? 0 : Math.max(Math.floor(LEAST_SHARE * column * even), (starts[column - 1] ?? 0) + name));
  });
  return starts;
}

/**
 * Where columns start. Side by side where there is room; else the last one starts where its longest line just fits, within
 * limits, and the others stand beside their right neighbor where they can: a row belongs to one thread, so what stands
 * further left may run past the start of the next column.
 */
function columnStarts(wanted: readonly Wanted[], room: number): number[] {
  if (fits(wanted, room)) return wanted.map((_, column) => wanted.slice(0, column).reduce((sum, { width }) => sum + width + GAP, 0));
  const starts = leastStarts(wanted, room);
  let end = room + GAP;
  for (let column = starts.length - 1; column > 0; column--) {
    starts[column] = Math.max(starts[column] ?? 0, end - GAP - (wanted[column]?.width ?? 0));
    end = starts[column] ?? 0;
  }
  return starts;
}

/** The lines of one step in its column, up to the right margin: the statement, then what it changed. */
function cellLines(step: ScheduleStep, width: number): string[] {
  const lines = wrapText(stepText(step), { width, rest: "  " });
  const state = stateText(step);
  return state === "" ? lines : [...lines, ...wrapText(state, { width, first: "  ", rest: "   " })];
}

const wantedBy = (schedule: readonly ScheduleStep[], threads: readonly string[]): Wanted[] =>
  threads.map((thread) => {
    const own = schedule.filter((step) => step.thread === thread);
    const name = displayWidth(shown(thread));
    return { name, width: Math.max(name, widest(own.flatMap((step) => [stepText(step), `  ${stateText(step)}`]))) };
  });

const roomFor = (schedule: readonly ScheduleStep[], options: ColumnOptions): { readonly before: number; readonly room: number } => {
  const gutter = gutterWidth(schedule, options.lineLabel);
  const before = gutter === 0 ? 0 : gutter + 2;
  return { before, room: options.width - before };
};

/** Many threads stand side by side only where nothing needs to be folded. */
function fitsSideBySide(schedule: readonly ScheduleStep[], threads: readonly string[], options: ColumnOptions): boolean {
  if (threads.length <= MOST_COLUMNS) return true;
  return fits(wantedBy(schedule, threads), roomFor(schedule, options).room);
}

function sideBySide(schedule: readonly ScheduleStep[], threads: readonly string[], options: ColumnOptions): string[] {
  const { before, room } = roomFor(schedule, options);
  const wanted = wantedBy(schedule, threads);
  const starts = columnStarts(wanted, room).map((start) => before + start);
  const widths = starts.map((start, column) => Math.min(wanted[column]?.width ?? 0, (starts[column + 1] ?? options.width + GAP) - GAP - start));

  const headers = threads.map((thread, column) => wrapText(shown(thread), { width: widths[column] ?? 8 }));
  const lines: string[] = [];
  for (let row = 0; row < Math.max(...headers.map((header) => header.length)); row++) {
    lines.push(placed(headers.map((header) => header[row] ?? ""), starts));
  }
  lines.push(placed(widths.map((width) => "-".repeat(width)), starts));
  for (const step of schedule) {
    const start = starts[threads.indexOf(step.thread)] ?? 0;
    cellLines(step, options.width - start).forEach((text, row) => {
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
  const threads = lanesOf(schedule, options.firstThread);
  const lines = fitsSideBySide(schedule, threads, options)
    ? sideBySide(schedule, threads, options)
    : blocks(schedule, options);
  const bad = shown(badState);
  return bad === "" ? lines : [...lines, ...wrapText(bad, { width: options.width, first: "*** ", rest: "    " })];
}
