// SPDX-License-Identifier: GPL-2.0-only
import { coverFrom, type Cover } from "../patch/cover.ts";
import type { MailMessage, PatchDocument } from "../patch/model.ts";
import { readSeries, type NumberRange, type Series, type SeriesMail } from "../patch/series.ts";
import type { Problem } from "../text/problem.ts";
import { seriesState, type SeriesState } from "./series-state.ts";

/** One input among several. */
export interface PlannedDocument {
  /** Of mails without threads, those of one group are of one series where their numbers say so: a folder, or a mailbox. */
  readonly group: string;
  readonly messages: readonly MailMessage[];
}

/** The place of a mail in the series that the input has. */
export interface Seat {
  readonly state: SeriesState;
  readonly number: number;
  readonly total: number;
  readonly cover: Cover | null;
  /** The first patch of the series that is at hand. */
  readonly first: MailMessage;
  /** Patches before this one that are not at hand, behind the one before it that is. */
  readonly isBehindGap: boolean;
  /** What is wrong with the series, told with its first patch. */
  readonly problems: readonly Problem[];
}

/** In which order documents are to be reviewed, and where their mails belong. */
export interface SeriesPlan {
  /** Indexes of the documents: patches of one series in their order, the rest as it was given. */
  readonly order: readonly number[];
  /** Null for a mail of no series, for one that was sent again later, and where it is not clear. */
  seatOf(document: number, message: number): Seat | null;
}

/** Documents of one series as they come, whatever their order. */
export function planSeries(documents: readonly PlannedDocument[]): SeriesPlan {
  const seats = new Map<MailMessage, Seat>();
  for (const group of groupsOf(documents)) for (const series of clearSeries(group)) seatPatches(series, seats);
  const seatOf = (document: number, message: number): Seat | null => {
    const mail = documents[document]?.messages[message];
    return (mail && seats.get(mail)) ?? null;
  };
  return { order: orderOf(documents.map(({ messages }) => messages.flatMap((one) => seats.get(one) ?? [])[0] ?? null)), seatOf };
}

/** Mails of one list, each with its text for the order. */
type Group = readonly MailMessage[];

const isThreaded = ({ inReplyTo, references }: MailMessage): boolean => inReplyTo !== null || references.length > 0;

/** Mails of threads together, the others by where they lie: numbers alone hold them together. */
function groupsOf(documents: readonly PlannedDocument[]): readonly { readonly mails: Group; readonly hasThreads: boolean }[] {
  const all = documents.flatMap(({ group, messages }) => messages.map((message) => ({ group, message })));
  const named = new Set(all.flatMap(({ message }) => [...message.references, ...(message.inReplyTo === null ? [] : [message.inReplyTo])]));
  const threaded: MailMessage[] = [];
  const others = new Map<string, MailMessage[]>();
  for (const { group, message } of all) {
    if (message.kind !== "patch" && message.kind !== "cover") continue;
    if (isThreaded(message) || (message.messageId !== null && named.has(message.messageId))) threaded.push(message);
    else others.set(group, [...(others.get(group) ?? []), message]);
  }
  return [{ mails: threaded, hasThreads: true }, ...[...others.values()].map((mails) => ({ mails, hasThreads: false }))];
}

/** The same for the same mails, in whatever order they were given. */
function inOneOrder(mails: Group): Group {
  const keyed = mails.map((mail) => ({ mail, time: Date.parse(mail.date ?? "") || 0, name: `${mail.messageId ?? ""} ${mail.subject ?? ""} ${mail.commit ?? ""}` }));
  return keyed.toSorted((a, b) => a.time - b.time || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0)).map(({ mail }) => mail);
}

/** The series of a group of which it is clear what belongs to them. */
function clearSeries({ mails, hasThreads }: { readonly mails: Group; readonly hasThreads: boolean }): readonly Series[] {
  const document: PatchDocument = { text: "", messages: inOneOrder(mails), patches: [], problems: [] };
  const { series } = readSeries([document]);
  // Two of one version and length, held together by numbers alone: any patch may be of either.
  const nameOf = (one: Series): string => `${one.version} ${one.total}`;
  const counts = new Map<string, number>();
  for (const one of series) counts.set(nameOf(one), (counts.get(nameOf(one)) ?? 0) + 1);
  return series.filter((one) => one.total > 1 && one.patches.length > 1 && (hasThreads || counts.get(nameOf(one)) === 1));
}

function seatPatches(series: Series, seats: Map<MailMessage, Seat>): void {
  const state = seriesState();
  const cover = series.cover && coverFrom(series.cover.message);
  let before = 0;
  const patches = series.patches.filter(({ number }) => number >= 1 && number <= series.total);
  for (const { number, mail } of patches) {
    const problems = before === 0 ? missingProblems(series, mail) : [];
    seats.set(mail.message, { state, number, total: series.total, cover, first: patches[0]?.mail.message ?? mail.message, isBehindGap: before > 0 && number > before + 1, problems });
    before = number;
  }
}

const rangeText = ({ first, last }: NumberRange): string => (first === last ? `${first}` : `${first} to ${last}`);

const missingProblems = ({ missing, total, version }: Series, { message }: SeriesMail): readonly Problem[] =>
  missing.length === 0 ? [] : [{
    code: "patch-missing", line: message.startLine,
    message: `of the ${total} patches of v${version}, ${missing.map(rangeText).join(", ")} ${missing.length === 1 && missing[0]?.first === missing[0]?.last ? "is" : "are"} not here`,
  }];

/** Documents of one series stand together, by number, where the first of them stood. */
function orderOf(firsts: readonly (Seat | null)[]): readonly number[] {
  const bySeries = new Map<SeriesState, number[]>();
  firsts.forEach((seat, document) => {
    if (seat === null) return;
    const known = bySeries.get(seat.state);
    if (known) known.push(document);
    else bySeries.set(seat.state, [document]);
  });
  const numberOf = (document: number): number => firsts[document]?.number ?? 0;
  return firsts.flatMap((seat, document) => {
    if (seat === null) return [document];
    const own = bySeries.get(seat.state) ?? [];
    return own[0] === document ? own.toSorted((a, b) => numberOf(a) - numberOf(b) || a - b) : [];
  });
}
