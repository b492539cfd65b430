// SPDX-License-Identifier: GPL-2.0-only
import { append } from "../text/append.ts";
import type { Problem } from "../text/problem.ts";
import { isCombinedHeader, readCombinedHunk } from "./combined.ts";
import type { FileDraft } from "./file-head.ts";
import { readFileHead, unknownFile } from "./file-head.ts";
import { blockEnd, readFragment } from "./fragment.ts";
import type { DiffForm, FragmentDraft } from "./hunk.ts";
import { countProblem, hunkFrom, hunkFromFragment } from "./hunk.ts";
import { readMarkedHunk } from "./marked-hunk.ts";
import type { FileDiff } from "./model.ts";
import type { Range, Row } from "./row.ts";
import { isFileStart, parseRange } from "./row.ts";
import { readStrippedHunk } from "./stripped-hunk.ts";

/** The diff of one message and what is left of it. */
export interface DiffReading {
  readonly files: readonly FileDiff[];
  /** Rows that are no part of the diff, in order. */
  readonly prose: readonly Row[];
  readonly problems: readonly Problem[];
}

interface State {
  readonly rows: readonly Row[];
  readonly form: DiffForm;
  readonly files: FileDraft[];
  readonly prose: Row[];
  readonly problems: Problem[];
  at: number;
  fragment: FragmentDraft | null;
  hasCode: boolean;
}

const currentFile = (state: State, line: number): FileDraft => {
  const last = state.files.at(-1);
  if (last !== undefined) return last;
  const file = unknownFile(line);
  state.files.push(file);
  return file;
};

const closeFragment = (state: State): void => {
  const { fragment } = state;
  if (fragment === null) return;
  state.fragment = null;
  currentFile(state, fragment.rows[0]?.row.line ?? 1).hunks.push(hunkFromFragment(fragment));
};

const takeFile = (state: State): boolean => {
  const head = readFileHead(state.rows, state.at);
  if (head === null) return false;
  closeFragment(state);
  state.files.push(head.file);
  if (head.problem !== null) state.problems.push(head.problem);
  state.at = head.next;
  return true;
};

const takeHunk = (state: State, row: Row, range: Range, section: string): void => {
  closeFragment(state);
  state.hasCode = true;
  const read = state.form.isStripped ? readStrippedHunk : readMarkedHunk;
  const body = read(state.rows, state.at + 1, range);
  currentFile(state, row.line).hunks.push(hunkFrom(body, range, section, row.line, row.afterGap === true, state.form));
  const problem = countProblem(body, range, row.line, state.form);
  if (problem !== null) state.problems.push(problem);
  for (const each of body.rows) {
    if (each.isTail) state.problems.push({ code: "wrapped-line", message: "a mailer wrapped this line", line: each.row.line });
  }
  for (const line of body.guessed) {
    state.problems.push({ code: "marker-doubtful", message: "the first character of this line was taken for code, not for a diff marker", line });
  }
  const remark = body.remarks[0];
  if (remark !== undefined) state.problems.push({ code: "text-in-hunk", message: "text that is no part of the diff stands inside a hunk; lines near it may be missing", line: remark });
  state.at = body.next;
};

/** Takes a hunk of a merge. Archive text has lost its columns, so there it stays unread. */
const takeCombinedHunk = (state: State, row: Row): boolean => {
  const read = readCombinedHunk(state.rows, state.at);
  if (read === null) return false;
  closeFragment(state);
  state.hasCode = true;
  state.at = read.next;
  if (state.form.isStripped) {
    state.problems.push({ code: "combined-hunk-stripped", message: "a hunk of a merge without its columns was skipped", line: row.line });
    return true;
  }
  currentFile(state, row.line).hunks.push(read.hunk);
  if (read.problem !== null) state.problems.push(read.problem);
  return true;
};

/** Takes one block of quoted lines without a header: code of a patch, or prose. */
const takeBlock = (state: State, row: Row): void => {
  const to = blockEnd(state.rows, state.at);
  const fragment = readFragment(state.rows, state.at, to, state.form.isStripped, state.hasCode);
  if (fragment === null) append(state.prose, state.rows.slice(state.at, to));
  else {
    if (row.afterGap) closeFragment(state);
    // Below a hunk that has ended, the distance to the next quoted line is unknown.
    state.fragment ??= { rows: [], afterGap: row.afterGap === true || state.hasCode };
    state.hasCode = true;
    for (const each of fragment.taken) state.fragment.rows.push(each);
    append(state.prose, fragment.prose);
  }
  state.at = to;
};

const takeNext = (state: State, row: Row): void => {
  if (isFileStart(state.rows, state.at) && takeFile(state)) return;
  if (isCombinedHeader(row.text) && takeCombinedHunk(state, row)) return;
  const header = parseRange(row.text);
  if (header !== null) takeHunk(state, row, header.range, header.section);
  else if (state.form.isQuoted) takeBlock(state, row);
  else {
    state.prose.push(row);
    state.at += 1;
  }
};

/** Reads the diff in `rows`; what is no diff is returned as prose. */
export const readDiff = (rows: readonly Row[], form: DiffForm): DiffReading => {
  const state: State = { rows, form, files: [], prose: [], problems: [], at: 0, fragment: null, hasCode: false };
  for (let row = rows[0]; row !== undefined; row = rows[state.at]) takeNext(state, row);
  closeFragment(state);
  return { files: state.files, prose: state.prose, problems: state.problems };
};
