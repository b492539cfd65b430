// SPDX-License-Identifier: GPL-2.0-only
import type { Evidence } from "../review/finding.ts";
import { failingPicture, fixedPicture, type Picture } from "./picture.ts";
import { headHeight, LEADING, MARGIN, PANEL_GAP, panelOf, placeRows, ROW_GAP, SIZE, type Panel, type Row } from "./svg-layout.ts";
import { atomicSections, endBox, headsOf, lockBars, stepBox, switchArrows, textAt } from "./svg-parts.ts";
import { styleOf } from "./svg-style.ts";
import { escapeXml, fittingLines, units } from "./svg-text.ts";
import { visibleLine } from "./visible.ts";

export interface SvgOptions {
  /** Distinguishes pictures in one page, for example the fingerprint of the finding. */
  readonly id: string;
  /** What the picture is of, one line. */
  readonly title: string;
  /** What a document line is called: `mail` gives `mail:140`. */
  readonly lineLabel: string;
  /** The thread that stands leftmost. */
  readonly firstThread: string | null;
}

const TITLE_SIZE = 14;
const TITLE_LEADING = 20;

const MARKS = { plain: "", added: "added: ", bad: "", blocked: "blocked: " } as const;

/** What the pictures show, as sentences for those who cannot see them. */
const described = (pictures: readonly Picture[]): string =>
  pictures.flatMap(({ heading, lanes, steps, end }) => [
    `${heading}.`,
    ...steps.map(({ lane, text, note, state, mark }, index) => {
      const remarks = [note, state].filter((remark) => remark !== "").join("; ");
      return `${index + 1}. ${lanes[lane] ?? ""}: ${MARKS[mark]}${text}${remarks === "" ? "" : ` (${remarks})`}.`;
    }),
    `${end.text}.`,
  ]).join(" ");

/** Everything of one panel, from the lowest layer up, and where it ends. */
function drawPanel(panel: Panel, rows: readonly Row[], { top, rail }: { readonly top: number; readonly rail: number }, lineLabel: string): { readonly parts: readonly string[]; readonly bottom: number } {
  const bottom = (rows.at(-1)?.bottom ?? rail) + ROW_GAP;
  const end = endBox(panel, bottom + 4);
  return {
    bottom: end.bottom,
    parts: [
      ...atomicSections(panel, rows, bottom - 4),
      ...headsOf(panel, top, rail, bottom),
      ...lockBars(panel, rows, bottom),
      ...switchArrows(panel, rows),
      ...panel.steps.flatMap((step, index) => (rows[index] ? stepBox(panel, step, rows[index], lineLabel) : [])),
      ...end.parts,
    ],
  };
}

/** A name that CSS and XML accept whatever the id was. */
const safeId = (id: string): string => `schedule-${id.replace(/[^A-Za-z0-9-]/g, "")}`;

function document(id: string, width: number, height: number, title: string, description: string, parts: readonly string[]): string {
  const size = `width="${units(width)}" height="${units(height)}" viewBox="0 0 ${units(width)} ${units(height)}"`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" id="${id}" ${size} role="img" aria-labelledby="${id}-title ${id}-desc">`,
    `<title id="${id}-title">${escapeXml(title)}</title>`,
    `<desc id="${id}-desc">${escapeXml(description)}</desc>`,
    `<style>${styleOf(id)}</style>`,
    `<rect width="100%" height="100%" class="page"/>`,
    ...parts.filter((part) => part !== ""),
    "</svg>",
    "",
  ].join("\n");
}

function placePanels(pictures: readonly Picture[], lineLabel: string): Panel[] {
  let left = MARGIN;
  return pictures.map((picture) => {
    const panel = panelOf(picture, left, lineLabel);
    left += panel.width + PANEL_GAP;
    return panel;
  });
}

/**
 * A failing schedule as a picture of its own, next to it the same schedule with the fix: lanes, steps, locks as bars, atomic
 * sections shaded. No scripts, nothing from outside, text escaped. Light or dark as the reader's system is. null where the
 * evidence has no schedule.
 */
export function scheduleSvg(evidence: Evidence, { id, title, lineLabel, firstThread }: SvgOptions): string | null {
  const failing = failingPicture(evidence, firstThread);
  if (failing === null) return null;
  const fixed = fixedPicture(evidence, firstThread);
  const pictures = fixed === null ? [failing] : [failing, fixed];
  const panels = placePanels(pictures, lineLabel);
  const width = panels.reduce((sum, panel) => sum + panel.width, 0) + (panels.length - 1) * PANEL_GAP + 2 * MARGIN;

  const shownTitle = visibleLine(title);
  const titleLines = fittingLines(shownTitle, TITLE_SIZE, width - 2 * MARGIN);
  const headings = panels.map(({ picture, width: room }) => fittingLines(picture.heading, SIZE, room));
  const headingTop = MARGIN + titleLines.length * TITLE_LEADING + 6;
  const top = headingTop + Math.max(...headings.map((lines) => lines.length)) * LEADING + 10;
  const rail = top + headHeight(panels);
  const rows = placeRows(panels, rail + 12);
  const drawn = panels.map((panel, index) => drawPanel(panel, rows[index] ?? [], { top, rail }, lineLabel));
  const height = Math.max(...drawn.map(({ bottom }) => bottom)) + MARGIN;
  return document(safeId(id), width, height, shownTitle, described(pictures), [
    ...titleLines.map((line, index) => textAt(line, MARGIN, MARGIN + TITLE_SIZE + index * TITLE_LEADING, "ink strong title")),
    ...headings.flatMap((lines, panel) =>
      lines.map((line, index) => textAt(line, panels[panel]?.left ?? 0, headingTop + 11 + index * LEADING, "quiet"))),
    ...drawn.flatMap(({ parts }) => parts),
  ]);
}
