// SPDX-License-Identifier: GPL-2.0-only
import type { FileDiff, Hunk, Patch, PatchLine } from "../../patch/model.ts";
import type { Image } from "../../source/image.ts";
import { lineIndex } from "../../text/line-index.ts";
import type { TextEdit } from "../../text/text-edit.ts";
import type { RowEdit } from "./row-edits.ts";

/*
 * Changes of the new side of a file as changes of the patch that brings it. An added line changes as it stands, a context line
 * becomes a deleted and an added one; the counts of the hunk follow, and the new starts of the hunks behind it.
 */

/** A line of a hunk and where it stands. */
interface Placed {
  readonly hunk: Hunk;
  readonly index: number;
  readonly line: PatchLine;
}

/** Lines of a hunk, from `from` to `to`, exclusive, that give way to others, or between which others come. */
interface Made {
  readonly hunk: Hunk;
  readonly edits: readonly TextEdit[];
  readonly from: number;
  readonly to: number;
  readonly added: number;
}

const OTHER_ENCODING = /^content-transfer-encoding:[ \t]*(?:quoted-printable|base64)/im;

/** Edits of the document for changes of rows of the new image; null where the patch cannot say them. */
export function patchEdits(document: string, patch: Patch, file: FileDiff, image: Image, rows: readonly RowEdit[]): readonly TextEdit[] | null {
  if (image.side !== "new" || (patch.form !== "mail" && patch.form !== "diff") || !file.hunks.every(isWhole)) return null;
  const text = lineIndex(document);
  const top = document.slice(text.spanOf(patch.startLine).start, text.spanOf(file.line).start);
  if (OTHER_ENCODING.test(top)) return null;
  const placed = new Map(file.hunks.flatMap((hunk) => hunk.lines.map((line, index) => [line.line, { hunk, index, line }] as const)));
  const lineAt = (row: number): Placed | null => {
    const place = image.lines[row];
    return place?.line != null ? (placed.get(place.line) ?? null) : null;
  };
  const changes = new Map<Hunk, Made[]>();
  for (const row of rows) {
    const made = changeOf(document, row, lineAt);
    if (!made) return null;
    changes.set(made.hunk, [...(changes.get(made.hunk) ?? []), made]);
  }
  if ([...changes].some(([hunk, made]) => !keepsContext(hunk, made))) return null;
  const headers = headerEdits(file, changes, (line) => ({ at: text.spanOf(line).start, words: document.slice(text.spanOf(line).start, text.spanOf(line).end) }));
  return headers && [...headers, ...[...changes.values()].flat().flatMap((one) => one.edits)];
}

/** True for a hunk that stands in the document as git wrote it. */
const isWhole = (hunk: Hunk): boolean =>
  hunk.header !== null && hunk.header.newCount > 0 && hunk.lostContext === 0 && !hunk.afterGap && hunk.ofMerge !== true && hunk.lines.every((line) => line.places === null && line.certainty === "exact");

/** Context lines at both ends of a hunk. */
const contextOf = (kinds: readonly PatchLine["kind"][]): readonly [number, number] =>
  [kinds.findIndex((kind) => kind !== "context"), kinds.toReversed().findIndex((kind) => kind !== "context")];

/** GNU patch leaves out so much context, unless it is told otherwise. */
const FUZZ = 2;

/** Tools take a hunk that ends without context, or with much less than it begins with, for the end of the file; and so at its beginning. */
function keepsContext({ lines }: Hunk, made: readonly Made[]): boolean {
  const kinds = lines.map(({ kind }) => kind);
  const after = made.toSorted((a, b) => b.from - a.from || b.to - a.to).reduce<readonly PatchLine["kind"][]>((now, { from, to, added }) => {
    const left = now.slice(from, to).flatMap((kind): PatchLine["kind"][] => (kind === "added" ? [] : ["deleted"]));
    return [...now.slice(0, from), ...left, ...Array.from({ length: added }, () => "added" as const), ...now.slice(to)];
  }, kinds);
  const [[head, tail], [newHead, newTail]] = [contextOf(kinds), contextOf(after)];
  return newHead >= Math.min(head, 1) && newTail >= Math.min(tail, 1) && Math.abs(newHead - newTail) <= Math.max(FUZZ, Math.abs(head - tail));
}

