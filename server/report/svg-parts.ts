// SPDX-License-Identifier: GPL-2.0-only
import type { PictureSpan, PictureStep } from "./picture.ts";
import { BAR, headLines, LEADING, PAD, ROW_GAP, SIGN, SIZE, SMALL, STRIP, type FoldedStep, type Lane, type Panel, type Row } from "./svg-layout.ts";
import { cutToWidth, escapeXml, fittingLines, textWidth, units } from "./svg-text.ts";

/** A line of text; the one place where words become character data. */
export const textAt = (words: string, x: number, y: number, classes: string, more = ""): string =>
  words === "" ? "" : `<text x="${units(x)}" y="${units(y)}" class="text ${classes}"${more}>${escapeXml(words)}</text>`;

const rect = (left: number, top: number, right: number, bottom: number, classes: string, radius = 4): string =>
  `<rect x="${units(left)}" y="${units(top)}" width="${units(right - left)}" height="${units(bottom - top)}" rx="${radius}" class="${classes}"/>`;

/** A drawing with a name that appears where the pointer rests. */
const named = (name: string, ...parts: readonly string[]): string => `<g><title>${escapeXml(name)}</title>${parts.join("")}</g>`;

const HEAD_RADIUS = 13;

const middleOf = ({ boxLeft, boxRight }: Lane): number => (boxLeft + boxRight) / 2;

/** Names of the lanes between `top` and `rail`, and their rails. */
export const headsOf = ({ lanes }: Panel, top: number, rail: number, bottom: number): string[] =>
  lanes.flatMap((lane) => {
    const { name, left, right } = lane;
    const x = units(middleOf(lane));
    const lines = headLines(lane);
    const first = (top + rail) / 2 + 4 - (lines.length - 1) * (LEADING / 2);
    return [
      `<line x1="${x}" y1="${units(rail)}" x2="${x}" y2="${units(bottom)}" class="rail"/>`,
      named(name,
        rect(left, top, right, rail, "head", HEAD_RADIUS),
        ...lines.map((line, index) => textAt(line, (left + right) / 2, first + index * LEADING, "ink strong", ' text-anchor="middle"'))),
    ];
  });

/** From the top of the row where a span begins to the bottom of the one where it ends. */
const extentOf = ({ from, to }: PictureSpan, rows: readonly Row[], bottom: number): Row => {
  const top = rows[from]?.top ?? bottom;
  return { top, bottom: Math.max(top + 4, to === null ? bottom : rows[to]?.bottom ?? bottom) };
};

/** A name that reads downwards. */
const standing = (words: string, x: number, y: number, classes: string): string =>
  textAt(words, 0, 0, `small ${classes}`, ` transform="translate(${units(x)} ${units(y)}) rotate(90)"`);

/** Shaded parts of lanes in which the thread must not sleep, with their names beside the boxes. */
export function atomicSections({ picture, lanes }: Panel, rows: readonly Row[], bottom: number): string[] {
  const shades: string[] = [];
  const names: string[] = [];
  const free = lanes.map(() => 0);
  for (const span of picture.spans) {
    const lane = lanes[span.lane];
    if (span.kind !== "atomic" || !lane) continue;
    const extent = extentOf(span, rows, bottom);
    shades.push(named(`${lane.name}: ${span.name}`, rect(lane.boxLeft - 5, extent.top - 4, lane.right, extent.bottom + 4, "atomic", 6)));
    // Two sections over the same steps have their names one below the other.
    const y = Math.max(extent.top + 1, free[span.lane] ?? 0);
    const label = cutToWidth(span.name, SMALL, extent.bottom - y);
    names.push(standing(label, lane.right - STRIP + 5, y, "atomic-ink"));
    if (label !== "") free[span.lane] = y + textWidth(label, SMALL) + 8;
  }
  return [...shades, ...names];
}

