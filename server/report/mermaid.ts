// SPDX-License-Identifier: GPL-2.0-only
import type { Picture, PictureStep } from "./picture.ts";
import { wrapText } from "./wrap.ts";

export interface MermaidOptions {
  /** What a document line is called: `mail` gives `mail:140`. */
  readonly lineLabel: string;
}

/** Characters of one line of a note. */
const WIDTH = 44;

/**
 * Text that Mermaid shows as it is: whatever could be markup there, a comment, a directive or the end of the statement becomes
 * a code of the character. Some words are commands: `end`, and `wrap:` at the start of a text.
 */
const inert = (text: string): string =>
  text
    .replace(/[^A-Za-z0-9 _.,()=*+/:[\]>-]/gu, (character) => `#${character.codePointAt(0)};`)
    .replace(/\b(end|(no)?wrap(?=:))/gi, (word) => `#${word.charCodeAt(0)};${word.slice(1)}`);

const lines = (text: string, first = ""): string => wrapText(text, { width: WIDTH, first }).map(inert).join("<br/>");

const MARKS: Readonly<Record<PictureStep["mark"], string>> = { plain: "", added: "+ ", bad: "", blocked: "blocked: " };

const noteOf = ({ lane, text, note, state, line, mark }: PictureStep, index: number, { lineLabel }: MermaidOptions): string => {
  const place = line === null ? "" : ` (${lineLabel}:${line})`;
  const remarks = [note, state].flatMap((remark) => (remark === "" ? [] : [lines(`[${remark}]`)]));
  return `  Note over T${lane}: ${[lines(`${text}${place}`, `${index + 1}. ${MARKS[mark]}`), ...remarks].join("<br/>")}`;
};

const COLORS = { bad: "rgba(214, 48, 49, 0.25)", blocked: "rgba(225, 152, 26, 0.25)", well: "rgba(46, 160, 67, 0.25)" } as const;
const SIGNS = { bad: "*** ", blocked: "", well: "" } as const;

/** A picture as a Mermaid `sequenceDiagram`: a note a step, an activation for what a thread holds, the end in color. */
export function mermaidText(picture: Picture, options: MermaidOptions): string {
  const { lanes, steps, spans, end } = picture;
  const body = steps.flatMap((step, index) => [
    ...spans.filter(({ from }) => from === index).map(({ lane }) => `  activate T${lane}`),
    noteOf(step, index, options),
    ...spans.filter(({ to }) => to === index).map(({ lane }) => `  deactivate T${lane}`),
  ]);
  const over = lanes.length > 1 ? `T0,T${lanes.length - 1}` : "T0";
  return [
    "sequenceDiagram",
    ...lanes.map((name, lane) => `  participant T${lane} as ${lines(name)}`),
    ...body,
    `  rect ${COLORS[end.kind]}`,
    `  Note over ${over}: ${lines(`${SIGNS[end.kind]}${end.text}`)}`,
    "  end",
    // Mermaid draws an activation where it ends.
    ...spans.filter(({ to }) => to === null).map(({ lane }) => `  deactivate T${lane}`),
    "",
  ].join("\n");
}
