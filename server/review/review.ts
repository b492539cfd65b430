// SPDX-License-Identifier: GPL-2.0-only
import { formatRelease } from "../kernel/release.ts";
import { coverFrom, coverOf, placeOf, type Cover } from "../patch/cover.ts";
import type { MailMessage, Patch, PatchDocument } from "../patch/model.ts";
import { readPatches } from "../patch/read.ts";
import type { DocumentAt, SeriesView } from "../source/series-code.ts";
import { decideTarget, type DecidedTarget } from "../source/target.ts";
import type { Problem } from "../text/problem.ts";
import { coverageOf, lostProblems, NO_COVERAGE, unclosedProblems } from "./coverage.ts";
import { RULES } from "../rules/registry.ts";
import type { Rule } from "../rules/rule.ts";
import type { Aside, Finding, Review, TargetReport } from "./finding.ts";
import { rewritingOfFile, rewritingOfPatch } from "./fix/rewriting.ts";
import { judge, NOTHING_JUDGED, type Judged } from "./judge.ts";
import type { ReviewOptions } from "./options.ts";
import { withoutSuppressed } from "./suppression/in-mail.ts";
import { mailSuppressions } from "./suppression/mail-suppressions.ts";
import { planSeries, type Seat } from "./series-plan.ts";
import { seenInTree, treeProblems, type ReviewTree } from "./tree.ts";
import type { Subject } from "../rules/rule.ts";
import { subjectOf, subjectOfFile, wholeFile, type Surroundings } from "./subject.ts";

/** What is reviewed: a document that holds patches, or a C file as it stands. */
export interface ReviewInput {
  readonly path: string;
  readonly text: string;
  readonly kind: "patch" | "c";
  /** Cover letters of the inputs before this one. */
  readonly covers?: readonly Cover[];
  /** A kernel tree that shows the code around the hunks. */
  readonly tree?: ReviewTree;
  /** Where the mails of the input belong among those of other inputs, by their order in it; absent: there are no others. */
  readonly seatOf?: (message: number) => Seat | null;
  /** Line of the input at which the text begins; default 1. */
  readonly firstLine?: number;
}

/**
 * Reviews one document. A document with several patches (mbox) gives one review per patch, in document order;
 * a document without any patch gives one review without findings. Lines count from the start of `text`.
 */
export function review(input: ReviewInput, options: ReviewOptions, rules: readonly Rule[] = RULES): Review[] {
  if (input.kind === "c") return [reviewFile(input, options, rules)];
  const document = readPatches(input.text);
  if (document.patches.length === 0) return [emptyReview(document.messages, options, document.problems)];
  const covers = [...(input.covers ?? []), ...document.messages.map(coverFrom).filter((cover) => cover !== null)];
  const problems = byPatch(document.patches, document.problems);
  const seatOf = input.seatOf ?? seatsIn(document);
  const seats = document.messages.map((_, index) => seatOf(index));
  const made = new Map<Patch, Review>();
  for (const index of bySeat(seats)) {
    const message = document.messages[index];
    const seat = seats[index] ?? null;
    for (const patch of message?.patches ?? []) {
      if (message) made.set(patch, reviewPatch(input, { message, patch, cover: seat?.cover ?? coverOf(message, covers), seat, problems: problems.get(patch) ?? [] }, options, rules));
    }
  }
  const reviews = document.messages.flatMap((message, index) => message.patches.flatMap((patch) => {
    const one = made.get(patch);
    return one ? [{ one, seat: seats[index] ?? null }] : [];
  }));
  // Of a series that goes on in other inputs, whoever has them all says what removes what.
  return reviews.map(({ one, seat }) => (input.seatOf ? one : withFixedBy(one, seat)));
}

/** A document that is all there is of its series. */
function seatsIn({ messages }: PatchDocument): (message: number) => Seat | null {
  const plan = planSeries([{ group: "", messages }]);
  return (message) => plan.seatOf(0, message);
}

