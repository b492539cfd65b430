// SPDX-License-Identifier: GPL-2.0-only
import { looksBinary } from "../mail/damage.ts";
import { linesOfHtml, looksLikeHtml } from "../mail/html.ts";
import type { Message } from "../mail/message.ts";
import { splitMessages } from "../mail/message.ts";
import { mayBeQuoted } from "../mail/quote.ts";
import { append } from "../text/append.ts";
import type { TextLine } from "../text/lines.ts";
import { splitLines } from "../text/lines.ts";
import type { Problem } from "../text/problem.ts";
import { bodiesOf, mayBeDiff } from "./bodies.ts";
import type { PatchBody } from "./bodies.ts";
import { readDiff } from "./diff.ts";
import type { DiffReading } from "./diff.ts";
import type { DiffForm } from "./hunk.ts";
import { messageFrom } from "./message.ts";
import type { FileDiff, MailMessage, Patch, PatchDocument, ProseLine, Remark } from "./model.ts";
import { findQuotedPatch, sortRuns } from "./quoted.ts";
import type { Row } from "./row.ts";
import { isStripped } from "./stripped.ts";
import { withoutStuffing } from "./stuffing.ts";

/** Settings of `readPatches`. */
export interface ReadOptions {
  /** Line that the first line of the text has in the whole file, for a mail cut out of an mbox. Default 1. */
  readonly firstLine?: number;
}

interface Reading {
  readonly patches: readonly Patch[];
  readonly problems: readonly Problem[];
}

const nothing: Reading = { patches: [], problems: [] };

const isQuotedLine = (line: TextLine): boolean => mayBeQuoted(line.text);
const asProse = (line: TextLine): ProseLine => ({ line: line.line, text: line.text });
const byLine = (a: { readonly line: number | null }, b: { readonly line: number | null }): number => (a.line ?? 0) - (b.line ?? 0);

const linesOfHunks = (files: readonly FileDiff[]): number[] =>
  files.flatMap((file) => file.hunks.flatMap((hunk) => hunk.lines.map((line) => line.line)));

interface Content {
  readonly files: readonly FileDiff[];
  readonly prose: readonly TextLine[];
  readonly remarks: readonly Remark[];
}

const patchFrom = (message: Message, content: Content, isQuoted: boolean, whitespaceLost: boolean): Patch => {
  const { header } = message;
  const startLine = message.lines[0]?.line ?? 1;
  return {
    form: isQuoted ? "quoted" : whitespaceLost ? "archive" : header.form === "none" ? "diff" : "mail",
    messageId: header.messageId, subject: header.subject, from: header.from, date: header.date, commit: message.commit,
    whitespaceLost,
    prose: content.prose.map(asProse).toSorted(byLine),
    files: content.files, remarks: content.remarks,
    startLine, endLine: message.endLine,
  };
};

const lossNote = (patch: Patch): Problem | null => {
  if (!patch.whitespaceLost) return null;
  const hunks = patch.files.flatMap((file) => file.hunks);
  const lost = hunks.reduce((sum, hunk) => sum + hunk.lostContext, 0);
  const count = hunks.filter((hunk) => hunk.lostContext > 0).length;
  const message = `archive copy: white space is gone, and with it ${lost} blank context lines of ${count} hunks`;
  return { code: "whitespace-lost", message, line: hunks[0]?.line ?? patch.startLine };
};

const stuffingNote = (rows: readonly Row[]): Problem =>
  ({ code: "stuffing-undone", message: "context lines have one blank too many; it was taken off", line: rows.find((row) => row.text.startsWith("@@ -"))?.line ?? rows[0]?.line ?? null });

/** Reads the diff in rows; a blank that flowed text put before context lines is taken off first. */
const readRows = (rows: readonly Row[], form: DiffForm, isFlowed: boolean): DiffReading => {
  if (form.isStripped) return readDiff(rows, form);
  const unstuffed = withoutStuffing(rows, !isFlowed ? "no" : form.isQuoted ? "maybe" : "yes");
  const diff = readDiff(unstuffed.rows, form);
  return unstuffed.isUndeclared ? { ...diff, problems: [...diff.problems, stuffingNote(rows)] } : diff;
};

const readQuoted = ({ message, isFlowed }: PatchBody, lines: readonly TextLine[], stripped: boolean): Reading => {
  if (!lines.some(isQuotedLine)) return nothing;
  const quoted = findQuotedPatch(lines, stripped);
  if (quoted === null) return nothing;
  const diff = readRows(quoted.rows, { isStripped: stripped, isQuoted: true }, isFlowed);
  if (diff.files.length === 0) return { patches: [], problems: diff.problems };
  const { remarks, prose } = sortRuns(quoted.runs, quoted.rows[0]?.line ?? 1, linesOfHunks(diff.files));
  const content: Content = { files: diff.files, prose: [...prose, ...diff.prose], remarks };
  return { patches: [patchFrom(message, content, true, stripped)], problems: diff.problems };
};

