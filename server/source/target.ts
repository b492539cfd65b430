// SPDX-License-Identifier: GPL-2.0-only
import { releaseAt, releasesByDate, type CalendarDate } from "../kernel/release-dates.ts";
import { formatRelease, NEWEST_RELEASE, parseRelease, type Release } from "../kernel/release.ts";
import type { Architecture, Target } from "../kernel/target.ts";
import { notesIn, upstreamIn } from "../patch/commit-message.ts";
import type { Patch, ProseLine } from "../patch/model.ts";
import type { Problem } from "../text/problem.ts";

/** What decided which release a patch is for. */
export type TargetDecision = "setting" | "tree" | "base-commit" | "subject-tag" | "backport-note" | "date" | "default";

export interface TargetSettings {
  readonly release: string | null;
  readonly arch: string | null;
  /** `KEY=y` or `KEY=n`, with or without `CONFIG_`. */
  readonly config: readonly string[];
  /** Release that the Makefile of the tree names, where a tree is at hand. */
  readonly treeRelease?: string | null;
  /** The commit that a `base-commit` line names and the release of its Makefile, where a tree at hand knows it. */
  readonly base?: { readonly commit: string; readonly release: string } | null;
}

export interface DecidedTarget {
  readonly target: Target;
  readonly decidedBy: TargetDecision;
  /** The words or the line that decided, for a person. */
  readonly because: string;
  readonly problems: readonly Problem[];
}

interface Decision {
  readonly release: Release;
  readonly decidedBy: TargetDecision;
  readonly because: string;
}

/** Longer lines are no notes of a person. */
const MAX_LINE = 400;

const ARCHITECTURES: ReadonlyMap<string, Architecture> = new Map([
  ["x86_64", "x86_64"],
  ["x86-64", "x86_64"],
  ["amd64", "x86_64"],
  ["x86", "x86_64"],
  ["arm64", "arm64"],
  ["aarch64", "arm64"],
  ["riscv64", "riscv64"],
  ["riscv", "riscv64"],
  ["powerpc64", "powerpc64"],
  ["ppc64", "powerpc64"],
  ["ppc64le", "powerpc64"],
  ["powerpc", "powerpc64"],
  ["s390x", "s390x"],
  ["s390", "s390x"],
]);

/** An architecture by any name that kernel people give it; null where it is none that matters here. */
export const readArchitecture = (text: string): Architecture | null => ARCHITECTURES.get(text.trim().toLowerCase()) ?? null;

const MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

const problem = (code: string, message: string, line: number | null = null): Problem => ({ code, message, line });

/** A mainline release that exists, so that `1.5` or `2.4.1` in a subject is not one. */
const isKnownRelease = ({ major, minor }: Release): boolean => releasesByDate.includes(`${major}.${minor}`);

/** Reads a release out of a word of a mail; null where no such release exists. */
function existingRelease(text: string): Release | null {
  const release = parseRelease(text);
  return release && isKnownRelease(release) ? release : null;
}

/**
 * Decides the target, in this order: setting, Makefile of the tree, Makefile of the `base-commit`, tag in the subject or in that of the cover letter,
 * porter's note, and for stable backports their stable tag, date, newest release.
 * `Cc: stable` on anything but a backport says where the patch goes next, never where it is.
 */
export function decideTarget(patch: Patch, settings: TargetSettings, coverSubject: string | null = null): DecidedTarget {
  const problems: Problem[] = [];
  const decided =
    fromGiven(settings.release, "setting", "set to", problems) ??
    fromGiven(settings.treeRelease ?? null, "tree", "Makefile of the tree:", problems) ??
    fromGiven(settings.base?.release ?? null, "base-commit", `Makefile of ${settings.base?.commit.slice(0, 12) ?? ""}:`, problems) ??
    fromSubject(patch.subject, "the subject", patch.startLine, problems) ??
    fromSubject(coverSubject, "the cover letter's subject", null, problems) ??
    fromNotes(patch.prose) ??
    fromStableTag(patch.prose) ??
    fromDate(patch.date) ??
    newest(patch.date);
  if (decided.decidedBy === "date" && isStableBackport(patch.prose))
    problems.push(problem("target-backport-by-date", "A stable backport that does not name its release: the date decided."));
  const arch = settings.arch === null ? null : readArchitecture(settings.arch);
  if (settings.arch !== null && arch === null)
    problems.push(problem("target-unknown-arch", `Unknown architecture "${settings.arch}": x86_64 is used.`));
  const config = readConfig(settings.config, problems);
  const target: Target = { release: decided.release, arch: arch ?? "x86_64", archIsSet: arch !== null, config };
  return { target, decidedBy: decided.decidedBy, because: decided.because, problems };
}

