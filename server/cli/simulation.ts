// SPDX-License-Identifier: GPL-2.0-only
import { visibleLine } from "../report/visible.ts";
import type { SimulationReport } from "../report/simulation.ts";
import { optionsOf, settingsOf } from "../scenarios/catalogue/decide.ts";
import type { CatalogueScenario, Setting, Variant } from "../scenarios/catalogue/scenario.ts";
import { assumedBranches, fixedSchedule, shownSchedule, unjustified } from "../scenarios/schedule.ts";
import { lockChoices, lockNamed, whatIfHeld, type NamedLock } from "../scenarios/what-if.ts";
import { assumeHeld } from "../simulator/assume-held.ts";
import { counterexample } from "../simulator/counterexample.ts";
import { countSchedules } from "../simulator/count.ts";
import { whyBlocked } from "../simulator/explain.ts";
import { explore, type ExploreOptions } from "../simulator/explore.ts";
import type { Model } from "../simulator/model.ts";
import type { Trace } from "../simulator/trace.ts";
import { withoutFix } from "../simulator/without-fix.ts";
import type { SimulateArguments } from "./simulate-arguments.ts";

interface Remedy {
  readonly title: string;
  readonly model: Model;
}

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
  /** For a buggy variant, what mends it. */
  readonly remedies: readonly Remedy[];
  /** What the verdict covers and rests on. */
  readonly bounds: string;
  readonly assumptions: readonly string[];
  /** The model without the lock that callers are to hold, and that lock; null where nobody asks. */
  readonly held: { readonly without: Model; readonly lock: Exclude<NamedLock, { kind: "unknown" }> } | null;
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
      remedies: variant.isFixed ? [] : remediesOf(scenario, setting),
      bounds: boundsOf(model), assumptions: [], held: null,
    }];
  }
  return [];
}

/** The fixed variants that are the buggy one in another order, and those whose fix is a step more. */
const remediesOf = (scenario: CatalogueScenario, setting: Setting): readonly Remedy[] =>
  scenario.variants.filter(({ isFixed, undone }) => isFixed && (undone === undefined || undone === setting.variant)).flatMap(({ id, what }) => {
    const model = scenario.build({ ...setting, variant: id });
    return model ? [{ title: what, model }] : [];
  });

/** What a verdict about a model of the catalogue covers. */
function boundsOf({ threads, globals }: Model): string {
  const isBuffered = globals.some(({ name }) => name.startsWith("store buffer of "));
  return `threads {${threads.map(({ name }) => name).join(", ")}}, loops unbounded, ${isBuffered ? "stores late by CPU as modeled" : "SC"}`;
}

/** The simulation with a lock that callers hold all the time: `NAME`, `NAME (read)` or `NAME (write)`. */
export function withHeld(simulation: Simulation, wanted: string): Asked<Simulation> {
  const { model } = simulation;
  const lock = lockNamed(model, wanted);
  if (lock.kind === "unknown") return { reason: `no lock is called '${visibleLine(lock.name)}' here; there are ${lockChoices(model).map(visibleLine).join(", ")}` };
  const held = { without: model, lock };
  return { value: lock.kind === "not-taken" ? { ...simulation, held } : { ...simulation, remedies: [], model: assumeHeld(model, lock.lock, lock.mode), held } };
}

/** Explores a simulation, what mends it, and what undoes its fix. */
export function simulationReport(simulation: Simulation): SimulationReport {
  const { scenario, title, variant, what, setting, model, undone, sources, bounds, assumptions, held } = simulation;
  const whatIf = held && whatIfHeld(held.without, simulation.options, held.lock);
  // Where a caller that holds the lock stops everything, that is what fails.
  const options = whatIf?.outcome === "deadlock" ? { ...simulation.options, properties: new Set<string>(), deadlock: true } : simulation.options;
  const result = explore(model, options);
  const trace = result.verdict === "fail" ? counterexample(model, options) : null;
  const before = whatIf && counterexample(held.without, simulation.options);
  const shown = trace ? shownSchedule(model, trace) : { steps: [], held: [] };
  return {
    scenario, title, variant, what, setting, sources,
    verdict: result.verdict, counted: result.counted, states: result.states, transitions: result.transitions, unreached: result.unreached,
    property: trace?.violation.property ?? result.violation?.property ?? null,
    badState: trace?.violation.message ?? result.violation?.message ?? "",
    switches: trace?.switches ?? null,
    firstThread: firstThreadOf(model),
    schedule: shown.steps,
    held: shown.held,
    fixed: trace ? fixedOf(simulation, trace) : null,
    bounds, assumptions: [...new Set([...assumptions, ...(trace ? assumedBranches(trace).map(unjustified) : [])])], assumeHeld: whatIf,
    failing: before ? shownSchedule(held.without, before).steps : [],
    withoutFix: undone && result.verdict === "pass" ? explore(undone, options).verdict : null,
    counts: countsOf(model, options),
  };
}

export const firstThreadOf = (model: Model): string | null => model.threads.find(({ role }) => role === "review")?.name ?? null;

/** Exact numbers, where there are few enough states and no cycles; as texts, for they have no bound. */
function countsOf(model: Model, options: ExploreOptions): SimulationReport["counts"] {
  const counts = options.livelock === null || options.livelock === undefined ? countSchedules(model, options) : null;
  const textOf = (share: { readonly total: bigint; readonly failing: bigint }): { total: string; failing: string } => ({ total: String(share.total), failing: String(share.failing) });
  return counts && { schedules: textOf(counts.schedules), classes: counts.classes && textOf(counts.classes) };
}

/** What a remedy does with the failing schedule: the first that stops it, else the first. */
function fixedOf({ model, options, remedies }: Simulation, trace: Trace): SimulationReport["fixed"] {
  const all = remedies.map((remedy) => ({ remedy, why: whyBlocked(trace, model, remedy.model, options.properties) }));
  const chosen = all.find(({ why }) => why.blockedAt !== null) ?? all[0];
  if (!chosen) return null;
  const { remedy, why } = chosen;
  const result = explore(remedy.model, options);
  return {
    title: remedy.title, verdict: result.verdict, counted: result.counted, states: result.states,
    blockedAt: why.blockedAt === null ? null : `${why.thread}: ${why.blockedAt}`,
    heldBy: why.heldBy,
    // The failing model is the remedy undone, and it fails.
    mutationFails: true,
    replay: fixedSchedule(remedy.model, why),
  };
}
