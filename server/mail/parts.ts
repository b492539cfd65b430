// SPDX-License-Identifier: GPL-2.0-only
import type { TextLine } from "../text/lines.ts";
import type { Problem } from "../text/problem.ts";
import type { FieldValue } from "./content-type.ts";
import { parseField } from "./content-type.ts";
import { collectFields } from "./header.ts";

/** A part of a mail that has no parts of its own. Its lines are still encoded. */
export interface Part {
  readonly type: FieldValue;
  readonly disposition: FieldValue;
  /** Lower case; null where none is declared. */
  readonly encoding: string | null;
  readonly lines: readonly TextLine[];
}

/** The parts of a mail that can hold a patch, in order. */
export interface Parts {
  readonly parts: readonly Part[];
  readonly problems: readonly Problem[];
}

/** Parts within parts beyond this depth are no mail that a person sent. */
const deepest = 12;
const mostParts = 1000;

interface Split {
  readonly blocks: readonly (readonly TextLine[])[];
  readonly isClosed: boolean;
}

/** Cuts the lines at those that consist of `--` and the boundary. */
const splitAt = (lines: readonly TextLine[], boundary: string): Split => {
  const blocks: (readonly TextLine[])[] = [];
  const opening = `--${boundary}`;
  let from = -1;
  for (let at = 0; at < lines.length; at += 1) {
    const text = lines[at]?.text ?? "";
    if (!text.startsWith(opening)) continue;
    const rest = text.slice(opening.length).trimEnd();
    if (rest !== "" && rest !== "--") continue;
    if (from >= 0) blocks.push(lines.slice(from, at));
    if (rest === "--" || blocks.length === mostParts) return { blocks, isClosed: true };
    from = at + 1;
  }
  if (from >= 0) blocks.push(lines.slice(from));
  return { blocks, isClosed: false };
};

const problemAt = (code: string, message: string, line: TextLine | undefined): Problem => ({ code, message, line: line?.line ?? null });

/** A block between two boundaries: its own header, and what follows that. */
const partOf = (lines: readonly TextLine[], fallback: string): Part => {
  const { fields, next } = collectFields(lines, 0);
  const value = (name: string): string | null => fields.find((each) => each.name === name)?.value ?? null;
  const encoding = value("content-transfer-encoding")?.trim().toLowerCase() ?? null;
  return { type: parseField(value("content-type") ?? fallback), disposition: parseField(value("content-disposition")), encoding, lines: lines.slice(next) };
};

const isPlain = (part: Part): boolean => part.type.value === "text/plain" || part.type.value === "";

/** Of several forms of the same text, the plain one; failing that, the first. */
const chosen = (forms: readonly Parts[]): readonly Parts[] => {
  const plain = forms.find((form) => form.parts.some(isPlain));
  const best = plain ?? forms[0];
  return best === undefined ? [] : [best];
};

const leaf = (part: Part, problems: readonly Problem[] = []): Parts => ({ parts: [part], problems });

/** Takes a part apart as far as it goes. A multipart without any boundary is read as the text that it seems to be. */
export const partsOf = (part: Part, depth = 0): Parts => {
  if (!part.type.value.startsWith("multipart/")) return leaf(part);
  const asText: Part = { ...part, type: { value: "text/plain", parameters: new Map() } };
  const boundary = part.type.parameters.get("boundary") ?? "";
  if (depth >= deepest) return leaf(asText, [problemAt("multipart-damaged", "the parts of the mail are nested too deeply", part.lines[0])]);
  const { blocks, isClosed } = boundary === "" ? { blocks: [], isClosed: false } : splitAt(part.lines, boundary);
  if (blocks.length === 0) return leaf(asText, [problemAt("multipart-damaged", "the mail says that it has parts, but the lines between them are gone", part.lines[0])]);
  const fallback = part.type.value === "multipart/digest" ? "message/rfc822" : "text/plain";
  const forms = blocks.map((block) => partsOf(partOf(block, fallback), depth + 1));
  const taken = part.type.value === "multipart/alternative" ? chosen(forms) : forms;
  const problems = taken.flatMap((form) => form.problems);
  const open = isClosed ? [] : [problemAt("multipart-truncated", "the mail ends before its last part does", part.lines.at(-1))];
  return { parts: taken.flatMap((form) => form.parts), problems: [...problems, ...open] };
};
