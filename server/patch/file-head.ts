// SPDX-License-Identifier: GPL-2.0-only
import type { Problem } from "../text/problem.ts";
import type { FileDiff, Hunk } from "./model.ts";
import { nameOfSide, namesOfGitLine, unquotePath, withoutPrefixes } from "./path.ts";
import type { Row } from "./row.ts";
import { isFilePair, isIndexHead } from "./row.ts";

/** A file diff under construction. */
export interface FileDraft extends Omit<FileDiff, "hunks"> {
  readonly hunks: Hunk[];
}

/** What stands at a file header. */
export interface FileHead {
  readonly file: FileDraft;
  readonly next: number;
  readonly problem: Problem | null;
}

interface Extended {
  readonly index: FileDiff["index"];
  readonly change: FileDiff["change"];
  readonly from: string | null;
  readonly to: string | null;
  readonly next: number;
}

const extendedLine =
  /^(index|mode|old mode|new mode|deleted file mode|new file mode|similarity index|dissimilarity index|rename from|rename to|copy from|copy to) (.*)$/;

const readExtended = (rows: readonly Row[], at: number): Extended => {
  let next = at;
  const values = new Map<string, string>();
  for (let match = extendedLine.exec(rows[next]?.text ?? ""); match !== null; match = extendedLine.exec(rows[next]?.text ?? "")) {
    values.set(match[1] ?? "", match[2] ?? "");
    next += 1;
  }
  const blobs = /^([0-9a-f]{4,64})\.\.([0-9a-f]{4,64})/.exec(values.get("index") ?? "");
  const from = values.get("rename from") ?? values.get("copy from") ?? null;
  const to = values.get("rename to") ?? values.get("copy to") ?? null;
  const change = values.has("new file mode") ? "created"
    : values.has("deleted file mode") ? "deleted"
    : from !== null && to !== null ? "renamed"
    : "modified";
  return {
    index: blobs === null ? null : { old: blobs[1] ?? "", new: blobs[2] ?? "" },
    change, next,
    from: from === null ? null : unquotePath(from),
    to: to === null ? null : unquotePath(to),
  };
};

const base85Line = /^(?:(?:literal|delta) \d+|[A-Za-z][0-9A-Za-z!#$%&()*+;<=>?@^_`{|}~-]{5,})?$/;

/** Index after `Binary files ... differ` or after the blocks of a `GIT binary patch`; `at` where there is none. */
const skipBinary = (rows: readonly Row[], at: number): number => {
  const text = rows[at]?.text ?? "";
  if (/^Binary files .* differ$/.test(text)) return at + 1;
  if (text !== "GIT binary patch") return at;
  let next = at + 1;
  while (next < rows.length && base85Line.test(rows[next]?.text ?? "")) next += 1;
  return next;
};

const draft = (
  old: string | null, later: string | null, extended: Extended, line: number, change: FileDiff["change"],
): FileDraft => {
  const stripped = withoutPrefixes(old, later);
  const oldPath = change === "created" ? null : (extended.from ?? stripped.old);
  const newPath = change === "deleted" ? null : (extended.to ?? stripped.new);
  return { oldPath, newPath, index: extended.index, change, hunks: [], line };
};

/** The file of a fragment whose header was not quoted. */
export const unknownFile = (line: number): FileDraft =>
  ({ oldPath: null, newPath: null, index: null, change: "unknown", hunks: [], line });

const mergeNote = (line: number): Problem =>
  ({ code: "combined-diff", message: "merge: only lines of the merge itself are shown here, and nothing else was looked at", line });

/** Reads the header of one file at `rows[at]`, for which `isFileStart` holds; null where it is only a mention of one. */
export const readFileHead = (rows: readonly Row[], at: number): FileHead | null => {
  const line = rows[at]?.line ?? 1;
  const from = isIndexHead(rows, at) ? at + 2 : at;
  const text = rows[from]?.text ?? "";
  const merged = /^diff --(?:cc|combined) (.+)$/.exec(text)?.[1];
  const hasGitLine = text.startsWith("diff --git ");
  const extended = readExtended(rows, text.startsWith("diff ") ? from + 1 : from);
  if (isFilePair(rows, extended.next)) {
    const old = nameOfSide(rows[extended.next]?.text ?? "");
    const later = nameOfSide(rows[extended.next + 1]?.text ?? "");
    const change = old === null ? "created" : later === null ? "deleted" : extended.change;
    const problem = merged === undefined ? null : mergeNote(line);
    return { file: draft(old, later, extended, line, change), next: extended.next + 2, problem };
  }
  if (merged !== undefined) {
    const name = unquotePath(merged);
    return { file: draft(name, name, extended, line, extended.change), next: skipBinary(rows, extended.next), problem: mergeNote(line) };
  }
  const names = hasGitLine ? namesOfGitLine(text) : null;
  if (names === null && extended.from === null) return null;
  const next = skipBinary(rows, extended.next);
  const problem = next === extended.next ? null
    : { code: "binary-skipped", message: "the content of a binary file was skipped", line };
  return { file: draft(names?.old ?? null, names?.new ?? null, extended, line, extended.change), next, problem };
};