const readPlain = ({ message, isFlowed }: PatchBody, body: readonly TextLine[], stripped: boolean): Reading & { readonly rest: readonly TextLine[] } => {
  if (!body.some(mayBeDiff)) return { ...nothing, rest: body };
  const diff = readRows(body, { isStripped: stripped, isQuoted: false }, isFlowed);
  if (diff.files.length === 0) return { patches: [], problems: diff.problems, rest: diff.prose };
  const content: Content = { files: diff.files, prose: diff.prose, remarks: [] };
  return { patches: [patchFrom(message, content, false, stripped)], problems: diff.problems, rest: diff.prose };
};

/** Composers of HTML mail, and copies from a page, have no-break spaces where the code has blanks; C knows them not. */
const withPlainBlanks = (lines: readonly TextLine[]): readonly TextLine[] =>
  lines.some((line) => line.text.includes("\u00a0"))
    ? lines.map((line) => (line.text.includes("\u00a0") ? { ...line, text: line.text.replaceAll("\u00a0", " ") } : line))
    : lines;

/** `DelSp=yes`: a line that flows ends in one blank more than its text has. */
const withoutFlowBlanks = (lines: readonly TextLine[]): readonly TextLine[] =>
  lines.map((line) => (line.text.endsWith(" ") && line.text !== "-- " && line.text.trim() !== "" ? { ...line, text: line.text.slice(0, -1) } : line));

const blanksNote = (lines: readonly TextLine[], patches: readonly Patch[]): readonly Problem[] => {
  const changed = patches.flatMap((patch) => patch.files.flatMap((file) => file.hunks.flatMap((hunk) => hunk.lines)));
  const places = new Set(lines.filter((line) => line.text.includes("\u00a0")).map((line) => line.line));
  const first = places.size === 0 ? undefined : changed.find((line) => places.has(line.line));
  return first === undefined ? [] : [{ code: "blanks-replaced", message: "no-break spaces in the diff were read as blanks", line: first.line }];
};

const readBody = (patchBody: PatchBody): Reading => {
  const { message } = patchBody;
  const raw = message.lines.slice(message.bodyAt);
  const spaced = withPlainBlanks(raw);
  const body = patchBody.hasExtraBlank ? withoutFlowBlanks(spaced) : spaced;
  if (!body.some((line) => mayBeDiff(line) || isQuotedLine(line))) return nothing;
  const stripped = isStripped(body);
  const plain = readPlain(patchBody, body, stripped);
  const quoted = readQuoted(patchBody, plain.rest, stripped);
  const patches = [...plain.patches, ...quoted.patches];
  const notes = patches.map(lossNote).filter((note) => note !== null);
  const blanks = spaced === raw ? [] : blanksNote(raw, patches);
  return { patches, problems: [...plain.problems, ...quoted.problems, ...notes, ...blanks] };
};

/** Reads the body of a mail and what is attached to it. */
const readMessage = (message: Message): Reading & { readonly decoded: Message } => {
  const { bodies, problems } = bodiesOf(message);
  const readings = bodies.map(readBody);
  return {
    decoded: bodies[0].message,
    patches: readings.flatMap((reading) => reading.patches),
    problems: [...problems, ...readings.flatMap((reading) => reading.problems)].toSorted(byLine),
  };
};

const refused = (text: string, code: string, message: string): PatchDocument =>
  ({ text, messages: [], patches: [], problems: [{ code, message, line: null }] });

/**
 * Reads every patch of a document: a mail, an mbox, a bare diff, a review that quotes a patch, an archive's copy of one.
 * Never throws; what was lost or guessed is in `problems`. Offsets are relative to `text`.
 */
export const readPatches = (text: string, options: ReadOptions = {}): PatchDocument => {
  if (text.trim() === "") return refused(text, "empty-input", "the input is empty");
  if (looksBinary(text)) return refused(text, "binary-input", "the input is not text");
  const messages: MailMessage[] = [];
  const problems: Problem[] = [];
  const lines = splitLines(text, options.firstLine ?? 1);
  const isPage = looksLikeHtml(text);
  if (isPage) problems.push({ code: "html-page", message: "a page of a web archive: its markup was taken off", line: lines[0]?.line ?? 1 });
  for (const message of splitMessages(isPage ? linesOfHtml(lines) : lines)) {
    const reading = readMessage(message);
    messages.push(messageFrom(reading.decoded, reading.patches));
    append(problems, reading.problems);
  }
  return { text, messages, patches: messages.flatMap((message) => message.patches), problems };
};
