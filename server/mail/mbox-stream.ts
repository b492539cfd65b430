// SPDX-License-Identifier: GPL-2.0-only
import type { Problem } from "../text/problem.ts";
import { isMboxSeparator } from "./message.ts";

/** One mail of a stream. */
export interface StreamedMessage {
  readonly text: string;
  /** 1-based line of the mail's first line in the whole file. */
  readonly firstLine: number;
  /** `message-cut` where the mail was larger than the limit, `not-utf8` where it was read as latin1. */
  readonly problems: readonly Problem[];
}

/** Settings of `messagesOf`. */
export interface StreamOptions {
  /** Bytes after which a mail is cut. Default 64 MiB. */
  readonly limit?: number;
}

const newline = 10;
const carriageReturn = 13;
const from = Buffer.from("From ");
/** No separator is longer; a line that is can be given out in pieces. */
const longestSeparator = 1000;
/** Bytes before a line that tell whether the line above it is blank (`\n\r\n`). */
const lookBehind = 3;

/** The mail that is being collected. */
interface Collected {
  parts: Buffer[];
  bytes: number;
  newlines: number;
  isCut: boolean;
  firstLine: number;
}

const startAt = (firstLine: number): Collected => ({ parts: [], bytes: 0, newlines: 0, isCut: false, firstLine });

const countNewlines = (bytes: Buffer): number => {
  let count = 0;
  for (let at = bytes.indexOf(newline); at >= 0; at = bytes.indexOf(newline, at + 1)) count += 1;
  return count;
};

/** Keeps the bytes up to the limit; the lines of the rest are still counted. */
const collect = (mail: Collected, bytes: Buffer, limit: number): void => {
  mail.newlines += countNewlines(bytes);
  const kept = bytes.subarray(0, Math.max(0, limit - mail.bytes));
  if (kept.length > 0) mail.parts.push(kept);
  mail.bytes += kept.length;
  mail.isCut ||= kept.length < bytes.length;
};

const strictDecoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const lenientDecoder = new TextDecoder("utf-8", { ignoreBOM: true });

const decode = (bytes: Buffer, isCut: boolean): { text: string; isUtf8: boolean } => {
  // A cut can split a character, which is no reason to doubt the charset.
  if (isCut) return { text: lenientDecoder.decode(bytes), isUtf8: true };
  try {
    return { text: strictDecoder.decode(bytes), isUtf8: true };
  } catch {
    return { text: bytes.toString("latin1"), isUtf8: false };
  }
};

const finished = (mail: Collected, limit: number): StreamedMessage => {
  const { text, isUtf8 } = decode(Buffer.concat(mail.parts), mail.isCut);
  // While the text is worked on, its bytes are of no use.
  mail.parts = [];
  const problems: Problem[] = [];
  const line = mail.firstLine;
  if (mail.isCut) problems.push({ code: "message-cut", message: `a mail of more than ${limit} bytes was cut`, line });
  if (!isUtf8) problems.push({ code: "not-utf8", message: "a mail that is not UTF-8 was read as latin1", line });
  return { text, firstLine: line, problems };
};

/** True where `at` starts a line and the line above it is blank. */
const followsBlankLine = (bytes: Buffer, at: number): boolean => {
  if (at < 2 || bytes[at - 1] !== newline) return false;
  const before = bytes[at - 2] === carriageReturn ? at - 3 : at - 2;
  return before >= 0 && bytes[before] === newline;
};

type Found = { readonly kind: "separator" | "undecided"; readonly at: number } | null;

/** The first separator at or after `start`; `undecided` where a line that may be one is not complete yet. */
const findSeparator = (bytes: Buffer, start: number, isEnd: boolean): Found => {
  for (let at = bytes.indexOf(from, start); at >= 0; at = bytes.indexOf(from, at + 1)) {
    if (!followsBlankLine(bytes, at)) continue;
    const end = bytes.indexOf(newline, at);
    if (end < 0 && !isEnd && bytes.length - at < longestSeparator) return { kind: "undecided", at };
    const line = bytes.toString("latin1", at, Math.min(end < 0 ? bytes.length : end, at + longestSeparator));
    if (isMboxSeparator(line)) return { kind: "separator", at };
  }
  return null;
};

/**
 * Splits an mbox into mails without holding more than one of them. A file without separators is one mail; text above the
 * first separator is a mail too unless it is blank.
 */
export async function* messagesOf(
  chunks: AsyncIterable<Uint8Array>, options: StreamOptions = {},
): AsyncGenerator<StreamedMessage> {
  const limit = options.limit ?? 64 * 1024 * 1024;
  let mail = startAt(1);
  // `pending[0..scanned)` belongs to the mail and was searched; it stays only to look behind.
  let pending: Buffer = Buffer.alloc(0);
  let scanned = 0;

  const takeMails = function* (isEnd: boolean): Generator<StreamedMessage> {
    for (;;) {
      const found = findSeparator(pending, scanned, isEnd);
      if (found?.kind !== "separator") {
        // The last bytes may begin a separator, so they wait for the next chunk.
        const safe = isEnd ? pending.length : Math.max(scanned, found?.at ?? pending.length - (from.length - 1));
        collect(mail, pending.subarray(scanned, safe), limit);
        const keepFrom = Math.max(0, safe - lookBehind);
        pending = pending.subarray(keepFrom);
        scanned = safe - keepFrom;
        return;
      }
      collect(mail, pending.subarray(scanned, found.at), limit);
      const next = startAt(mail.firstLine + mail.newlines);
      const done = finished(mail, limit);
      if (done.text.trim() !== "") yield done;
      mail = next;
      // The separator itself is given out at once, so that it is not found again.
      collect(mail, pending.subarray(found.at, found.at + from.length), limit);
      scanned = found.at + from.length;
    }
  };

  for await (const chunk of chunks) {
    pending = Buffer.concat([pending, chunk]);
    yield* takeMails(false);
  }
  yield* takeMails(true);
  const done = finished(mail, limit);
  if (done.text.trim() !== "") yield done;
}
