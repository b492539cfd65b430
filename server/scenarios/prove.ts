// SPDX-License-Identifier: GPL-2.0-only
import type { Release } from "../kernel/release.ts";
import type { EffectProgram } from "../program/program.ts";
import { counterexample } from "../simulator/counterexample.ts";
import { whyBlocked } from "../simulator/explain.ts";
import { explore, type Exploration, type ExploreOptions } from "../simulator/explore.ts";
import { FALSE } from "../simulator/expression.ts";
import type { Alternative, Model } from "../simulator/model.ts";
import type { Trace } from "../simulator/trace.ts";
import type { BuiltModel, Experiment } from "./experiment.ts";

/** One row of a schedule. The last row of a failing schedule reaches the bad state. */
export interface ProofStep {
  /** Thread name: the function under review as `name()`, or an environment thread. */
  readonly thread: string;
  /** The statement or the environment's action, one line, with what happened in brackets. */
  readonly step: string;
  /** 1-based line of the document, null for steps that are not in the document. */
  readonly patchLine: number | null;
  /** What the step changed, for example `entry(src_pte): X -> none`; "" where nothing visible changed. */
  readonly state: string;
}

/** What exploring a scenario around one program showed. */
export interface Proof {
  readonly scenario: string;
  readonly verdict: "fail" | "pass" | "unknown" | "vacuous" | "not-lifted";
  /** The property that was checked, for example `stale-secondary-mapping`. */
  readonly property: string;
  /** One sentence that names the bad state; "" unless the verdict is `fail`. */
  readonly badState: string;
  readonly states: number;
  readonly transitions: number;
  /** Threads, loops and memory model that the verdict covers. */
  readonly bounds: string;
  readonly assumptions: readonly string[];
  readonly schedule: readonly ProofStep[];
  /** The reference fix, explored to the end; null where it was not run. */
  readonly fixed: {
    readonly title: string;
    readonly verdict: Proof["verdict"];
    readonly states: number;
    /** Whether these are all states, or those that reductions leave. */
    readonly counted: Exploration["counted"];
    /** The step of the failing schedule that the fix blocks, or null where the schedule completes without a violation. */
    readonly blockedAt: string | null;
    readonly heldBy: string | null;
    /** True where undoing the fix in the fixed program fails again. */
    readonly mutationFails: boolean;
  } | null;
  /** Wrong remedies that were tried and fail too, one sentence each. */
  readonly wrongFixes: readonly string[];
  /** Branches of the schedule that the code does not justify. */
  readonly assumedBranches: readonly string[];
}

const NOT_LIFTED = { verdict: "not-lifted", counted: "all", states: 0, transitions: 0, violation: null, unreached: [] } as const;

/** Explores the program under review, then the reference fix, then the fix undone. */
export function prove(experiment: Experiment, program: EffectProgram, release: Release, maxStates: number): Proof {
  const built = experiment.build(program, release);
  if (!built) return failure(experiment, NOT_LIFTED, program, []);
  const options = optionsFor(experiment, built.model, experiment.primary, maxStates);
  const whole = explore(built.model, options);
  // A schedule that rests on the text alone is the better one, even where one with assumptions is shorter.
  const justified = whole.verdict === "fail" ? withoutAssumed(built.model) : null;
  const strict = justified && explore(justified, options);
  const isStrict = strict?.verdict === "fail";
  const result = isStrict ? strict : whole;
  const shownModel = isStrict && justified ? justified : built.model;
  const assumptions = [...program.assumptions.map((one) => one.text), ...built.assumptions];
  if (result.verdict !== "fail") return failure(experiment, result, program, assumptions);
  const trace = counterexample(shownModel, options);
  if (!trace) return failure(experiment, { ...result, verdict: "unknown" }, program, assumptions);
  const fixed = proveFix(experiment, program, release, maxStates, built, trace);
  return {
    scenario: experiment.name,
    verdict: "fail",
    property: trace.violation.property,
    badState: trace.violation.message,
    states: result.states,
    transitions: result.transitions,
    bounds: boundsOf(experiment, result.counted, fixed?.counted),
    assumptions,
    schedule: scheduleOf(shownModel, trace),
    fixed,
    wrongFixes: tryWrongFixes(experiment, program, release, maxStates),
    assumedBranches: trace.steps.flatMap((step) => (step.assumed === undefined ? [] : [`${step.text}: ${step.assumed}`])),
  };
}

/** The model without the branches that only an assumption justifies; null where it has none. */
function withoutAssumed(model: Model): Model | null {
  const isAssumed = (step: Model["threads"][number]["steps"][number]): boolean => step.alternatives.some((one) => one.assumed !== undefined);
  if (!model.threads.some((thread) => thread.steps.some(isAssumed))) return null;
  // Shut, not taken out: places in a schedule count alternatives.
  const shut = (one: Alternative): Alternative => (one.assumed === undefined ? one : { ...one, guard: FALSE });
  return {
    ...model,
    threads: model.threads.map((thread) => ({
      ...thread,
      steps: thread.steps.map((step) => (isAssumed(step) ? { ...step, alternatives: step.alternatives.map(shut) } : step)),
    })),
  };
}

