// SPDX-License-Identifier: GPL-2.0-only
import type { TextLine } from "../text/lines.ts";
import { decodeEncodedWords } from "./encoded-words.ts";

/** What the reader keeps of a mail's header. Values are unfolded; null where absent. */
export interface MailHeader {
  /** `mail`: RFC 5322 fields; `archive`: the short header of a web archive; `none`: no mail (a bare diff, or a commit as git shows it). */
  readonly form: "mail" | "archive" | "none";
  readonly subject: string | null;
  readonly from: string | null;
  readonly date: string | null;
  /** Without the angle brackets. */
  readonly messageId: string | null;
  /** The mail that this one answers, without the angle brackets. */
  readonly inReplyTo: string | null;
  /** The mails above this one in its thread, from the first to the last. */
  readonly references: readonly string[];
  /** Lower case, for example `quoted-printable`. */
  readonly transferEncoding: string | null;
  /** As written, with its parameters. */
  readonly contentType: string | null;
}

/** A header and the index of the first line of the body. */
export interface HeaderBlock {
  readonly header: MailHeader;
  readonly next: number;
}

const noHeader: MailHeader = {
  form: "none", subject: null, from: null, date: null, messageId: null, inReplyTo: null, references: [],
  transferEncoding: null, contentType: null,
};

const field = /^([A-Za-z][A-Za-z0-9-]{0,60}):[ \t]*(.*)$/;
/** Fields that open a header; others (a C label, `Link:` in a message) do not. */
const opening = new Set([
  "from", "to", "cc", "subject", "date", "message-id", "in-reply-to", "references", "received", "return-path",
  "delivered-to", "mime-version", "content-type", "content-transfer-encoding", "list-id", "sender", "reply-to",
  "x-mailer", "user-agent", "status", "x-status", "envelope-to", "dkim-signature", "x-mozilla-status",
]);

const isBlank = (text: string): boolean => text.trim() === "";

const skipBlank = (lines: readonly TextLine[], at: number, most: number): number => {
  let index = at;
  while (index < lines.length && index - at < most && isBlank(lines[index]?.text ?? "")) index += 1;
  return index;
};

/**
 * The header that web archives print: a line with the subject, then `From: name` and `Date: ... - hh:mm:ss EST`,
 * with or without blank lines between. The subject may itself look like a field (`Re: [PATCH] ...`).
 */
const archiveHeader = (lines: readonly TextLine[], at: number): HeaderBlock | null => {
  const subject = lines[at]?.text;
  if (subject === undefined || opening.has(field.exec(subject)?.[1]?.toLowerCase() ?? "")) return null;
  const fromAt = skipBlank(lines, at + 1, 3);
  const from = /^From:\s*(.+)$/.exec(lines[fromAt]?.text ?? "")?.[1];
  const dateAt = skipBlank(lines, fromAt + 1, 3);
  const date = /^Date:\s*(.+)$/.exec(lines[dateAt]?.text ?? "")?.[1];
  if (from === undefined || date === undefined) return null;
  const header: MailHeader = {
    ...noHeader, form: "archive", subject: subject.trim(), from: from.trim(), date: date.trim(),
  };
  return { header, next: dateAt + 1 };
};

/** One field of a header; the name in lower case, the value unfolded. */
export interface Field {
  readonly name: string;
  value: string;
}

/** Collects fields up to the first blank line; stops early, without failing, at a line that is no field. */
export const collectFields = (lines: readonly TextLine[], at: number): { fields: Field[]; next: number } => {
  const fields: Field[] = [];
  let index = at;
  for (; index < lines.length; index += 1) {
    const text = lines[index]?.text ?? "";
    const last = fields.at(-1);
    if (isBlank(text)) return { fields, next: index + 1 };
    if (last !== undefined && /^[ \t]/.test(text)) {
      last.value = `${last.value} ${text.trim()}`;
      continue;
    }
    const match = field.exec(text);
    if (match === null) {
      // `>From ...` lines occur inside headers of old mailboxes.
      if (/^>?From /.test(text)) continue;
      break;
    }
    fields.push({ name: (match[1] ?? "").toLowerCase(), value: (match[2] ?? "").trim() });
  }
  return { fields, next: index };
};

/** Some mailers write a sentence or the whole thread into a field, so only what stands in angle brackets counts. */
const messageIdsIn = (value: string | null): string[] => Array.from((value ?? "").matchAll(/<([^<>\s]{1,998})>/g), (match) => match[1] ?? "");

const mailHeader = (lines: readonly TextLine[], at: number): HeaderBlock | null => {
  const first = field.exec(lines[at]?.text ?? "")?.[1]?.toLowerCase();
  if (first === undefined || !(opening.has(first) || first.startsWith("x-"))) return null;
  const { fields, next } = collectFields(lines, at);
  const known = fields.filter((each) => opening.has(each.name));
  if (known.length === 0) return null;
  const value = (name: string): string | null => fields.find((each) => each.name === name)?.value ?? null;
  const decodedValue = (name: string): string | null => {
    const raw = value(name);
    return raw === null ? null : decodeEncodedWords(raw);
  };
  const header: MailHeader = {
    form: "mail",
    subject: decodedValue("subject"),
    from: decodedValue("from"),
    date: value("date"),
    messageId: messageIdsIn(value("message-id"))[0] ?? value("message-id"),
    inReplyTo: messageIdsIn(value("in-reply-to"))[0] ?? null,
    references: messageIdsIn(value("references")),
    transferEncoding: value("content-transfer-encoding")?.toLowerCase() ?? null,
    contentType: value("content-type"),
  };
  return { header, next };
};

/** The head of a commit as `git show` prints it: `commit <id>`, `Author:`, `Date:`, and the subject, indented by four. */
const logHeader = (lines: readonly TextLine[], at: number): HeaderBlock | null => {
  if (!/^commit [0-9a-f]{7,64}\b/.test(lines[at]?.text ?? "")) return null;
  const values = new Map<string, string>();
  let next = at + 1;
  for (let match = field.exec(lines[next]?.text ?? ""); match !== null; match = field.exec(lines[next]?.text ?? "")) {
    values.set((match[1] ?? "").toLowerCase(), (match[2] ?? "").trim());
    next += 1;
  }
  const subject = /^ {4}(\S.*)$/.exec(lines[skipBlank(lines, next, 1)]?.text ?? "")?.[1] ?? null;
  const header: MailHeader = {
    ...noHeader, subject, from: values.get("author") ?? null, date: values.get("date") ?? values.get("authordate") ?? null,
  };
  return values.has("author") ? { header, next } : null;
};

/** Reads the header that starts at `lines[at]` (blank lines before it are skipped); form `none` where there is none. */
export const readHeader = (lines: readonly TextLine[], at: number): HeaderBlock => {
  const start = skipBlank(lines, at, 20);
  return logHeader(lines, start) ?? archiveHeader(lines, start) ?? mailHeader(lines, start) ?? { header: noHeader, next: at };
};
