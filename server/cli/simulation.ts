// SPDX-License-Identifier: GPL-2.0-only
import { spelledIn } from "../kernel/spelling.ts";
import { visibleLine } from "../report/visible.ts";
import type { SimulationReport } from "../report/simulation.ts";
import { optionsOf, settingsOf } from "../scenarios/catalogue/decide.ts";
import type { CatalogueScenario, Setting, Variant } from "../scenarios/catalogue/scenario.ts";
import { assumedBranches, fixedSchedule, shownSchedule, unjustified } from "../scenarios/schedule.ts";
import { lockChoices, lockNamed, whatIfHeld, type NamedLock } from "../scenarios/what-if.ts";
import { assumeHeld, heldText, locksOf, type HeldMode } from "../simulator/assume-held.ts";
import { counterexample } from "../simulator/counterexample.ts";
import { countSchedules } from "../simulator/count.ts";
import { whyBlocked } from "../simulator/explain.ts";
import { explore, type ExploreOptions } from "../simulator/explore.ts";
import type { Model, ThreadSpec } from "../simulator/model.ts";
import type { Trace } from "../simulator/trace.ts";
import { withoutFix } from "../simulator/without-fix.ts";
import type { SimulateArguments } from "./simulate-arguments.ts";

interface Remedy {
  readonly title: string;
  readonly model: Model;
  /** It is the failing model mended, and not another one that is told of the same world. */
  readonly mendsThis: boolean;
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

/** The model of a setting, with functions called as the release calls them; null where there is none. */
function builtIn(scenario: CatalogueScenario, setting: Setting): Model | null {
  const model = scenario.build(setting);
  return model && {
    ...model,
    threads: model.threads.map((thread) => ({ ...thread, steps: thread.steps.map((step) => ({ ...step, text: spelledIn(setting.release, step.text) })) })),
  };
}

function firstOf(scenario: CatalogueScenario, variant: Variant, settings: readonly Setting[]): Simulation[] {
  for (const setting of settings) {
    const model = setting.variant === variant.id ? builtIn(scenario, setting) : null;
    if (!model) continue;
    const { release, era, architecture } = setting;
    return [{
      scenario: scenario.id, title: scenario.title, variant: variant.id, what: variant.what,
      setting: `${release.major}.${release.minor}, era ${era}, ${architecture.phrase}`,
      model, options: optionsOf(scenario, model), sources: scenario.sources,
      undone: !variant.isFixed ? null : variant.undone === undefined ? withoutFix(model) : builtIn(scenario, { ...setting, variant: variant.undone }),
      remedies: variant.isFixed ? [] : remediesOf(scenario, setting, model),
      bounds: boundsOf(model), assumptions: [], held: null,
    }];
  }
  return [];
}

const textsOf = (model: Model, isCompared: (thread: ThreadSpec) => boolean): string =>
  JSON.stringify(model.threads.filter(isCompared).map(({ name, steps }) => [name, ...steps.flatMap(({ text, hidden }) => (hidden ? [] : [text]))]));

/** Whether two models have the same steps. */
const isSame = (left: Model, right: Model): boolean => textsOf(left, () => true) === textsOf(right, () => true);

/** Whether the same others meet what is reviewed: only then the schedule of the one says something about the other. */
const isSameWorld = (left: Model, right: Model): boolean =>
  textsOf(left, ({ role }) => role === "environment") === textsOf(right, ({ role }) => role === "environment");

/**
 * What mends a buggy variant: fixed variants that are it in another order, and those that are it without the steps of their
 * fix; where there are none, those that meet the same others.
 */
function remediesOf(scenario: CatalogueScenario, setting: Setting, failing: Model): readonly Remedy[] {
  const all = scenario.variants.flatMap(({ id, what, isFixed, undone }) => {
    const model = isFixed && (undone === undefined || undone === setting.variant) ? builtIn(scenario, { ...setting, variant: id }) : null;
    if (!model) return [];
    const without = undone === undefined ? withoutFix(model) : null;
    return [{ title: what, model, mendsThis: undone !== undefined || (without !== null && isSame(without, failing)) }];
  });
  const own = all.filter(({ mendsThis }) => mendsThis);
  return own.length > 0 ? own : all.filter(({ model }) => isSameWorld(model, failing));
}

/** What a verdict about a model of the catalogue covers. */
function boundsOf({ threads, globals }: Model): string {
  const isBuffered = globals.some(({ name }) => name.startsWith("store buffer of "));
  return `threads {${threads.map(({ name }) => name).join(", ")}}, loops unbounded, ${isBuffered ? "stores late by CPU as modeled" : "SC"}`;
}

/** As `assumeHeld`; a model in which nobody takes the lock stays as it is: to hold it makes no difference there. */
const withCallersHolding = (model: Model, name: string, mode: HeldMode): Model => {
  const lock = locksOf(model).find((one) => one.name === name);
  return lock ? assumeHeld(model, lock, mode) : model;
};

/** The simulation with a lock that callers hold all the time, with the fix and without: `NAME`, `NAME (read)` or `NAME (write)`. */
export function withHeld(simulation: Simulation, wanted: string): Asked<Simulation> {
  const { model, undone, what } = simulation;
  const lock = lockNamed(model, wanted);
  if (lock.kind === "unknown") return { reason: `no lock is called '${visibleLine(lock.name)}' here; there are ${lockChoices(model).map(visibleLine).join(", ") || "none"}` };
  const held = { without: model, lock };
  if (lock.kind === "not-taken") return { value: { ...simulation, held } };
  return { value: {
    ...simulation, what: `${what}, callers hold ${heldText(lock.lock, lock.mode)}`, remedies: [], held,
    model: assumeHeld(model, lock.lock, lock.mode), undone: undone && withCallersHolding(undone, lock.lock.name, lock.mode),
  } };
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

/** Whether a model has the step at which a schedule fails. */
const hasLastStep = ({ threads }: Model, { steps }: Trace, { threads: own }: Model): boolean => {
  const last = steps.at(-1);
  return threads.some(({ name, steps: others }) => name === own[last?.thread ?? -1]?.name && others.some(({ text }) => text === last?.text));
};

/** Whether a remedy that mends something else as well is needed for it. */
function failsUndone(model: Model, options: ExploreOptions): boolean {
  const undone = withoutFix(model);
  return undone !== null && explore(undone, options).verdict === "fail";
}

/** What a remedy does with the failing schedule: the first that stops it, else the first. Other models must come to the failing step. */
function fixedOf({ model, options, remedies }: Simulation, trace: Trace): SimulationReport["fixed"] {
  const all = remedies
    .filter((remedy) => remedy.mendsThis || hasLastStep(remedy.model, trace, model))
    .map((remedy) => ({ remedy, why: whyBlocked(trace, model, remedy.model, options.properties) }));
  const chosen = all.find(({ why }) => why.blockedAt !== null) ?? all[0];
  if (!chosen) return null;
  const { remedy, why } = chosen;
  const result = explore(remedy.model, options);
  return {
    title: remedy.title, verdict: result.verdict, counted: result.counted, states: result.states,
    blockedAt: why.blockedAt === null ? null : `${why.thread}: ${why.blockedAt}`,
    heldBy: why.heldBy,
    mutationFails: remedy.mendsThis || failsUndone(remedy.model, options),
    replay: fixedSchedule(remedy.model, why),
  };
}
