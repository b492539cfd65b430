// SPDX-License-Identifier: GPL-2.0-only
import type { ApiFact } from "./effect.ts";
import { allFacts, factsNamed } from "./facts.ts";
import { covers, type Release } from "./release.ts";

/**
 * Fixes change signatures in stable trees, too: huge_ptep_get_and_clear() of 6.12.117 has the size of 02410ac72ac3 (6.14), and
 * huge_pmd_unshare() of 6.1.192 the mmu_gather of 8ce720d5bd91. Of these and their family nothing is said.
 */
const CHANGED_IN_STABLE: ReadonlySet<string> = new Set(["huge_ptep_get", "huge_ptep_get_and_clear", "huge_pmd_unshare", "set_huge_pte_at"]);

/** Functions of which it is known how many arguments they have, and that it was not always as many. */
export const signatureNames: readonly string[] = [...new Set(allFacts.map(({ name }) => name))].filter((name) => {
  const arities = factsNamed(name).map(({ arity }) => arity);
  return new Set(arities).size > 1 && !arities.includes(undefined) && !CHANGED_IN_STABLE.has(name);
});

/** A call with a number of arguments that the function has in another release only. */
export interface ForeignSignature {
  /** How many arguments the function has in the release. */
  readonly own: readonly number[];
  /** Releases that take the call as it stands: the first one with it, the first one without. */
  readonly since: string | null;
  readonly until: string | null;
}

/**
 * Whether a call of so many arguments belongs to another release; null where it may be one of this. Everything known of the
 * function must say how many arguments it has; what the release takes, or what the call's own number belongs to, must have been read.
 */
export function foreignSignature(name: string, argumentCount: number, release: Release): ForeignSignature | null {
  const facts = factsNamed(name);
  if (facts.some(({ arity }) => arity === undefined) || CHANGED_IN_STABLE.has(name)) return null;
  const here = facts.filter((fact) => covers(fact, release));
  const there = facts.filter(({ arity }) => arity === argumentCount);
  const [first] = there;
  if (here.length === 0 || !first || here.some(({ arity }) => arity === argumentCount) || (here.some(isGuess) && there.some(isGuess))) return null;
  return { own: [...new Set(here.map(({ arity }) => arity ?? 0))].toSorted((a, b) => a - b), since: first.since ?? null, until: there.at(-1)?.until ?? null };
}

const isGuess = ({ certainty }: ApiFact): boolean => certainty === "plausible";

/** How a function says that it succeeded, in a release and in the next one that says it the other way. */
export interface Convention {
  readonly success: "zero" | "nonzero";
  /** The first release in which it is the other way round. */
  readonly changes: string;
}

/** Per fact, which value says that the function succeeded. */
const successesOf = (name: string) =>
  factsNamed(name).flatMap((fact) => {
    const success = fact.effects.flatMap((effect) => ("held" in effect && (effect.held === "zero" || effect.held === "nonzero") ? [effect.held] : []))[0];
    return success === undefined ? [] : [{ fact, success }];
  });

/** Functions that did not always say it the same way. */
export const conventionNames: readonly string[] = [...new Set(allFacts.map(({ name }) => name))].filter((name) => new Set(successesOf(name).map(({ success }) => success)).size > 1);

/** What a function returns where it took what it was asked for; null where that is not known, or where it never changes later. */
export function conventionOf(name: string, release: Release): Convention | null {
  const told = successesOf(name);
  const here = told.find(({ fact }) => covers(fact, release));
  const later = here && told.find(({ fact, success }) => success !== here.success && fact.since !== undefined && fact.since === here.fact.until);
  return here && later?.fact.since !== undefined && !isGuess(here.fact) && !isGuess(later.fact) ? { success: here.success, changes: later.fact.since } : null;
}
