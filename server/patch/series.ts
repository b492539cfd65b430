// SPDX-License-Identifier: GPL-2.0-only
import type { Problem } from "../text/problem.ts";
import type { Base, MailMessage, PatchDocument } from "./model.ts";
import { findSeries } from "./series-group.ts";
import { threadsOf } from "./thread.ts";
import type { Threads } from "./thread.ts";

/** A mail and the document that it stands in: an index into the documents that were given. */
export interface SeriesMail {
  readonly document: number;
  readonly message: MailMessage;
}

/** One patch of a series. */
export interface SeriesPatch {
  /** The N of `N/M`; 1 for a patch that stands alone. */
  readonly number: number;
  readonly mail: SeriesMail;
  /** Earlier mails of the same number and title. */
  readonly superseded: readonly SeriesMail[];
  /** In input order; a reply to a reply belongs to the patch as well. */
  readonly replies: readonly SeriesMail[];
}

/** Numbers that are absent, first and last included. */
export interface NumberRange {
  readonly first: number;
  readonly last: number;
}

/** One version of a series. */
export interface Series {
  readonly version: number;
  readonly isRfc: boolean;
  readonly total: number;
  readonly cover: SeriesMail | null;
  /** Those that are there, by number. */
  readonly patches: readonly SeriesPatch[];
  readonly missing: readonly NumberRange[];
  /** Index of the series of which this is a later version, or null. */
  readonly previous: number | null;
  /** Some patches were sent again under the former version, which still has the others. */
  readonly isPartialReroll: boolean;
  /** Of the cover letter, or of the first patch that names one. It holds for all patches. */
  readonly base: Base;
  /** To the cover letter. */
  readonly replies: readonly SeriesMail[];
}

/** What several mails are together. */
export interface SeriesReading {
  readonly series: readonly Series[];
  /** Mails of no series, in input order: replies whose patch is not there, prose, and second copies of a mail. */
  readonly others: readonly SeriesMail[];
  /** Each with its document, since a line alone says nothing. */
  readonly problems: readonly (Problem & { readonly document: number })[];
}

const noBase: Base = { commit: null, prerequisites: [] };

const isNamed = (base: Base): boolean => base.commit !== null || base.prerequisites.length > 0;

/** The numbers 1 to `total` that are not in `present` (ascending), as ranges: a hostile total costs nothing. */
const missingOf = (present: readonly number[], total: number): NumberRange[] => {
  const ranges: NumberRange[] = [];
  let next = 1;
  for (const number of [...present, total + 1]) {
    if (number > next) ranges.push({ first: next, last: number - 1 });
    next = Math.max(next, number + 1);
  }
  return ranges;
};

const rangeText = ({ first, last }: NumberRange): string => (first === last ? `${first}` : `${first}-${last}`);

/** Mails that carry the Message-ID of one above: a mailbox that was merged from two, or a list that sends its own copy. */
const twinsIn = (mails: readonly SeriesMail[]): ReadonlySet<SeriesMail> => {
  const seen = new Set<string>();
  const twins = new Set<SeriesMail>();
  for (const mail of mails) {
    const id = mail.message.messageId;
    if (id === null) continue;
    if (seen.has(id)) twins.add(mail);
    seen.add(id);
  }
  return twins;
};

/** The mail of a series that a reply answers: by its references, the nearest first, or else by its subject. */
const answered = (reply: MailMessage, byId: ReadonlyMap<string, SeriesMail>, byTitle: ReadonlyMap<string, SeriesMail | null>, threads: Threads): SeriesMail | null => {
  for (const id of threads.above(reply)) {
    const mail = byId.get(id);
    if (mail !== undefined) return mail;
  }
  return byTitle.get(titleKey(reply)) ?? null;
};

const titleKey = ({ tag, subject }: MailMessage): string => {
  if (tag === null) return `?${(subject ?? "").replace(/^(?:\s*(?:re|fwd?|aw|sv|antw)(?:\[\d{1,3}\])?:)+\s*/i, "")}`;
  return `${tag.version} ${tag.index ?? ""}/${tag.total ?? ""} ${tag.title}`;
};

