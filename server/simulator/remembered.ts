// SPDX-License-Identifier: GPL-2.0-only
import { createHash } from "node:crypto";
import { cancelFlag, throwIfCancelled } from "./cancellation.ts";
import { canonicalText } from "./canonical.ts";
import { counterexample } from "./counterexample.ts";
import { explore, type Exploration, type ExploreOptions } from "./explore.ts";
import type { Model } from "./model.ts";
import type { Trace } from "./trace.ts";

/*
 * What exploring a model showed, for models that are equal up to the lines that their steps come from: while a function is
 * edited, most edits leave the model of it alone.
 */

/** Models whose results are kept. Results are small; what grows is the number of edits. */
const MOST_MODELS = 256;

interface Remembered {
  exploration?: Exploration;
  /** Without places in the document. */
  trace?: Trace | null;
}

const results = new Map<string, Remembered>();

/** For measurements: the next question is explored anew. */
export const forgetResults = (): void => results.clear();

function resultsOf(model: Model, options: ExploreOptions): Remembered {
  const key = keyOf(model, options);
  const known = results.get(key) ?? {};
  // The one that was asked for longest ago goes first.
  results.delete(key);
  results.set(key, known);
  const [oldest] = results.keys();
  if (oldest !== undefined && results.size > MOST_MODELS) results.delete(oldest);
  return known;
}

/** Models never change, and are asked about more than once: verdict, schedule, fix. */
const keys = new WeakMap<Model, string>();

function keyOf(model: Model, options: ExploreOptions): string {
  const key = keys.get(model) ?? createHash("sha256").update(canonicalText(model)).digest("hex");
  keys.set(model, key);
  return `${key} ${JSON.stringify({ ...options, properties: options.properties && [...options.properties].toSorted() })}`;
}

let carriedOut = 0;

/** How many explorations this thread has carried out: those whose results were at hand do not count. */
export const explorations = (): number => carriedOut;

/** Does a search as the work around it may be cancelled: what was cut short is thrown away, never kept. */
function search<T>(options: ExploreOptions, run: (options: ExploreOptions) => T): T {
  throwIfCancelled();
  carriedOut++;
  const cancel = options.cancel ?? cancelFlag();
  const found = run(cancel === null ? options : { ...options, cancel });
  throwIfCancelled();
  return found;
}

/** As `explore`. An exploration with a flag of its own is not kept. */
export function exploreOnce(model: Model, options: ExploreOptions): Exploration {
  if (options.cancel) return explore(model, options);
  const known = resultsOf(model, options);
  return (known.exploration ??= search(options, (given) => explore(model, given)));
}

/** As `counterexample`. */
export function counterexampleOnce(model: Model, options: ExploreOptions): Trace | null {
  if (options.cancel) return counterexample(model, options);
  const known = resultsOf(model, options);
  if (known.trace === undefined) known.trace = search(options, (given) => counterexample(model, given));
  return known.trace && { ...known.trace, steps: known.trace.steps.map((step) => ({ ...step, source: model.threads[step.thread]?.steps[step.step]?.source ?? null })) };
}
