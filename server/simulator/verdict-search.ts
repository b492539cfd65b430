// SPDX-License-Identifier: GPL-2.0-only
import { searchBreadthFirst } from "./breadth-first.ts";
import type { Failure, Search, SearchOptions } from "./breadth-first.ts";
import { compile } from "./compile.ts";
import type { ActionPlace, Program } from "./compile.ts";
import { withoutDeadLocals } from "./reduction/dead-locals.ts";
import { ALL_REDUCTIONS, prepareReduction } from "./reduction/reduction.ts";
import type { Reduction, Reductions } from "./reduction/reduction.ts";
import { unfold } from "./reduction/unfold.ts";
import { pathTo } from "./store.ts";

/** Models with at most this many states are explored in full: their counts are exact and their first violation is the nearest. */
export const SMALL_MODEL = 8192;

/** Which states are stored: all, or none that reductions leave out; `automatic`: all in a small model. */
export type SearchKind = "automatic" | "full" | "reduced" | Reductions;

/** A finished search, and what it left out; null where it left out nothing. */
export interface VerdictSearch {
  /** What was searched: the program that was asked about, or one of the same steps with fewer states. */
  readonly program: Program;
  readonly search: Search;
  readonly reduction: Reduction | null;
}

/** A program of the same actions that forgets what nobody reads any more. */
const leanOf = (program: Program): Program => {
  const properties = new Set(program.checks.map(({ property }) => property));
  const model = withoutDeadLocals(program.model, properties);
  return model === program.model ? program : compile(model, { properties });
};

const searchReduced = (asked: Program, options: SearchOptions, wanted: Reductions): VerdictSearch => {
  const program = wanted.deadLocals ? leanOf(asked) : asked;
  const reduction = prepareReduction(program, wanted, options.disabled, options.cancel);
  return { program, search: searchBreadthFirst(program, { ...options, reduction }), reduction };
};

/**
 * Decides whether anything goes wrong. Looking for a cycle needs all transitions, and so the full graph; else large models
 * are explored with all reductions, which keep every violation, every deadlock and every step that can be taken.
 */
export const searchForVerdict = (program: Program, options: SearchOptions, kind: SearchKind): VerdictSearch => {
  if (options.recordEdges || kind === "full") return { program, search: searchBreadthFirst(program, options), reduction: null };
  if (kind === "reduced") return searchReduced(program, options, ALL_REDUCTIONS);
  if (kind !== "automatic") return searchReduced(program, options, kind);
  const small = searchBreadthFirst(program, { ...options, maxStates: Math.min(SMALL_MODEL, options.maxStates) });
  if (small.outcome.kind !== "budget") return { program, search: small, reduction: null };
  return searchReduced(program, options, ALL_REDUCTIONS);
};

/** The schedule that ends as a search found, as it really runs. */
export const scheduleTo = ({ program, search, reduction }: VerdictSearch, { state, action }: Failure): ActionPlace[] => {
  const actions =
    reduction === null
      ? [...pathTo(search.store, state), ...(action < 0 ? [] : [action])]
      : unfold(program, reduction, search.store, state, action);
  return actions.map((one) => program.actions[one]);
};