/** A bar for each lock, from the step that takes it to the one that gives it up. */
export const lockBars = ({ picture, lanes, bars }: Panel, rows: readonly Row[], bottom: number): string[] =>
  picture.spans.flatMap((span, index) => {
    const lane = lanes[span.lane];
    if (span.kind !== "lock" || !lane) return [];
    const x = bars[index] ?? lane.left;
    const extent = extentOf(span, rows, bottom);
    return [named(`${lane.name} holds ${span.name}`,
      rect(x, extent.top, x + BAR, extent.bottom, span.isAwaited ? "lock awaited blocked-line" : "lock", 3),
      standing(cutToWidth(span.name, SMALL, extent.bottom - extent.top - 6), x + 4, extent.top + 5, "lock-ink"))];
  });

/** Signs of marked steps, drawn rather than written: fonts differ in what they have. */
const SIGNS: Readonly<Record<PictureStep["mark"], string>> = {
  plain: "",
  added: "M0 5H10M5 0V10",
  bad: "M1 1L9 9M9 1L1 9",
  blocked: "M5 0A5 5 0 1 0 5 10A5 5 0 1 0 5 0M2.2 5H7.8",
};

const BOXES: Readonly<Record<PictureStep["mark"], string>> = { plain: "box", added: "added", bad: "bad", blocked: "blocked" };
const INKS: Readonly<Record<PictureStep["mark"], string>> = { plain: "ink", added: "ink strong", bad: "bad-ink strong", blocked: "blocked-ink strong" };

/** One step: its line in the document, its box, what it says and what it changes. */
export function stepBox({ lanes, left }: Panel, { step, lines, remarks }: FoldedStep, { top, bottom }: Row, lineLabel: string): string[] {
  const lane = lanes[step.lane];
  if (!lane) return [];
  const { boxLeft, boxRight } = lane;
  const x = boxLeft + PAD;
  const sign = step.mark === "plain" ? 0 : SIGN;
  const y = (line: number): number => top + PAD + 10 + line * LEADING;
  return [
    step.line === null ? "" : textAt(`${lineLabel}:${step.line}`, left, y(0), "small quiet"),
    rect(boxLeft, top, boxRight, bottom, BOXES[step.mark]),
    sign === 0 ? "" : `<path d="${SIGNS[step.mark]}" transform="translate(${units(x)} ${units(top + PAD + 1)})" class="sign ${step.mark}-line"/>`,
    ...lines.map((line, index) => textAt(line, x + sign, y(index), INKS[step.mark])),
    ...remarks.map((line, index) => textAt(line, x, y(lines.length + index), "small quiet")),
  ];
}

/** An arrow from each step to the next one where another thread goes on. */
export const switchArrows = ({ picture, lanes }: Panel, rows: readonly Row[]): string[] =>
  picture.steps.flatMap((step, index) => {
    const next = picture.steps[index + 1];
    const [from, to] = [lanes[step.lane], lanes[next?.lane ?? -1]];
    const [above, below] = [rows[index], rows[index + 1]];
    if (!from || !to || !above || !below || from === to) return [];
    const [x, y] = [units(middleOf(to)), below.top];
    const line = `M${units(middleOf(from))} ${units(above.bottom)}V${units(y - ROW_GAP / 2 - 1)}H${x}V${units(y - 1)}`;
    return [`<path d="${line}m-3 -3.5l3 3.5l3 -3.5" class="hop"/>`];
  });

/** How the schedule ends, below everything, and where that box ends. */
export function endBox({ picture, left, width }: Panel, top: number): { readonly parts: readonly string[]; readonly bottom: number } {
  const { kind, text } = picture.end;
  const lines = fittingLines(text, SIZE, width - 4 * PAD);
  const bottom = top + lines.length * LEADING + 2 * PAD;
  return {
    bottom,
    parts: [
      rect(left, top, left + width, bottom, kind),
      ...lines.map((line, index) => textAt(line, left + 2 * PAD, top + PAD + 12 + index * LEADING, `${kind}-ink strong`)),
    ],
  };
}
