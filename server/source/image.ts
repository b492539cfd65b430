// SPDX-License-Identifier: GPL-2.0-only
import type { Frame } from "../kernel/frames.ts";
import type { FileDiff, PatchLine } from "../patch/model.ts";
import type { Span } from "../text/span.ts";
import { blankComments } from "./blank.ts";
import { withEndifs } from "./endif.ts";
import { segmentsOf, type Segment } from "./segment.ts";
import { isEarlier, type EarlierLine, type MailPlace, type ShownHunk } from "./shown.ts";
import { UNSEEN_END, UNSEEN_MIDDLE, UNSEEN_START } from "./unseen.ts";

/** A line of an image whose characters do not stand one after the other in the document. */
export interface DecodedLine {
  /** Offset in the document of each UTF-16 unit of the line, and one more for its end. Never descends. */
  readonly places: Int32Array;
  /** The lines of the document from `ImageLine.line` to the one that holds the end, without their terminators. */
  readonly lines: readonly Span[];
}

/**
 * Where one line of an image lives in the document; all null for lines that close an open fragment. A line that only the tree
 * shows has its numbers in the two files and no place in the document.
 */
export interface ImageLine {
  /** 1-based document line, or null for a line that is not in the document. */
  readonly line: number | null;
  /** 0-based UTF-16 column in the document of the first character. */
  readonly column: number;
  /** Where the line is decoded text, or was put together again; null where it stands in the document as it is. */
  readonly decoded: DecodedLine | null;
  readonly newLine: number | null;
  readonly oldLine: number | null;
  /** True where the patch adds (new side) or deletes (old side) the line. */
  readonly changed: boolean;
  /** For a line that the document does not show: where an earlier patch of its series wrote it. */
  readonly from?: MailPlace;
  /** The file of the line, where that is not the one of the image: an earlier patch of the series shows what lines of the image use. */
  readonly file?: string;
}

/** A line that only the other side of a file has, and where it would stand in this one. */
export interface MissingLine {
  /** Row (from 0) of the line that stands at its place. */
  readonly row: number;
  readonly place: ImageLine;
  readonly text: string;
}

/** One side of a file as far as the input shows it: C text that parses, tied to the document line by line. */
export interface Image {
  readonly side: "old" | "new";
  readonly path: string | null;
  readonly text: string;
  readonly lines: readonly ImageLine[];
  /** For the whole of a file that a patch changes: what the other side has and this one has not. Absent for anything else. */
  readonly missing?: readonly MissingLine[];
}

/** What stands for the unseen parts of a well-known function, by name. */
export type Frames = (functionName: string) => Frame | null;

const SYNTHETIC: ImageLine = { line: null, column: 0, decoded: null, newLine: null, oldLine: null, changed: false };

interface Row {
  readonly text: string;
  readonly place: ImageLine;
}

const synthetic = (text: string): Row => ({ text, place: SYNTHETIC });

/** A C file as it stands: every line counts as part of the new side. */
export function imageOfFile(path: string, text: string): Image {
  const lines = text.split("\n").map(
    (_, row): ImageLine => ({ line: row + 1, column: 0, decoded: null, newLine: row + 1, oldLine: null, changed: true }),
  );
  return { side: "new", path, text, lines };
}

/**
 * Rebuilds one side of a file from its hunks, or from these with what is known around them. A hunk that starts or ends inside a
 * function is closed with synthetic lines, so that the text parses; what is not visible is marked with `UNSEEN_*` calls, never
 * guessed.
 */
export function imageOfDiff(document: string, file: Pick<FileDiff, "oldPath" | "newPath" | "hunks">, side: "old" | "new", frames: Frames, hunks: readonly ShownHunk[] = file.hunks): Image {
  const parts = hunks.flatMap((hunk) => partsOfHunk(document, hunk, side));
  const rows = parts.flatMap((part, index) => closed(part, goesOn(parts[index - 1], part, frames), goesOn(part, parts[index + 1], frames), frames));
  return {
    side,
    path: side === "new" ? file.newPath : file.oldPath,
    text: rows.map((row) => row.text).join("\n"),
    lines: rows.map((row) => row.place),
  };
}

/** A segment with its rows. */
interface Part {
  readonly segment: Segment;
  readonly rows: readonly Row[];
}

function partsOfHunk(document: string, hunk: ShownHunk, side: "old" | "new"): Part[] {
  const hidden = side === "new" ? "deleted" : "added";
  const shown = hunk.lines.filter((line) => line.kind !== hidden).map((line) => rowOf(document, line));
  const { code, opensComment, leavesComment } = blankComments(shown.map((row) => row.text).join("\n"));
  // A comment that begins above the hunk or ends below it is closed first, so that nothing synthetic ends up inside it.
  const rows = [...(opensComment ? [synthetic("/*")] : []), ...shown, ...(leavesComment ? [synthetic("*/")] : [])];
  const lines = [...(opensComment ? [""] : []), ...code.split("\n"), ...(leavesComment ? [""] : [])];
  const segments = segmentsOf(lines, hunk.section);
  return segments.map((segment, index) => {
    const isLast = index === segments.length - 1 && segment.kind === "toplevel";
    return { segment, rows: rows.slice(segment.from, isLast ? withEndifs(rows.map(({ text }) => text), lines, segment.to) : segment.to) };
  });
}

