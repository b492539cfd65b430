// SPDX-License-Identifier: GPL-2.0-only
import type { SeriesMail } from "./series.ts";
import type { Threads } from "./thread.ts";

/** One version of a series under construction. */
export interface SeriesDraft {
  readonly version: number;
  readonly isRfc: boolean;
  readonly total: number;
  /** The thread where it is one, null where only numbers hold the mails together. */
  readonly thread: string | null;
  /** By number, the cover letter as 0; of several mails the last is the one that counts. */
  readonly mails: Map<number, SeriesMail[]>;
  previous: number | null;
  /** Sent under a version of the same size, without a cover letter of its own. */
  isReroll: boolean;
}

/** Among mails that nothing but their numbers tells apart, one is compared with the last so many series. */
const candidates = 64;

const titleOf = (mail: SeriesMail): string => mail.message.tag?.title ?? mail.message.subject ?? "";

const numberOf = (mail: SeriesMail): number => mail.message.tag?.index ?? 1;

/** True where `mail` can be of the series: its place is free, or it is sent again. */
const fits = (draft: SeriesDraft, mail: SeriesMail): boolean => {
  const there = draft.mails.get(numberOf(mail))?.at(-1);
  if (there === undefined) return true;
  return (there.message.tag?.isRfc ?? false) === (mail.message.tag?.isRfc ?? false) && (draft.thread !== null || titleOf(there) === titleOf(mail));
};

/** The threads that hold two mails of a series or more: in the others, the numbers must do. */
const sharedThreads = (members: readonly SeriesMail[], threads: Threads): ReadonlySet<string> => {
  const seen = new Set<string>();
  const shared = new Set<string>();
  for (const { message } of members) {
    const thread = threads.threadOf(message);
    if (thread === null) continue;
    if (seen.has(thread)) shared.add(thread);
    seen.add(thread);
  }
  return shared;
};

const addTo = <K, T>(map: Map<K, T[]>, key: K, value: T): void => {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
};

/** The order of versions of one series: an RFC comes before the version that has its number. */
const rank = (draft: SeriesDraft): number => draft.version * 2 + (draft.isRfc ? 0 : 1);

/** What earlier and later versions of a series have in common: the thread, the title of the cover letter or of a lone patch. */
const linksOf = (draft: SeriesDraft): readonly string[] => {
  const lead = draft.mails.get(0)?.at(-1) ?? draft.mails.get(1)?.[0];
  return [
    ...(draft.thread === null ? [] : [`thread ${draft.thread}`]),
    ...(lead === undefined || titleOf(lead) === "" || lead.message.tag === null ? [] : [`title ${titleOf(lead)}`]),
  ];
};

const linkVersions = (drafts: readonly SeriesDraft[]): void => {
  const byLink = new Map<string, number[]>();
  drafts.forEach((draft, at) => linksOf(draft).forEach((link) => addTo(byLink, link, at)));
  for (const draft of drafts) {
    let best: { at: number; rank: number } | null = null;
    for (const at of linksOf(draft).flatMap((link) => (byLink.get(link) ?? []).slice(-candidates))) {
      const other = drafts[at];
      if (other !== undefined && rank(other) < rank(draft) && rank(other) > (best?.rank ?? -1)) best = { at, rank: rank(other) };
    }
    const former = best === null ? undefined : drafts[best.at];
    draft.previous = best?.at ?? null;
    draft.isReroll = former !== undefined && !draft.mails.has(0) && draft.thread !== null &&
      former.thread === draft.thread && former.total === draft.total;
  }
};

/** Groups patches and cover letters into versions of series, in the order of their first mails. */
export const findSeries = (members: readonly SeriesMail[], threads: Threads): readonly SeriesDraft[] => {
  const shared = sharedThreads(members, threads);
  const drafts: SeriesDraft[] = [];
  const byKey = new Map<string, SeriesDraft[]>();
  for (const mail of members) {
    const { tag } = mail.message;
    const found = threads.threadOf(mail.message);
    const thread = found !== null && shared.has(found) ? found : null;
    const total = tag?.total ?? 1;
    const version = tag?.version ?? 1;
    // A bare diff and a lone patch have no number that could hold them together with others.
    const lone = tag === null ? null : tag.total === null ? `lone ${version} ${titleOf(mail)}` : "";
    const key = `${lone} ${version} ${total} ${thread ?? ""}`;
    let draft = lone === null ? undefined : byKey.get(key)?.slice(-candidates).findLast((each) => fits(each, mail));
    if (draft === undefined) {
      draft = { version, isRfc: tag?.isRfc ?? false, total, thread, mails: new Map(), previous: null, isReroll: false };
      drafts.push(draft);
      addTo(byKey, key, draft);
    }
    addTo(draft.mails, numberOf(mail), mail);
  }
  linkVersions(drafts);
  return drafts;
};
