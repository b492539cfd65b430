// SPDX-License-Identifier: GPL-2.0-only
import { pairRows, type Picture, type PictureSpan, type PictureStep } from "./picture.ts";
import { cutToWidth, fittingLines, glyphs, textWidth } from "./svg-text.ts";

// Where everything stands. Sizes are user units, which are pixels at the natural size.

export const MARGIN = 16;
export const SIZE = 12;
export const SMALL = 10.5;
export const LEADING = 16;
export const PAD = 7;
export const ROW_GAP = 8;
export const PANEL_GAP = 36;
export const BAR = 15;
/** Height of a name of one line above a lane. */
const HEAD = 26;
/** Lines of a name; what is longer than these is cut. */
const MOST_HEAD_LINES = 2;
/** Width of the strip beside the boxes where atomic sections have their names. */
export const STRIP = 15;
/** Room for the sign of a marked step, left of its text. */
export const SIGN = 16;

const BAR_GAP = 3;
const LANE_GAP = 14;
const LEAST_BOX = 112;
/** Widest step box, by number of lanes. */
const MOST_BOX: readonly number[] = [0, 480, 356, 236, 196];

/** One thread: bars, then boxes, then the strip of atomic sections. */
export interface Lane {
  readonly name: string;
  readonly left: number;
  readonly right: number;
  readonly boxLeft: number;
  readonly boxRight: number;
}

/** The name above a lane, folded. */
export function headLines({ name, left, right }: Lane): readonly string[] {
  const room = right - left - 2 * PAD;
  const lines = fittingLines(name, SIZE, room);
  if (lines.length <= MOST_HEAD_LINES) return lines;
  return [...lines.slice(0, MOST_HEAD_LINES - 1), cutToWidth(lines.slice(MOST_HEAD_LINES - 1).join(" "), SIZE, room)];
}

/** Height of the names above all lanes. */
export const headHeight = (panels: readonly Panel[]): number =>
  HEAD + (Math.max(1, ...panels.flatMap(({ lanes }) => lanes.map((lane) => headLines(lane).length))) - 1) * LEADING;

/** One step folded into its box. */
export interface FoldedStep {
  readonly step: PictureStep;
  readonly lines: readonly string[];
  /** What happened, and what changed. */
  readonly remarks: readonly string[];
  readonly height: number;
}

/** A picture with everything placed from left to right; rows are placed when both sides are known. */
export interface Panel {
  readonly picture: Picture;
  readonly left: number;
  readonly width: number;
  readonly lanes: readonly Lane[];
  readonly steps: readonly FoldedStep[];
  /** Left edge of each span's bar; atomic sections have none and are shaded. */
  readonly bars: readonly number[];
}

/** A row's place from top to bottom. */
export interface Row {
  readonly top: number;
  readonly bottom: number;
}

/** Bars of one lane that overlap stand in different columns. */
function barColumns({ spans, steps }: Picture): number[] {
  const columns: number[] = [];
  spans.forEach((span, index) => {
    const isBeside = (other: PictureSpan): boolean => other.kind === "lock" && other.lane === span.lane && (other.to ?? steps.length) >= span.from;
    const taken = new Set(spans.slice(0, index).flatMap((other, at) => (isBeside(other) ? [columns[at]] : [])));
    let column = 0;
    while (taken.has(column)) column++;
    columns.push(column);
  });
  return columns;
}

/** What a step says below its statement: how it went, and what it changed. */
const remarksOf = ({ note, state }: PictureStep): string[] => [...(note === "" ? [] : [`(${note})`]), ...(state === "" ? [] : [state.replaceAll(" -> ", " \u2192 ")])];

function boxWidth(picture: Picture, lane: number): number {
  const most = MOST_BOX[Math.min(picture.lanes.length, MOST_BOX.length - 1)] ?? LEAST_BOX;
  const own = picture.steps.filter((step) => step.lane === lane);
  const wanted = own.map((step) =>
    Math.max(
      glyphs(step.text) * textWidth("m", SIZE) + (step.mark === "plain" ? 0 : SIGN),
      ...remarksOf(step).map((remark) => textWidth(remark, SMALL)),
    ));
  return Math.min(most, Math.max(LEAST_BOX, textWidth(picture.lanes[lane] ?? "", SIZE) + 2 * PAD + 2, ...wanted.map((width) => width + 2 * PAD)));
}

function placeLanes(picture: Picture, columns: readonly number[], left: number): Lane[] {
  let at = left;
  return picture.lanes.map((name, lane) => {
    const own = picture.spans.flatMap((span, index) => (span.lane === lane ? [{ span, column: columns[index] ?? 0 }] : []));
    const bars = Math.max(0, ...own.map(({ span, column }) => (span.kind === "lock" ? column + 1 : 0)));
    const boxLeft = at + (bars === 0 ? 0 : bars * (BAR + BAR_GAP) + 2);
    const boxRight = boxLeft + boxWidth(picture, lane);
    const right = boxRight + (own.some(({ span }) => span.kind === "atomic") ? STRIP : 0);
    const placed = { name, left: at, right, boxLeft, boxRight };
    at = right + LANE_GAP;
    return placed;
  });
}

function foldedStep(step: PictureStep, { boxLeft, boxRight }: Lane): FoldedStep {
  const room = boxRight - boxLeft - 2 * PAD;
  const lines = fittingLines(step.text, SIZE, room - (step.mark === "plain" ? 0 : SIGN), "  ");
  const remarks = remarksOf(step).flatMap((remark) => fittingLines(remark, SMALL, room, " "));
  return { step, lines, remarks, height: (lines.length + remarks.length) * LEADING + 2 * PAD - 3 };
}

/** Places a picture whose left edge is at `left`. */
export function panelOf(picture: Picture, left: number, lineLabel: string): Panel {
  const columns = barColumns(picture);
  const gutter = Math.max(0, ...picture.steps.map(({ line }) => (line === null ? 0 : textWidth(`${lineLabel}:${line}`, SMALL) + 10)));
  const lanes = placeLanes(picture, columns, left + gutter);
  return {
    picture,
    left,
    width: (lanes.at(-1)?.right ?? left) - left,
    lanes,
    steps: picture.steps.flatMap((step) => (lanes[step.lane] ? [foldedStep(step, lanes[step.lane]!)] : [])),
    bars: picture.spans.map((span, index) => (lanes[span.lane]?.left ?? 0) + (columns[index] ?? 0) * (BAR + BAR_GAP)),
  };
}

/** Rows of one or two panels: equal steps stand side by side, and a row is as high as its higher step. */
export function placeRows(panels: readonly Panel[], top: number): Row[][] {
  const [left, right] = panels;
  const pairs = left && right
    ? pairRows(left.picture, right.picture).map((pair) => [pair.left, pair.right])
    : (left?.steps ?? []).map((_, index) => [index]);
  const rows = panels.map((): Row[] => []);
  let at = top;
  for (const pair of pairs) {
    const heights = pair.map((step, panel) => (step === null ? 0 : panels[panel]?.steps[step]?.height ?? 0));
    pair.forEach((step, panel) => {
      if (step !== null) rows[panel]![step] = { top: at, bottom: at + (heights[panel] ?? 0) };
    });
    at += Math.max(...heights) + ROW_GAP;
  }
  return rows;
}