/** True where a hunk goes on with the function in which the one before it stopped. */
function goesOn(before: Part | undefined, after: Part | undefined, frames: Frames): boolean {
  if (!before || before.segment.kind === "toplevel" || before.segment.openAtEnd === 0) return false;
  return after?.segment.kind === "inside" && after.segment.name === before.segment.name && frames(before.segment.name) === null;
}

/** The lines of the document that hold the first place, the last one, and those between. */
function documentLines(document: string, places: Int32Array): Span[] {
  const last = places.at(-1) ?? 0;
  const lines: Span[] = [];
  let start = lineStartAt(document, places[0] ?? 0);
  for (;;) {
    const newline = document.indexOf("\n", start);
    const next = newline < 0 ? document.length : newline;
    lines.push({ start, end: next > start && document.charCodeAt(next - 1) === 13 ? next - 1 : next });
    if (next >= last || newline < 0) return lines;
    start = next + 1;
  }
}

const lineStartAt = (document: string, at: number): number => (at === 0 ? 0 : document.lastIndexOf("\n", at - 1) + 1);

/** The place of a line of a hunk. */
export const placeOf = (document: string, line: PatchLine): ImageLine => ({
  line: line.line,
  column: line.start - lineStartAt(document, line.start),
  decoded: line.places === null ? null : { places: line.places, lines: documentLines(document, line.places) },
  newLine: line.newLine,
  oldLine: line.oldLine,
  changed: line.kind !== "context",
});

/** The place of a line that the document does not show. */
const placeOfEarlier = ({ path, oldLine, newLine, from }: EarlierLine): ImageLine =>
  ({ line: null, column: 0, decoded: null, newLine, oldLine, changed: false, file: path, ...(from === null ? {} : { from }) });

const rowOf = (document: string, line: PatchLine | EarlierLine): Row =>
  ({ text: line.text, place: isEarlier(line) ? placeOfEarlier(line) : placeOf(document, line) });

/** Puts an open segment between the lines that close it, or that lead to the next hunk of the same function. */
function closed({ segment, rows }: Part, isContinued: boolean, continues: boolean, frames: Frames): readonly Row[] {
  if (segment.kind === "toplevel") return rows;
  const frame = frames(segment.name);
  const head = segment.kind === "tail" ? [] : isContinued ? segment.openers : headOf(segment, frame);
  const isBare = endsInHead(rows);
  if (continues) {
    const gap = [...(isBare ? [`${UNSEEN_MIDDLE}();`] : []), ..."}".repeat(segment.openAtEnd - 1), `${UNSEEN_MIDDLE}();`];
    return [...head.map(synthetic), ...rows, ...gap.map(synthetic)];
  }
  // What follows in an inner block is never known; what follows in the function itself may be.
  const inner = Array.from({ length: Math.max(0, segment.openAtEnd - 1) }, () => [`${UNSEEN_END}();`, "}"]).flat();
  const tail = segment.openAtEnd === 0 ? [] : [...(isBare ? [`${UNSEEN_END}();`] : []), ...inner, ...tailOf(rows, frame), "}"];
  return [...head.map(synthetic), ...rows, ...tail.map(synthetic)];
}

/** True where the last line is `if (...)` or the like, without the statement that it is for: that one is not what follows it. */
function endsInHead(rows: readonly Row[]): boolean {
  const last = rows.findLast(({ text }) => text.trim() !== "")?.text ?? "";
  return /(?:\)|\belse|\bdo)\s*$/.test(last.replace(/\/\*.*?\*\//g, " "));
}

function headOf(segment: Segment & { kind: "inside" }, frame: Frame | null): string[] {
  if (segment.opensBody) return [segment.header];
  if (!frame) return [segment.header, "{", `${UNSEEN_START}();`, ...segment.openers];
  // The innermost blocks are the ones that the hunk closes; what the frame does not know stays unseen.
  const known = frame.blocks.slice(Math.max(0, frame.blocks.length - segment.openers.length));
  return [frame.header, "{", ...frame.head, ...segment.openers.slice(0, segment.openers.length - known.length), ...known];
}

function tailOf(rows: readonly Row[], frame: Frame | null): string[] {
  if (!frame) return [`${UNSEEN_END}();`];
  const ownLabel = rows.some((row) => /^\s*retry:/.test(row.text));
  const label = ownLabel ? "retry" : "patchwalk_retry";
  const tail = frame.tail.map((line) => line.replace("RETRY", label));
  return ownLabel ? tail : [`${label}:`, ...tail];
}
