// SPDX-License-Identifier: GPL-2.0-only
import { visibleLine } from "../report/visible.ts";
import type { SimulationReport } from "../report/simulation.ts";
import { optionsOf, settingsOf } from "../scenarios/catalogue/decide.ts";
import type { CatalogueScenario, Setting, Variant } from "../scenarios/catalogue/scenario.ts";
import { scheduleRows } from "../scenarios/schedule.ts";
import { assumeHeld, locksOf } from "../simulator/assume-held.ts";
import { counterexample } from "../simulator/counterexample.ts";
import { explore, type ExploreOptions } from "../simulator/explore.ts";
import type { Model } from "../simulator/model.ts";
import { withoutFix } from "../simulator/without-fix.ts";
import type { SimulateArguments } from "./simulate-arguments.ts";

/** A model that was asked for, from the catalogue or from a finding. */
export interface Simulation {
  readonly scenario: string;
  readonly title: string;
  readonly variant: string;
  readonly what: string;
  /** Where it plays, in words. */
  readonly setting: string;
  readonly model: Model;
  readonly options: ExploreOptions;
  /** For a fixed variant, the model without its fix; null for others. */
  readonly undone: Model | null;
  readonly sources: readonly string[];
}

/** What was asked for, or one sentence about why that cannot be. */
export type Asked<T> = { readonly value: T } | { readonly reason: string };

const matches = ({ id, isFixed }: Pick<Variant, "id" | "isFixed">, wanted: string | null): boolean =>
  wanted === null || id === wanted || (wanted === "buggy" && !isFixed) || (wanted === "fixed" && isFixed);

/** The first setting of each variant that is as it was asked for. */
export function simulationsOf(scenario: CatalogueScenario, args: SimulateArguments): Asked<readonly Simulation[]> {
  const variants = scenario.variants.filter((variant) => matches(variant, args.variant));
  if (variants.length === 0) return { reason: `${scenario.id} has no variant ${visibleLine(args.variant ?? "")}; it has ${scenario.variants.map(({ id }) => id).join(", ")}` };
  const settings = settingsOf(scenario, { release: args.release, era: args.era })
    .filter(({ architecture }) => (args.arch === null ? architecture.isDefault : architecture.arch === args.arch));
  const found = variants.flatMap((variant) => firstOf(scenario, variant, settings));
  return found.length > 0 ? { value: found } : { reason: `${scenario.id} does not play there` };
}

function firstOf(scenario: CatalogueScenario, variant: Variant, settings: readonly Setting[]): Simulation[] {
  for (const setting of settings) {
    const model = setting.variant === variant.id ? scenario.build(setting) : null;
    if (!model) continue;
    const { release, era, architecture } = setting;
    return [{
      scenario: scenario.id, title: scenario.title, variant: variant.id, what: variant.what,
      setting: `${release.major}.${release.minor}, era ${era}, ${architecture.phrase}`,
      model, options: optionsOf(scenario, model), sources: scenario.sources,
      undone: !variant.isFixed ? null : variant.undone === undefined ? withoutFix(model) : scenario.build({ ...setting, variant: variant.undone }),
    }];
  }
  return [];
}

/** The simulation with a lock that callers hold all the time: `NAME`, `NAME (read)` or `NAME (write)`. */
export function withHeld(simulation: Simulation, wanted: string): Asked<Simulation> {
  const { model } = simulation;
  const [, name = wanted, mode = "read"] = /^(.*?)(?:\s*\((read|write)\))?$/.exec(wanted) ?? [];
  const locks = locksOf(model);
  const lock = locks.find((one) => one.name === name) ?? locks.find((one) => one.name.startsWith(`${name}(`));
  if (!lock) return { reason: `no lock is called '${visibleLine(name)}' here; there are ${locks.map((one) => visibleLine(one.name)).join(", ")}` };
  return { value: { ...simulation, model: assumeHeld(model, lock, mode === "write" ? "write" : "read") } };
}

/** Explores a simulation, and what undoes its fix. */
export function simulationReport(simulation: Simulation): SimulationReport {
  const { scenario, title, variant, what, setting, model, options, undone, sources } = simulation;
  const result = explore(model, options);
  const trace = result.verdict === "fail" ? counterexample(model, options) : null;
  return {
    scenario, title, variant, what, setting, sources,
    verdict: result.verdict, states: result.states, transitions: result.transitions, unreached: result.unreached,
    property: result.violation?.property ?? null,
    badState: trace?.violation.message ?? result.violation?.message ?? "",
    switches: trace?.switches ?? null,
    firstThread: model.threads.find(({ role }) => role === "review")?.name ?? null,
    schedule: trace ? scheduleRows(model, trace) : [],
    withoutFix: undone && result.verdict === "pass" ? explore(undone, options).verdict : null,
  };
}
