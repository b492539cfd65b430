// SPDX-License-Identifier: GPL-2.0-only
import type { Unit } from "../analysis/unit.ts";
import { documentPlace, documentRange, rowAt, treePlace } from "../program/place.ts";
import type { EffectProgram } from "../program/program.ts";
import type { At, MessageLine } from "../rules/rule.ts";
import type { ImageLine } from "../source/image.ts";
import type { Location, RelatedLocation } from "./finding.ts";

/** Where a finding is shown. */
export interface Anchor {
  readonly location: Location;
  /** True where the place itself is not in the document: then the nearest changed line of its function stands for it. */
  readonly isElsewhere: boolean;
}

/** The place in the document at which a finding is shown; null where the patch changes nothing of its function. */
export function anchorOf(place: At): Anchor | null {
  const location = locate(place) ?? null;
  if (location) return { location, isElsewhere: false };
  const nearest = treePlace(place.program.image, place.at) && nearestChange(place);
  return nearest && { location: nearest, isElsewhere: true };
}

function locate({ program, at, end }: At): Location | null {
  const place = documentRange(program.image, at, end);
  if (!place) return null;
  return {
    patchLine: place.line,
    column: place.column,
    endColumn: place.endColumn,
    file: program.image.path,
    newLine: place.row.newLine,
    oldLine: place.row.oldLine,
  };
}

/** The line nearest to a place that the patch adds to its function, or deletes from it; else one of the hunk. */
function nearestChange({ program, at }: At): Location | null {
  const { image } = program;
  const from = rowAt(image, at);
  const [first, last] = [rowAt(image, program.start), rowAt(image, program.end - 1)];
  const rows = image.text.split("\n");
  const added = image.lines.flatMap((place, row) => (place.changed && row >= first && row <= last ? [{ place, row, text: rows[row] ?? "" }] : []));
  const deleted = (image.missing ?? []).flatMap(({ row, place, text }) => (row > first && row <= last ? [{ place, row: row - 0.5, text }] : []));
  // Where hunks are all there is, a deleted line is not known by its place: what stands around it is.
  const shown = image.missing === undefined && added.length === 0 ? image.lines.flatMap((place, row) => (place.line !== null && row >= first && row <= last ? [{ place, row, text: rows[row] ?? "" }] : [])) : [];
  // A line with words says more than a blank one or a brace.
  const rank = (text: string): number => (/\w/.test(text) ? 0 : 1);
  const [nearest] = [...added, ...deleted, ...shown].toSorted((a, b) => rank(a.text) - rank(b.text) || Math.abs(a.row - from) - Math.abs(b.row - from) || a.row - b.row);
  return nearest ? wholeLine(image.path, nearest.place, nearest.text) : null;
}

/** The words of a line of the document. */
function wholeLine(file: string | null, place: ImageLine, text: string): Location | null {
  if (place.line === null) return null;
  const start = text.length - text.trimStart().length;
  const end = Math.max(start + 1, text.trimEnd().length);
  const first = place.decoded?.lines[0];
  // What several lines of the document hold is shown where it begins.
  const column = (at: number): number => (place.decoded === null ? place.column + at : Math.min((place.decoded.places[at] ?? 0), first?.end ?? 0) - (first?.start ?? 0)) + 1;
  return { patchLine: place.line, column: column(start), endColumn: Math.max(column(start) + 1, column(end)), file, newLine: place.newLine, oldLine: place.oldLine };
}

export function relatedTo(message: string, place: Pick<At, "program" | "at"> | MessageLine, unit: Unit): RelatedLocation[] {
  return "line" in place ? [{ message, patchLine: place.line, file: null, newLine: null }] : relatedToCode(message, place, unit);
}

function relatedToCode(message: string, { program, at }: Pick<At, "program" | "at">, unit: Unit): RelatedLocation[] {
  const place = documentPlace(program.image, at);
  const { path } = program.image;
  if (!place) {
    const inTree = treePlace(program.image, at);
    const from = program.image.lines[rowAt(program.image, Math.max(0, at))]?.from;
    if (inTree && from) return [{ message, ...(from.document === undefined ? {} : { document: from.document }), patchLine: from.line, file: inTree.file, newLine: inTree.newLine ?? inTree.oldLine }];
    return inTree ? [{ message, patchLine: null, file: inTree.file, newLine: inTree.newLine ?? inTree.oldLine }] : [];
  }
  const elsewhere = path !== null && isElsewhere(program, unit) ? { path } : {};
  return [{ message, patchLine: place.line, file: path, newLine: place.row.newLine, ...elsewhere }];
}

/** True for code of a file that is no part of the input: its lines are its own. */
const isElsewhere = ({ image }: EffectProgram, unit: Unit): boolean => unit.follow !== undefined && image.missing === undefined && !unit.images.includes(image);
