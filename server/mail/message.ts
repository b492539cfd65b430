// SPDX-License-Identifier: GPL-2.0-only
import type { TextLine } from "../text/lines.ts";
import type { MailHeader } from "./header.ts";
import { readHeader } from "./header.ts";

/** One mail, or a whole document that is none. */
export interface Message {
  readonly header: MailHeader;
  /** Commit id of a `From <sha1> Mon Sep 17 ...` or `commit <sha1>` line, or null. */
  readonly commit: string | null;
  /** All lines, with separator and header. */
  readonly lines: readonly TextLine[];
  /** Document line of the last line; not that of `lines` where parts of the body are left out. */
  readonly endLine: number;
  /** Index of the first line of the body in `lines`. */
  readonly bodyAt: number;
}

const separator =
  /^From \S+ +(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) [ 0-9]\d \d\d:\d\d:\d\d \d{4}/;

/**
 * True for the `From ` line that opens a mail of an mbox. The asctime date is what tells it from a sentence; that the
 * line before it must be blank (or absent) is the caller's to check.
 */
export const isMboxSeparator = (text: string): boolean => text.startsWith("From ") && separator.test(text);

const commitLine = /^commit ([0-9a-f]{7,64})\b/;
const authorLine = /^(?:Author|Merge|AuthorDate|Commit): /;

/** True for the head of a commit in the output of `git show` and `git log -p`. */
const isLogEntry = (lines: readonly TextLine[], at: number): boolean =>
  commitLine.test(lines[at]?.text ?? "") && authorLine.test(lines[at + 1]?.text ?? "");

const startsMessage = (lines: readonly TextLine[], at: number, isLog: boolean): boolean => {
  const text = lines[at]?.text ?? "";
  const first = text.charCodeAt(0);
  if (first !== 70 && first !== 99) return false;
  if (at > 0 && lines[at - 1]?.text.trim() !== "") return false;
  return isMboxSeparator(text) || (isLog && isLogEntry(lines, at));
};

const readMessage = (lines: readonly TextLine[]): Message => {
  const first = lines[0]?.text ?? "";
  const hasSeparator = isMboxSeparator(first);
  const commit =
    (hasSeparator ? /^From ([0-9a-f]{40,64}) /.exec(first)?.[1] : isLogEntry(lines, 0) ? commitLine.exec(first)?.[1] : null) ?? null;
  const { header, next } = readHeader(lines, hasSeparator ? 1 : 0);
  return { header, commit, lines, endLine: lines.at(-1)?.line ?? 1, bodyAt: Math.min(next, lines.length) };
};

/** Splits a document into its mails (or the commits of a `git log -p`); a document without a separator is one. */
export const splitMessages = (lines: readonly TextLine[]): readonly Message[] => {
  let start = 0;
  while (start < lines.length && lines[start]?.text.trim() === "") start += 1;
  if (start === lines.length) return [];
  const isLog = isLogEntry(lines, start);
  const messages: Message[] = [];
  for (let at = start + 1; at <= lines.length; at += 1) {
    if (at < lines.length && !startsMessage(lines, at, isLog)) continue;
    messages.push(readMessage(lines.slice(start, at)));
    start = at;
  }
  return messages;
};