function fromGiven(text: string | null, decidedBy: TargetDecision, words: string, problems: Problem[]): Decision | null {
  if (text === null) return null;
  const release = parseRelease(text.trim());
  if (release) return { release, decidedBy, because: `${words} ${text.trim()}` };
  problems.push(problem("target-unknown-release", `"${text}" is not a kernel release: it is ignored.`));
  return null;
}

/** One word of a tag: `6.1`, `5.10.y`, `5.15-stable`, `stable-5.4`, `linux-4.19.y`, `v5.10.y`; not the `v2` of a patch. */
const TAG_WORD = /^(?:(?:linux|stable|lts)[-/_])?(v?)(\d{1,2}\.\d{1,3}(?:\.(?:y|x|\d{1,3}))?)((?:[-._](?:stable|lts|y))?)$/i;

function releaseOfTagWord(word: string): Release | null {
  const match = TAG_WORD.exec(word);
  if (!match) return null;
  const [, v, release = "", suffix] = match;
  // `v3.1` alone is as likely the version of the patch.
  if (v !== "" && suffix === "" && !/[xy]$/i.test(release)) return null;
  return existingRelease(release.toLowerCase());
}

/** Bracket groups at the start of a subject, behind `Re:` and `Fwd:`. */
function leadingTags(subject: string): string[] {
  const tags: string[] = [];
  let rest = subject.slice(0, MAX_LINE).trim();
  for (;;) {
    const reply = /^(?:re|fwd?|aw)(?:\[\d+\])?:\s*/i.exec(rest);
    if (reply) {
      rest = rest.slice(reply[0].length);
      continue;
    }
    const tag = /^\[([^[\]]*)\]\s*/.exec(rest);
    if (!tag) return tags;
    tags.push(tag[1] ?? "");
    rest = rest.slice(tag[0].length);
  }
}

function fromSubject(subject: string | null, name: string, line: number | null, problems: Problem[]): Decision | null {
  if (subject === null) return null;
  const tags = leadingTags(subject);
  if (!tags.some((tag) => /\b(?:PATCH|RFC|RESEND)\b/i.test(tag))) return null;
  const found = tags.flatMap((tag) =>
    tag.split(/[\s,]+/).flatMap((word) => {
      const release = releaseOfTagWord(word);
      return release ? [{ release, tag }] : [];
    }),
  );
  const [first] = found;
  if (!first) return null;
  const names = new Set(found.map(({ release }) => formatRelease(release)));
  if (names.size > 1)
    problems.push(problem("target-ambiguous", `${name.replace(/^t/, "T")} names ${[...names].join(" and ")}: the first is used.`, line));
  return { release: first.release, decidedBy: "subject-tag", because: `[${first.tag.trim()}] in ${name}` };
}

const BACKPORT_TO = /\bback-?port(?:ed|ing|s)?\b[^;]{0,60}?\b(?:to|for|onto)\b(?: the)?\s+(?:linux[- ]|stable[- ]|kernel )?(v?\d{1,2}\.\d{1,3}(?:\.(?:y|x|\d{1,3}))?)(?![\d.]*\d)/i;

function fromNotes(prose: readonly ProseLine[]): Decision | null {
  for (const { text, line } of notesIn(prose)) {
    const release = existingRelease(BACKPORT_TO.exec(text)?.[1]?.toLowerCase() ?? "");
    if (release) return { release, decidedBy: "backport-note", because: `${shorten(text)} at line ${line}` };
  }
  return null;
}

