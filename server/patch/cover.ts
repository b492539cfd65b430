// SPDX-License-Identifier: GPL-2.0-only
import type { SubjectTag } from "../mail/subject-tag.ts";
import type { Base, MailMessage } from "./model.ts";

/** What a cover letter says about all patches of its series. Small, so that it can be kept while a mailbox streams by. */
export interface Cover {
  readonly messageId: string | null;
  readonly subject: string;
  readonly tag: SubjectTag;
  readonly base: Base;
}

/** The place of a mail in its series. */
export interface SeriesPlace {
  readonly version: number;
  /** 0 for the cover letter. */
  readonly index: number;
  readonly total: number;
  /** What the cover letter is called; null where it was not seen. */
  readonly title: string | null;
}

export const coverFrom = ({ kind, messageId, subject, tag, base }: MailMessage): Cover | null =>
  kind === "cover" && subject !== null && tag !== null ? { messageId, subject, tag, base } : null;

/** The cover letter of a mail's series among those seen: by its references, or by the numbers where there are none. */
export const coverOf = (message: MailMessage, covers: readonly Cover[]): Cover | null => {
  const { tag, inReplyTo, references } = message;
  if (tag === null || tag.total === null || message.kind === "cover") return null;
  const isThreaded = inReplyTo !== null || references.length > 0;
  const isAbove = (id: string | null): boolean => id !== null && (id === inReplyTo || references.includes(id));
  return covers.findLast((cover) =>
    cover.tag.version === tag.version && cover.tag.total === tag.total && (!isThreaded || isAbove(cover.messageId))) ?? null;
};

/** A patch that stands alone is the only one of its series; a mail whose subject has no tag is in none. */
export const placeOf = ({ tag, kind }: MailMessage, cover: Cover | null): SeriesPlace | null => {
  if (tag === null || kind === "text") return null;
  return { version: tag.version, index: tag.index ?? 1, total: tag.total ?? 1, title: cover?.tag.title ?? (kind === "cover" ? tag.title : null) };
};