/** Titles that occur twice say nothing. */
const mailsByTitle = (mails: readonly SeriesMail[]): Map<string, SeriesMail | null> => {
  const found = new Map<string, SeriesMail | null>();
  for (const mail of mails) {
    const key = titleKey(mail.message);
    found.set(key, found.has(key) ? null : mail);
  }
  return found;
};

const isMember = ({ message }: SeriesMail): boolean => message.kind === "patch" || message.kind === "cover";

/** The replies of each patch and cover letter; what answers none of them is left over. */
const sortReplies = (mails: readonly SeriesMail[], members: readonly SeriesMail[], threads: Threads) => {
  const byId = new Map(members.flatMap((mail) => (mail.message.messageId === null ? [] : [[mail.message.messageId, mail] as const])));
  const byTitle = mailsByTitle(members);
  const replies = new Map<SeriesMail, SeriesMail[]>();
  const others: SeriesMail[] = [];
  for (const mail of mails) {
    if (isMember(mail)) continue;
    const target = mail.message.kind === "reply" ? answered(mail.message, byId, byTitle, threads) : null;
    if (target === null) others.push(mail);
    else {
      const known = replies.get(target);
      if (known === undefined) replies.set(target, [mail]);
      else known.push(mail);
    }
  }
  return { replies, others };
};

/**
 * Puts the mails of one or several documents together: versions of series with cover letter, patches and replies. Nothing
 * is required of their order; numbers may lack, repeat, or come from a later version.
 */
export const readSeries = (documents: readonly PatchDocument[]): SeriesReading => {
  const all = documents.flatMap(({ messages }, document) => messages.map((message): SeriesMail => ({ document, message })));
  const twins = twinsIn(all);
  const mails = all.filter((mail) => !twins.has(mail));
  const threads = threadsOf(mails.map((mail) => mail.message));
  const members = mails.filter(isMember);
  const { replies, others } = sortReplies(mails, members, threads);
  const drafts = findSeries(members, threads);
  const series = drafts.map((draft): Series => {
    const numbers = [...draft.mails.keys()].filter((number) => number > 0).toSorted((a, b) => a - b);
    const answersTo = (sent: readonly SeriesMail[]): SeriesMail[] => sent.flatMap((mail) => replies.get(mail) ?? []);
    const patches = numbers.map((number): SeriesPatch => {
      const sent = draft.mails.get(number) ?? [];
      return { number, mail: sent.at(-1)!, superseded: sent.slice(0, -1), replies: answersTo(sent) };
    });
    const covers = draft.mails.get(0) ?? [];
    const cover = covers.at(-1) ?? null;
    const missing = missingOf(numbers, draft.total);
    const bases = [cover, ...patches.map((patch) => patch.mail)].map((mail) => mail?.message.base ?? noBase);
    return {
      version: draft.version, isRfc: draft.isRfc, total: draft.total, cover, patches, missing,
      previous: draft.previous, isPartialReroll: draft.isReroll && missing.length > 0,
      base: bases.find(isNamed) ?? noBase, replies: answersTo(covers),
    };
  });
  const left = new Set([...twins, ...others]);
  const twinProblems = [...twins].map(({ document, message }) =>
    ({ code: "message-twice", message: "a mail with this Message-ID stands above", line: message.startLine, document }));
  return { series, others: all.filter((mail) => left.has(mail)), problems: [...twinProblems, ...series.flatMap(problemsOf)] };
};

const problemsOf = (series: Series): (Problem & { document: number })[] => {
  const first = series.cover ?? series.patches[0]?.mail;
  const found: (Problem & { document: number })[] = [];
  const name = `v${series.version} of ${series.total}`;
  if (first !== undefined && series.missing.length > 0) {
    const message = `${name}: ${series.missing.map(rangeText).join(", ")} ${series.isPartialReroll ? "only in the former version" : "missing"}`;
    found.push({ code: series.isPartialReroll ? "partial-reroll" : "patch-missing", message, line: first.message.startLine, document: first.document });
  }
  for (const { number, mail, superseded } of series.patches) {
    const beyond = number > series.total;
    if (beyond) found.push({ code: "patch-beyond-total", message: `${name}: a patch has the number ${number}`, line: mail.message.startLine, document: mail.document });
    for (const each of superseded) {
      found.push({ code: "patch-resent", message: `${name}: ${number} was sent again`, line: each.message.startLine, document: each.document });
    }
  }
  return found;
};