function optionsFor(experiment: Experiment, model: Model, properties: readonly string[], maxStates: number): ExploreOptions {
  const reviewed = model.threads.findIndex((thread) => thread.role === "review");
  return { maxStates, properties: new Set(properties), livelock: experiment.livelock ? reviewed : null };
}

/** What a verdict covers; and what was counted, where that is not every state. */
function boundsOf({ bounds }: Experiment, counted: Exploration["counted"], ofFix: Exploration["counted"] = "all"): string {
  if (counted === "reduced") return `${bounds}; states counted after reductions`;
  return ofFix === "reduced" ? `${bounds}; states of the fix counted after reductions` : bounds;
}

function failure(
  experiment: Experiment,
  result: Pick<Exploration, "counted" | "states" | "transitions"> & { verdict: Proof["verdict"] },
  program: EffectProgram,
  assumptions: readonly string[],
): Proof {
  return {
    scenario: experiment.name,
    verdict: result.verdict,
    property: experiment.primary[0] ?? "",
    badState: "",
    states: result.states,
    transitions: result.transitions,
    bounds: boundsOf(experiment, result.counted),
    assumptions: assumptions.length > 0 ? assumptions : program.assumptions.map((one) => one.text),
    schedule: [],
    fixed: null,
    wrongFixes: [],
    assumedBranches: [],
  };
}

/** Rungs 2, 3 and 6 of the ladder: the fix passes for all properties, not vacuously, and undoing it fails again. */
function proveFix(
  experiment: Experiment,
  program: EffectProgram,
  release: Release,
  maxStates: number,
  failing: BuiltModel,
  trace: Trace,
): Proof["fixed"] {
  const fix = experiment.fix(program);
  const built = fix && experiment.build(fix.program, release);
  if (!fix || !built) return null;
  const all = [...experiment.primary, ...experiment.secondary];
  const result = explore(built.model, optionsFor(experiment, built.model, all, maxStates));
  const why = whyBlocked(trace, failing.model, built.model, new Set(all));
  return {
    title: fix.title,
    verdict: result.verdict,
    states: result.states,
    counted: result.counted,
    blockedAt: why.blockedAt === null ? null : `${why.thread}: ${why.blockedAt}`,
    heldBy: why.heldBy,
    mutationFails: failsAgain(experiment, experiment.mutate(fix.program), release, maxStates),
  };
}

function failsAgain(experiment: Experiment, program: EffectProgram, release: Release, maxStates: number): boolean {
  const built = experiment.build(program, release);
  if (!built) return false;
  const all = [...experiment.primary, ...experiment.secondary];
  return explore(built.model, optionsFor(experiment, built.model, all, maxStates)).verdict === "fail";
}

function tryWrongFixes(experiment: Experiment, program: EffectProgram, release: Release, maxStates: number): string[] {
  return experiment.wrongFixes.flatMap((wrong) => {
    const changed = wrong.program(program);
    const built = changed && experiment.build(changed, release);
    if (!built) return [];
    const all = [...experiment.primary, ...experiment.secondary];
    const { verdict, violation } = explore(built.model, optionsFor(experiment, built.model, all, maxStates));
    return verdict === "fail" && violation ? [`${wrong.title} fails too: ${violation.message}`] : [];
  });
}

function scheduleOf(model: Model, trace: Trace): ProofStep[] {
  const last = trace.steps.length - 1;
  return trace.steps.flatMap((step, index): ProofStep[] => {
    if (step.hidden && index !== last && index !== trace.cycleStart) return [];
    const spec = model.threads[step.thread]?.steps[step.step];
    // That a lock step changes its lock goes without saying.
    const locks = new Set([...(spec?.acquires ?? []), ...(spec?.releases ?? [])].map(({ lock }) => lock.name));
    const changes = step.changes.flatMap((change) => (locks.has(change.field) ? [] : [`${change.field}: ${change.from} -> ${change.to}`]));
    return [
      {
        thread: model.threads[step.thread]?.name ?? "",
        step: step.note === null ? step.text : `${step.text} [${step.note}]`,
        patchLine: step.source?.line ?? null,
        state: changes.join(", "),
      },
    ];
  });
}

/** True where rungs 1, 2, 3 and 6 hold and no branch of the schedule is only assumed. */
export const isProved = (proof: Proof): boolean =>
  proof.verdict === "fail" && proof.fixed?.verdict === "pass" && proof.fixed.mutationFails && proof.assumedBranches.length === 0;