/** Indexes of mails: those of a series by their numbers, at the places of these in the document. */
function bySeat(seats: readonly (Seat | null)[]): readonly number[] {
  const indexes = seats.map((_, index) => index);
  const numberOf = (index: number): number => seats[index]?.number ?? 0;
  const states = new Set(seats.flatMap((seat) => seat?.state ?? []));
  const queues = new Map([...states].map((state) => [state, indexes.filter((index) => seats[index]?.state === state).toSorted((a, b) => numberOf(a) - numberOf(b) || a - b)] as const));
  return indexes.map((index) => {
    const seat = seats[index] ?? null;
    return seat === null ? index : (queues.get(seat.state)?.shift() ?? index);
  });
}

/** A review whose findings name the later patches of the series that remove them. */
export const withFixedBy = (review: Review, seat: Seat | null): Review =>
  seat === null ? review : { ...review, findings: seat.state.marked(seat.number, review.findings) };

/** The problems of each patch: those from its first line on. What stands above the first patch is counted to it. */
function byPatch(patches: readonly Patch[], problems: readonly Problem[]): ReadonlyMap<Patch, readonly Problem[]> {
  const found = new Map<Patch, Problem[]>(patches.map((patch) => [patch, []]));
  for (const problem of problems) {
    const line = problem.line;
    const owner = line === null ? 0 : Math.max(0, patches.findLastIndex((patch) => patch.startLine <= line));
    const patch = patches[owner];
    if (patch !== undefined) found.get(patch)?.push(problem);
  }
  return found;
}

const NO_PATCH: Patch = {
  form: "diff", messageId: null, subject: null, from: null, date: null, commit: null, whitespaceLost: false,
  prose: [], files: [], remarks: [], startLine: 1, endLine: 1,
};

export const reportOf = (decided: DecidedTarget): TargetReport => ({
  release: formatRelease(decided.target.release),
  decidedBy: decided.decidedBy,
  because: decided.because,
  arch: decided.target.arch,
  config: Object.entries(decided.target.config).map(([key, value]) => `${key}=${value ? "y" : "n"}`).toSorted(),
});

/** A cover letter, a reply without code, or no mail at all. */
function emptyReview(messages: readonly MailMessage[], options: ReviewOptions, problems: readonly Problem[]): Review {
  const message = messages.length === 1 ? (messages[0] ?? null) : null;
  const decided = decideTarget({ ...NO_PATCH, subject: message?.subject ?? null, date: message?.date ?? null }, options);
  return {
    messageId: message?.messageId ?? null, subject: message?.subject ?? null,
    series: message && placeOf(message, null), cover: message && coverFrom(message),
    target: reportOf(decided), problems: [...problems, ...decided.problems],
    coverage: NO_COVERAGE, obligations: [], findings: [], ...asideOf(undefined, options),
  };
}

/** Whoever asks what is no finding gets an answer, also where nothing was to be judged. */
export const asideOf = (aside: Aside | undefined, options: ReviewOptions): Pick<Review, "aside"> =>
  options.showRefuted ? { aside: aside ?? { refuted: [], fixed: [] } } : {};

/** One patch of a document. */
interface PatchAt {
  readonly message: MailMessage;
  readonly patch: Patch;
  readonly cover: Cover | null;
  readonly seat: Seat | null;
  readonly problems: readonly Problem[];
}