const shorten = (text: string): string => (text.length > 80 ? `${text.slice(0, 77)}...` : text);

const isStableBackport = (prose: readonly ProseLine[]): boolean => upstreamIn(prose) !== null;

/** `# 4.4.x`: one branch. `# 4.4+` and `# 4.4-` are ranges for which the fix matters, so they name none. */
const STABLE_TAG = /^[\s>|]*cc:.{0,120}\bstable\b.{0,120}?#\s*(v?\d{1,2}\.\d{1,3}\.[xy])\s*$/i;

function fromStableTag(prose: readonly ProseLine[]): Decision | null {
  if (!isStableBackport(prose)) return null;
  const found = prose.flatMap(({ text, line }) => {
    const release = text.length > MAX_LINE ? null : existingRelease(STABLE_TAG.exec(text)?.[1]?.toLowerCase() ?? "");
    return release ? [{ release, line }] : [];
  });
  const [first] = found;
  if (!first || new Set(found.map(({ release }) => formatRelease(release))).size > 1) return null;
  return { release: first.release, decidedBy: "backport-note", because: `stable backport, Cc: stable # at line ${first.line}` };
}

/** `Fri, 15 Sep 2023 ...`, `Fri Sep 15 2023 - 19:40:28 EST`, `Sep 15, 2023` or `2023-09-15`; the zone does not matter. */
function readDate(text: string): CalendarDate | null {
  const short = text.slice(0, MAX_LINE);
  const iso = /\b(\d{4})-(\d{2})-(\d{2})(?!\d)/.exec(short);
  if (iso) return { year: Number(iso[1]), month: Number(iso[2]), day: Number(iso[3]) };
  const dayFirst = /\b(\d{1,2})[ -]([A-Za-z]{3})[a-z]{0,6}[ -](\d{4})\b/.exec(short);
  if (dayFirst) return calendarDate(dayFirst[3], dayFirst[2], dayFirst[1]);
  const monthFirst = /\b([A-Za-z]{3})[a-z]{0,6} {1,2}(\d{1,2}),?(?: \d{2}:\d{2}(?::\d{2})?(?: [+-]?\w{1,5})?)? (\d{4})\b/.exec(short);
  return monthFirst ? calendarDate(monthFirst[3], monthFirst[1], monthFirst[2]) : null;
}

function calendarDate(year = "", month = "", day = ""): CalendarDate | null {
  const index = MONTHS.indexOf(month.toLowerCase());
  return index < 0 ? null : { year: Number(year), month: index + 1, day: Number(day) };
}

const dateWords = ({ year, month, day }: CalendarDate): string => {
  const name = MONTHS[month - 1] ?? "";
  return `${day} ${name.slice(0, 1).toUpperCase()}${name.slice(1)} ${year}`;
};

function fromDate(text: string | null): Decision | null {
  const date = text === null ? null : readDate(text);
  const release = date && releaseAt(date);
  if (!date || !release) return null;
  return { release, decidedBy: "date", because: `mail of ${dateWords(date)}, while ${formatRelease(release)} was in the making` };
}

function newest(text: string | null): Decision {
  const release = parseRelease(NEWEST_RELEASE);
  if (!release) throw new Error(`not a release: ${NEWEST_RELEASE}`);
  const date = text === null ? null : readDate(text);
  const reason = date ? `mail of ${dateWords(date)}, outside of the known releases` : "nothing names a release or a date";
  return { release, decidedBy: "default", because: `${reason}: newest known release` };
}

function readConfig(settings: readonly string[], problems: Problem[]): Readonly<Record<string, boolean>> {
  const values = new Map<string, boolean>();
  for (const setting of settings) {
    const match = /^(?:CONFIG_)?([A-Z0-9_]{1,80})=([yYmMnN])$/.exec(setting.trim());
    if (match?.[1] !== undefined) values.set(match[1], !/n/i.test(match[2] ?? ""));
    else problems.push(problem("target-unknown-config", `"${setting}" is not a setting like PARAVIRT=n: it is ignored.`));
  }
  return Object.fromEntries(values);
}
