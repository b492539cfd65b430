// SPDX-License-Identifier: GPL-2.0-only
import { counterexample } from "./counterexample.ts";
import { explore } from "./explore.ts";
import type { Exploration, ExploreOptions } from "./explore.ts";
import type { Model } from "./model.ts";
import type { Trace } from "./trace.ts";

/** What is to be explored. Plain data: it may be handed to another thread. */
export interface Simulation {
  readonly model: Model;
  readonly options: ExploreOptions;
}

/** What exploring showed. Plain data too. */
export interface Simulated {
  readonly exploration: Exploration;
  /** The counterexample to show; null where nothing fails. */
  readonly trace: Trace | null;
}

export const simulate = ({ model, options }: Simulation): Simulated => {
  const exploration = explore(model, options);
  return { exploration, trace: exploration.verdict === "fail" ? counterexample(model, options) : null };
};