function reviewPatch(input: ReviewInput, at: PatchAt, options: ReviewOptions, rules: readonly Rule[]): Review {
  const { text, tree } = input;
  const { message, patch, cover, seat } = at;
  const own: DocumentAt = { path: input.path, firstLine: input.firstLine ?? 1 };
  if (seat?.isBehindGap) seat.state.code.gap();
  const seen = tree && seenInTree(text, message, patch, cover, tree, seat?.first);
  const decided = decideTarget(patch, { ...options, ...seen?.target }, cover?.subject ?? null);
  const viewOf = (of: Patch): SeriesView | null => seat?.state.code.before(of, own) ?? null;
  const view = viewOf(patch);
  const subjectFor = (document: string, of: Patch, surroundings: Omit<Surroundings, "series"> | undefined, series: SeriesView | null): Subject | null =>
    subjectOf(document, of, decided, { ...surroundings, series });
  const judgedWith = (knows: boolean, given: ReviewOptions): { readonly subject: Subject | null; readonly judged: Judged } => {
    const subject = subjectFor(text, patch, seen, knows ? view : null);
    // The patch of the edited document: the same one of the same message, read without anything new to complain of.
    const reread = (edited: string): Subject | null => {
      const same = againIn(readPatches(edited), readPatches(text), patch);
      return same && subjectFor(edited, same, seen && { ...seen, preImages: seen.again(edited, same) }, knows ? viewOf(same) : null);
    };
    const rewriting = subject && rewritingOfPatch(text, patch, subject, reread);
    return { subject, judged: subject ? judge(subject, given, { rules, rewriting, watched: seat?.state.watched() ?? [] }) : NOTHING_JUDGED };
  };
  const metas = rules.map(({ meta }) => meta);
  const said = mailSuppressions(text, patch, metas.map(({ id }) => id));
  // What a suppression names may be below the tier that is shown: it is not stale for that.
  const asked: ReviewOptions = said.suppressions.length > 0 ? { ...options, minTier: "pattern" } : options;
  // What rests on code that a patch in between may have changed is no proof, and what does not rest on it stays one.
  const isStale = view?.isStale === true;
  const { subject, judged } = judgedWith(true, isStale ? { ...asked, simulate: false } : asked);
  const found = isStale ? provedAlone(judged.findings, judgedWith(false, asked).judged.findings) : judged.findings;
  if (seat) {
    seat.state.note({ number: seat.number, subject: message.tag?.title ?? patch.subject }, seat.total, found, judged.gone);
    seat.state.code.advance(patch, own);
  }
  const target = reportOf(decided);
  const all = [...at.problems, ...(seat?.problems ?? []), ...(seen ? treeProblems(seen, subject !== null) : []), ...decided.problems, ...(subject ? lostProblems(subject.unit) : []), ...judged.problems];
  const { findings, suppressed, problems } = withoutSuppressed(found, said, { problems: all, target }, options, metas);
  return {
    messageId: patch.messageId,
    subject: patch.subject,
    series: placeOf(message, cover),
    cover: coverFrom(message),
    target,
    problems: [...all, ...problems],
    coverage: { ...(subject ? coverageOf(subject.unit, judged.cutOff) : NO_COVERAGE), ...(seen ? { preImages: seen.reports } : {}) },
    obligations: judged.obligations,
    findings,
    ...(suppressed === undefined ? {} : { suppressed }),
    ...asideOf(judged.aside, options),
  };
}

/** Findings, each with what the patch alone shows of it. */
const provedAlone = (findings: readonly Finding[], alone: readonly Finding[]): readonly Finding[] =>
  findings.map((finding) => alone.find((one) => one.fingerprint === finding.fingerprint && one.location.patchLine === finding.location.patchLine) ?? finding);

/** The patch at the place of another one in a document with other text; null where that reads worse. */
function againIn(edited: PatchDocument, before: PatchDocument, patch: Patch): Patch | null {
  const at = before.patches.findIndex((one) => one.startLine === patch.startLine && one.files[0]?.line === patch.files[0]?.line);
  const isWorse = edited.patches.length !== before.patches.length || edited.problems.length > before.problems.length;
  return isWorse ? null : (edited.patches[at] ?? null);
}

function reviewFile(input: ReviewInput, options: ReviewOptions, rules: readonly Rule[]): Review {
  const decided = decideTarget(NO_PATCH, options);
  const subject = subjectOfFile(input.path, input.text, decided.target);
  // Code in which nothing is left that a rule asks about is mended, too.
  const reread = (text: string): Subject => subjectOfFile(input.path, text, decided.target) ?? wholeFile(input.path, text, decided.target);
  const judged = subject ? judge(subject, options, { rules, rewriting: rewritingOfFile(input.text, subject, reread) }) : NOTHING_JUDGED;
  return {
    messageId: null,
    subject: null,
    series: null,
    cover: null,
    target: reportOf(decided),
    problems: [...decided.problems, ...(subject ? lostProblems(subject.unit) : unclosedProblems(input.text)), ...judged.problems],
    coverage: subject ? coverageOf(subject.unit, judged.cutOff) : NO_COVERAGE,
    obligations: judged.obligations,
    findings: judged.findings,
    ...asideOf(judged.aside, options),
  };
}
