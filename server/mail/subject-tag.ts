// SPDX-License-Identifier: GPL-2.0-only

/** What the brackets of a patch's subject say, as in `Re: [RFC PATCH v3 02/12 mm-unstable] mm: title`. */
export interface SubjectTag {
  /** `Re:` or the like stands in front. */
  readonly isReply: boolean;
  readonly isRfc: boolean;
  readonly isResend: boolean;
  /** 1 where none is named. */
  readonly version: number;
  /** The N of `N/M`; 0 is the cover letter; null for a patch that stands alone. */
  readonly index: number | null;
  readonly total: number | null;
  /** The subject behind the brackets. */
  readonly title: string;
}

/** Longer subjects are no subjects. */
const longest = 1000;
const replyMark = /^(?:re|fwd?|aw|sv|antw)(?:\[\d{1,3}\])?:\s*/i;
const group = /^\[([^[\]]{0,200})\]\s*/;

interface Words {
  isPatch: boolean;
  isRfc: boolean;
  isResend: boolean;
  version: number | null;
  index: number | null;
  total: number | null;
}

/** Reads one word of a bracket group: `PATCH`, `PATCHv2`, `v3`, `02/12`, `RFC`, `RESEND`; others are names of trees. */
const readWord = (words: Words, word: string): void => {
  const [, kind, version] = /^(PATCH|RFC|RESEND|REPOST)?[-_]?(?:v(\d{1,3}))?$/i.exec(word) ?? [];
  const place = /^(\d{1,4})\/(\d{1,4})$/.exec(word);
  words.isPatch ||= kind?.toUpperCase() === "PATCH";
  words.isRfc ||= kind?.toUpperCase() === "RFC";
  words.isResend ||= /^RE(?:SEND|POST)$/i.test(kind ?? "");
  if (version !== undefined) words.version ??= Number(version);
  if (place !== null && words.total === null) {
    words.index = Number(place[1]);
    words.total = Number(place[2]);
  }
};

/** Reads the brackets of a subject; null where they do not speak of a patch. */
export const readSubjectTag = (subject: string | null): SubjectTag | null => {
  if (subject === null || subject.length > longest) return null;
  const words: Words = { isPatch: false, isRfc: false, isResend: false, version: null, index: null, total: null };
  let isReply = false;
  let rest = subject.trim();
  for (;;) {
    const mark = replyMark.exec(rest) ?? group.exec(rest);
    if (mark === null) break;
    if (mark[1] === undefined) isReply = true;
    else for (const word of mark[1].split(/[\s,:]+/)) readWord(words, word);
    rest = rest.slice(mark[0].length);
  }
  const { isPatch, isRfc, isResend, version, index, total } = words;
  if (!isPatch && !isRfc && total === null && version === null) return null;
  return { isReply, isRfc, isResend, version: version ?? 1, index, total, title: rest.trim() };
};

/** True where a subject says that its mail answers another. */
export const isReplySubject = (subject: string | null): boolean => subject !== null && replyMark.test(subject.trim());
