// SPDX-License-Identifier: GPL-2.0-only
import { rowAt, textAt } from "../program/place.ts";
import type { At, Candidate } from "../rules/rule.ts";
import { fingerprintOf } from "./fingerprint.ts";

/** Stable name of a candidate: rule, function, and the code without white space. */
export const keyOf = ({ ruleId, place }: Candidate): string => fingerprintOf(ruleId, place.program.name, textAt(place.program.image, place.at, place.end));

/** The same in whichever function. */
const codeOf = ({ ruleId, place: { program, at, end } }: Candidate): string => fingerprintOf(ruleId, "", textAt(program.image, at, end));

/** The same defect at the same place is one candidate, whichever path or context leads there. */
export function unique(candidates: readonly Candidate[]): Candidate[] {
  const seen = new Set<string>();
  return candidates.filter((candidate) => {
    const key = `${candidate.place.at} ${keyOf(candidate)}`;
    return !seen.has(key) && Boolean(seen.add(key));
  });
}

/** True where the patch wrote any line of the candidate's place. */
export const isOnChangedLine = ({ place }: Candidate): boolean => isChanged(place);

/** True where the patch wrote any line of a place. */
export function isChanged({ program, at, end }: At): boolean {
  const { image } = program;
  return image.lines.slice(rowAt(image, at), rowAt(image, Math.max(at, end - 1)) + 1).some((row) => row.changed);
}

/** The function of a candidate without its name. */
const bodyOf = ({ place: { program } }: Candidate): string => textAt(program.image, program.start, program.end).split(program.name).join("");

/**
 * Candidates of the new side that the old side has as well: the same code in the same function, or in one that only its name
 * tells from the old one. `isOnBothSides`: whether a function of this name was there and still is. A question is about
 * what is not visible, so new words for the same call (another variable, a converted helper) ask nothing new: of
 * questions only the number in the function counts, and those on lines that stayed are the old ones. Where both sides are seen
 * as a whole, the same holds for what is decided, and code that has moved to another function is still the old code.
 */
export function alreadyThere(before: readonly Candidate[], after: readonly Candidate[], isOnBothSides: (name: string) => boolean): ReadonlySet<Candidate> {
  const keys = new Set(before.map(keyOf));
  const old = new Set(after.filter((candidate) => keys.has(keyOf(candidate))));
  const last = (candidates: readonly Candidate[]): Candidate[] => [...candidates.filter((one) => !isOnChangedLine(one)), ...candidates.filter(isOnChangedLine)];
  const take = (nameOf: (candidate: Candidate) => string, isCounted: (candidate: Candidate) => boolean): void => {
    const left = new Map<string, number>();
    const count = (candidate: Candidate, by: number): number => {
      const name = nameOf(candidate);
      const now = (left.get(name) ?? 0) + by;
      left.set(name, now);
      return now;
    };
    for (const candidate of unique(before).filter(isCounted)) count(candidate, 1);
    for (const candidate of after.filter(isCounted)) if (old.has(candidate)) count(candidate, -1);
    for (const candidate of last(after.filter((one) => isCounted(one) && !old.has(one)))) if (count(candidate, -1) >= 0) old.add(candidate);
  };
  const inFunction = ({ ruleId, place, messageId }: Candidate): string => `${ruleId} ${place.program.name} ${messageId}`;
  take(inFunction, (candidate) => candidate.asks === true);
  take((candidate) => `${codeOf(candidate)} ${bodyOf(candidate)}`, ({ place }) => !isOnBothSides(place.program.name));
  if (![...before, ...after].some(isOfWholeFile)) return old;
  take(inFunction, (candidate) => candidate.asks !== true && isOfWholeFile(candidate));
  take(codeOf, isOfWholeFile);
  return old;
}

const isOfWholeFile = ({ place }: Candidate): boolean => place.program.image.missing !== undefined;
