// SPDX-License-Identifier: GPL-2.0-only
import { assertFacts } from "./api/assert.ts";
import { atomicFacts } from "./api/atomic.ts";
import { DEVICE_NAMES } from "./api/device.ts";
import { faultFacts } from "./api/fault.ts";
import { fileCacheFacts } from "./api/file-cache.ts";
import { flagSleepFacts } from "./api/flag-sleep.ts";
import { flushFacts } from "./api/flush.ts";
import { generalFacts } from "./api/general.ts";
import { gupInternalFacts } from "./api/gup-internal.ts";
import { gupWrapperFacts } from "./api/gup-wrapper.ts";
import { gupFacts } from "./api/gup.ts";
import { hugetlbFacts } from "./api/hugetlb.ts";
import { lockFacts } from "./api/lock.ts";
import { migrateFacts } from "./api/migrate.ts";
import { notifierFacts } from "./api/notifier.ts";
import { pageDataFacts } from "./api/page-data.ts";
import { pageTableFacts } from "./api/page-table.ts";
import { preconditionFacts } from "./api/precondition.ts";
import { protectFacts } from "./api/protect.ts";
import { pureFacts } from "./api/pure.ts";
import { isOfQuietFamily, QUIET_NAMES } from "./api/quiet.ts";
import { referenceFacts } from "./api/reference.ts";
import { sleepFacts } from "./api/sleep.ts";
import { taskStateFacts } from "./api/task-state.ts";
import { walkFacts } from "./api/walk.ts";
import type { ApiFact, Argument, Configuration, Effect, SleepWord } from "./effect.ts";
import { releaseBefore } from "./release-dates.ts";
import { atLeast, covers, isNewerThanChecked, NEWEST_RELEASE, parseRelease, type Release } from "./release.ts";

/** A fact for a call, and the release whose behavior it describes where that is not the target's. */
export interface KnownFact {
  readonly fact: ApiFact;
  readonly asOf: string | null;
}

export const allFacts: readonly ApiFact[] = [
  ...notifierFacts,
  ...taskStateFacts,
  ...pageTableFacts,
  ...lockFacts,
  ...atomicFacts,
  ...hugetlbFacts,
  ...gupFacts,
  ...gupInternalFacts,
  ...gupWrapperFacts,
  ...pageDataFacts,
  ...faultFacts,
  ...migrateFacts,
  ...walkFacts,
  ...fileCacheFacts,
  ...protectFacts,
  ...preconditionFacts,
  ...referenceFacts,
  ...sleepFacts,
  ...flagSleepFacts,
  ...flushFacts,
  ...generalFacts,
  ...assertFacts,
  ...pureFacts,
];

const groupBy = <K>(keysOf: (fact: ApiFact) => readonly K[]): ReadonlyMap<K, readonly ApiFact[]> => {
  const groups = new Map<K, ApiFact[]>();
  for (const fact of allFacts)
    for (const key of keysOf(fact)) {
      const group = groups.get(key);
      if (group) group.push(fact);
      else groups.set(key, [fact]);
    }
  return groups;
};

const BY_NAME = groupBy((fact) => [fact.name]);
const BY_EFFECT = groupBy((fact) => [...new Set(fact.effects.map((effect) => effect.kind))]);
const NAMES: ReadonlySet<string> = new Set([...BY_NAME.keys(), ...QUIET_NAMES, ...DEVICE_NAMES]);

/** Everything that is known about a name, in table order. */
export const factsNamed = (name: string): readonly ApiFact[] => BY_NAME.get(name) ?? [];

/** Argument positions that a fact reads: every number in an effect or a meaning is one. */
export const argumentsOf = (fact: ApiFact): readonly number[] => [
  ...fact.effects.flatMap((effect) => Object.values(effect).filter((value) => typeof value === "number")),
  ...(fact.pure?.of ?? []),
];

const fits = (fact: ApiFact, argumentCount: number): boolean => fact.arity === undefined || fact.arity === argumentCount;

/** How far a range is from a release: in major and minor numbers, with majors far apart. 0: covered. */
function distance(fact: ApiFact, release: Release): number {
  if (covers(fact, release)) return 0;
  const bound = fact.since !== undefined && !atLeast(release, fact.since) ? fact.since : fact.until;
  const at = bound === undefined ? null : parseRelease(bound);
  return at === null ? 0 : Math.abs((release.major - at.major) * 100 + (release.minor - at.minor)) + 1;
}

/** The release of the fact's range that is nearest to the target. */
function nearestRelease(fact: ApiFact, release: Release): string {
  if (fact.since !== undefined && !atLeast(release, fact.since)) return fact.since;
  if (fact.until !== undefined && atLeast(release, fact.until)) return releaseBefore(fact.until) ?? fact.until;
  return isNewerThanChecked(release) ? NEWEST_RELEASE : `${release.major}.${release.minor}`;
}

const nearest = (candidates: readonly ApiFact[], release: Release): ApiFact | undefined =>
  candidates.reduce<ApiFact | undefined>(
    (best, fact) => (best === undefined || distance(fact, release) < distance(best, release) ? fact : best),
    undefined,
  );

/**
 * What is known about a call. A fact of another release is better than none: the nearest one is given with `asOf`.
 * A signature with another number of arguments is used only where all its positions exist, and `asOf` names it too.
 */
export function factFor(name: string, argumentCount: number, release: Release): KnownFact | null {
  const candidates = BY_NAME.get(name);
  if (!candidates) return null;
  const fitting = candidates.filter((fact) => fits(fact, argumentCount));
  const exact = fitting.find((fact) => covers(fact, release));
  if (exact) return { fact: exact, asOf: isNewerThanChecked(release) ? NEWEST_RELEASE : null };
  const readable = candidates.filter((fact) => argumentsOf(fact).every((position) => position < argumentCount));
  const fact = nearest(fitting.length > 0 ? fitting : readable, release);
  return fact ? { fact, asOf: nearestRelease(fact, release) } : null;
}

/** Effects of a call under a configuration. What it does not decide is taken as the fact's own effects have it: enabled. */
export function effectsUnder(fact: ApiFact, config: Configuration): readonly Effect[] {
  const holds = (needed: Configuration, undecided: boolean): boolean =>
    Object.entries(needed).every(([symbol, value]) => (Object.hasOwn(config, symbol) ? config[symbol] === value : undecided));
  if (fact.needs !== undefined && !holds(fact.needs, true)) return [];
  return [...fact.effects, ...(fact.underConfig ?? []).flatMap((one) => (holds(one.config, false) ? one.adds : []))];
}

/** A call that sleeps only with some flag words. */
export interface FlagSleeper {
  readonly name: string;
  /** Position of the word. */
  readonly flag: Argument;
  readonly word: SleepWord;
}

/** How a call sleeps by an argument, in any release, or null. */
export function flagSleeper(name: string): FlagSleeper | null {
  for (const fact of BY_NAME.get(name) ?? [])
    for (const effect of fact.effects) if (effect.kind === "sleepsIf") return { name, flag: effect.flag, word: effect.word };
  return null;
}

/** True for calls without an effect that any rule sees. */
export const isQuiet = (name: string): boolean =>
  QUIET_NAMES.has(name) || DEVICE_NAMES.has(name) || (isOfQuietFamily(name) && !BY_NAME.has(name));

/** Every function name that the tables mention. */
export const knownNames = (): ReadonlySet<string> => NAMES;

/** Functions that have the effect in some release, in table order, each once. */
export const namesWithEffect = (kind: Effect["kind"]): readonly string[] => [
  ...new Set((BY_EFFECT.get(kind) ?? []).map((fact) => fact.name)),
];