const MARKERS = { context: " ", added: "+", deleted: "-" } as const;

/** Offset of the marker of a line; null where none stands at the beginning of its line. */
function markerOf(document: string, { start, kind }: PatchLine): number | null {
  const at = start - 1;
  return at >= 0 && document[at] === MARKERS[kind] && (at === 0 || document[at - 1] === "\n") ? at : null;
}

/** Offset behind the line and its terminator; null where it has none, or where the patch says that the file ends without one. */
function behind(document: string, { start }: PatchLine): number | null {
  const newline = document.indexOf("\n", start);
  return newline < 0 || document[newline + 1] === "\\" ? null : newline + 1;
}

function changeOf(document: string, row: RowEdit, lineAt: (row: number) => Placed | null): Made | null {
  const own = Array.from({ length: row.to - row.from }, (_, index) => lineAt(row.from + index));
  const [first] = own;
  const last = own.at(-1);
  if (own.length > 0) {
    if (!first || !last || own.some((one) => one === null || one.hunk !== first.hunk)) return null;
    const edits = own.map((one) => one && withoutLine(document, one.line));
    const added = newLines(document, last.line, "behind", row.lines);
    return added && edits.every((edit) => edit !== null) ? { hunk: first.hunk, edits: [...edits, ...added], from: first.index, to: last.index + 1, added: row.lines.length } : null;
  }
  const next = lineAt(row.to);
  const previous = lineAt(row.from - 1);
  // Between two hunks nobody knows to which of them the lines belong.
  if (next && previous && next.hunk !== previous.hunk) return null;
  const anchor = next ?? previous;
  const added = anchor && newLines(document, anchor.line, next ? "front" : "behind", row.lines);
  const at = anchor ? anchor.index + (next ? 0 : 1) : 0;
  return anchor && added ? { hunk: anchor.hunk, edits: added, from: at, to: at, added: row.lines.length } : null;
}

/** A line that the new side no longer has: an added one goes, a context line is deleted. */
function withoutLine(document: string, line: PatchLine): TextEdit | null {
  const [at, end] = [markerOf(document, line), behind(document, line)];
  if (at === null || end === null) return null;
  return line.kind === "added" ? { at, end, text: "" } : { at, end: at + 1, text: "-" };
}

function newLines(document: string, anchor: PatchLine, side: "front" | "behind", lines: readonly string[]): readonly TextEdit[] | null {
  const [front, end] = [markerOf(document, anchor), behind(document, anchor)];
  if (front === null || end === null) return null;
  if (lines.length === 0) return [];
  const terminator = document[end - 2] === "\r" ? "\r\n" : "\n";
  const at = side === "front" ? front : end;
  return [{ at, end: at, text: lines.map((line) => `+${line}${terminator}`).join("") }];
}

const HEADER = /^(@@ -\d+(?:,\d+)? \+)(\d+)(,\d+)?(?= @@)/;

function headerEdits(file: FileDiff, changes: ReadonlyMap<Hunk, readonly Made[]>, headerAt: (line: number) => { readonly at: number; readonly words: string }): readonly TextEdit[] | null {
  const edits: TextEdit[] = [];
  let shift = 0;
  for (const hunk of file.hunks) {
    const removed = (one: Made): number => hunk.lines.slice(one.from, one.to).filter(({ kind }) => kind !== "deleted").length;
    const more = (changes.get(hunk) ?? []).reduce((sum, one) => sum + one.added - removed(one), 0);
    const { at, words } = headerAt(hunk.line);
    const match = HEADER.exec(words);
    if (!match || !hunk.header || hunk.header.newCount + more <= 0) return null;
    const [, head = "", start = "", count] = match;
    const size = hunk.header.newCount + more;
    const text = `${Number(start) + shift}${count === undefined && size === 1 ? "" : `,${size}`}`;
    const from = at + head.length;
    const to = from + start.length + (count ?? "").length;
    if (text !== words.slice(head.length, to - at)) edits.push({ at: from, end: to, text });
    shift += more;
  }
  return edits;
}
