// SPDX-License-Identifier: GPL-2.0-only
import { decodeEncodedWords } from "../mail/encoded-words.ts";
import type { Message } from "../mail/message.ts";
import { isReplySubject, readSubjectTag } from "../mail/subject-tag.ts";
import type { SubjectTag } from "../mail/subject-tag.ts";
import type { TextLine } from "../text/lines.ts";
import type { Base, MailMessage, Patch } from "./model.ts";

/** A series that needs more patches below it says so in words. */
const mostPrerequisites = 1000;

/** What `git format-patch --base` wrote at the end of the body. */
const baseIn = (lines: readonly TextLine[]): Base => {
  let commit: string | null = null;
  const prerequisites: string[] = [];
  for (const { text } of lines) {
    if (text.startsWith("base-commit:")) commit ??= /^base-commit:\s*([0-9a-f]{7,64})\s*$/.exec(text)?.[1] ?? null;
    if (!text.startsWith("prerequisite-patch-id:") || prerequisites.length === mostPrerequisites) continue;
    const id = /^prerequisite-patch-id:\s*([0-9a-f]{7,64})\s*$/.exec(text)?.[1];
    if (id !== undefined) prerequisites.push(id);
  }
  return { commit, prerequisites };
};

/** Blank lines may stand above the line that names another author than the sender. */
const authorIn = (body: readonly TextLine[]): string | null => {
  const first = body.slice(0, 5).find((line) => line.text.trim() !== "")?.text ?? "";
  const named = /^From:\s*(\S.*@.*)$/.exec(first.slice(0, 500))?.[1];
  return named === undefined ? null : decodeEncodedWords(named.trim());
};

const kindOf = (subject: string | null, tag: SubjectTag | null, patches: readonly Patch[]): MailMessage["kind"] => {
  if (isReplySubject(subject)) return "reply";
  // A cover letter can carry a diff too: that between two versions.
  if (tag?.index === 0) return "cover";
  if (patches.some((patch) => patch.form !== "quoted")) return "patch";
  return patches.length > 0 ? "reply" : "text";
};

/** The result for one mail: who answers whom, and what its patches are. */
export const messageFrom = (message: Message, patches: readonly Patch[]): MailMessage => {
  const { subject, from, date, messageId, inReplyTo, references } = message.header;
  const tag = readSubjectTag(subject);
  const startLine = message.lines[0]?.line ?? 1;
  return {
    kind: kindOf(subject, tag, patches),
    messageId, inReplyTo, references, subject, from, author: authorIn(message.lines.slice(message.bodyAt, message.bodyAt + 5)) ?? from, date, commit: message.commit, tag,
    base: baseIn(message.lines), patches, startLine,
    endLine: message.endLine,
    bodyLine: message.lines[message.bodyAt]?.line ?? message.endLine + 1,
  };
};
