// SPDX-License-Identifier: GPL-2.0-only
import { rowAt, textAt } from "../program/place.ts";
import type { At, Candidate } from "../rules/rule.ts";
import { fingerprintOf } from "./fingerprint.ts";

/** Stable name of a candidate: rule, function, and the code without white space. */
export const keyOf = ({ ruleId, place }: Candidate): string => fingerprintOf(ruleId, place.program.name, textAt(place.program.image, place.at, place.end));

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

/**
 * Candidates of the new side that the old side has as well: the same code in the same function. A question is about
 * what is not visible, so new words for the same call (another variable, a converted helper) ask nothing new: of
 * questions only the number in the function counts, and those on lines that stayed are the old ones.
 */
export function alreadyThere(before: readonly Candidate[], after: readonly Candidate[]): ReadonlySet<Candidate> {
  const keys = new Set(before.map(keyOf));
  const old = new Set(after.filter((candidate) => keys.has(keyOf(candidate))));
  const left = new Map<string, number>();
  const count = (candidate: Candidate, by: number): number => {
    const name = `${candidate.ruleId} ${candidate.place.program.name} ${candidate.messageId}`;
    const now = (left.get(name) ?? 0) + by;
    left.set(name, now);
    return now;
  };
  const asking = (candidates: readonly Candidate[]): Candidate[] => candidates.filter((candidate) => candidate.asks === true);
  for (const candidate of asking(unique(before))) count(candidate, 1);
  for (const candidate of asking(after)) if (old.has(candidate)) count(candidate, -1);
  const others = asking(after).filter((candidate) => !old.has(candidate));
  for (const candidate of [...others.filter((one) => !isOnChangedLine(one)), ...others.filter(isOnChangedLine)])
    if (count(candidate, -1) >= 0) old.add(candidate);
  return old;
}
