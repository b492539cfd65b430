// SPDX-License-Identifier: GPL-2.0-only
import type { Release } from "../kernel/release.ts";
import type { EffectProgram } from "../program/program.ts";
import { counterexampleOnce, exploreOnce } from "../simulator/remembered.ts";
import { whyBlocked } from "../simulator/explain.ts";
import type { Exploration, ExploreOptions } from "../simulator/explore.ts";
import { FALSE } from "../simulator/expression.ts";
import type { Alternative, Model } from "../simulator/model.ts";
import type { Trace } from "../simulator/trace.ts";
import { isUnknown } from "./doubt.ts";
import type { BuiltModel, Experiment } from "./experiment.ts";
import { assumedBranches, fixedSchedule, shownSchedule, type FixedSchedule, type HeldSpan, type ScheduleRow } from "./schedule.ts";

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
  readonly schedule: readonly ScheduleRow[];
  /** What threads hold along the schedule. */
  readonly held: readonly HeldSpan[];
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
    /** The failing schedule as the fixed program takes it. */
    readonly replay: FixedSchedule;
    /** True where undoing the fix in the fixed program fails again. */
    readonly mutationFails: boolean;
  } | null;
  /** Wrong remedies that were tried and fail too, one sentence each. */
  readonly wrongFixes: readonly string[];
  /** Branches of the schedule that the code does not justify. */
  readonly assumedBranches: readonly string[];
  /** Code of the function, or of helpers in it, that was not understood: it may do anything, on any step. In words. */
  readonly unread: readonly string[];
  /** The code cannot get into the bad state: the verdict is `pass`, and nothing that is not known carries it. Missing: who knows. */
  readonly refutes?: true;
  /** What was explored, for those who explore it again or write it out; null where nothing failed. */
  readonly explored: ExploredModels | null;
}

/** The models behind a proof. */
export interface ExploredModels {
  readonly failing: Model;
  readonly options: ExploreOptions;
  /** The failing model with the reference fix; null where there is none. */
  readonly fixed: Model | null;
}

/** Looked for where a scenario names it: nothing moves any more, and the code under review has not ended. */
const DEADLOCK = "deadlock";

const NOT_LIFTED = { verdict: "not-lifted", counted: "all", states: 0, transitions: 0, violation: null, unreached: [] } as const;

/** An experiment and the program that it is made with. */
export interface Asked {
  readonly experiment: Experiment;
  readonly program: EffectProgram;
}

/** A program explored as it stands. */
interface Run {
  readonly built: BuiltModel;
  readonly options: ExploreOptions;
  readonly result: Exploration;
  /** The model that the result is of. */
  readonly model: Model;
}

function explored({ experiment, program }: Asked, release: Release, maxStates: number): Run | null {
  const built = experiment.build(program, release);
  if (!built) return null;
  const options = optionsFor(experiment, built.model, experiment.primary, maxStates);
  const whole = exploreOnce(built.model, options);
  // A schedule that rests on the text alone is the better one, even where one with assumptions is shorter.
  const justified = whole.verdict === "fail" ? withoutAssumed(built.model, options.deadlock === true) : null;
  const strict = justified && exploreOnce(justified, options);
  return justified && strict?.verdict === "fail" ? { built, options, result: strict, model: justified } : { built, options, result: whole, model: built.model };
}

/** Explores the program under review, then the reference fix, then the fix undone. */
export function prove(experiment: Experiment, program: EffectProgram, release: Release, maxStates: number): Proof {
  const run = explored({ experiment, program }, release, maxStates);
  return run ? shown(run, { experiment, program }, release, maxStates) : failure(experiment, NOT_LIFTED, program, []);
}

/** As `prove`, for whoever wants a proof or nothing: what only an assumption leads to is not explored. */
export function proofOf(experiment: Experiment, program: EffectProgram, release: Release, maxStates: number): Proof | null {
  if (unreadIn(program).length > 0) return null;
  const run = exploredForCertain({ experiment, program }, release, maxStates);
  if (run?.result.verdict !== "fail") return null;
  const proof = shown(run, { experiment, program }, release, maxStates);
  return isProved(proof) ? proof : null;
}

/** True where a schedule fails that rests on the text alone. There is no proof where none does. */
export const failsForCertain = (experiment: Experiment, program: EffectProgram, release: Release, maxStates: number): boolean =>
  unreadIn(program).length === 0 && exploredForCertain({ experiment, program }, release, maxStates)?.result.verdict === "fail";

function exploredForCertain({ experiment, program }: Asked, release: Release, maxStates: number): Run | null {
  const built = experiment.build(program, release);
  if (!built) return null;
  const options = optionsFor(experiment, built.model, experiment.primary, maxStates);
  const model = withoutAssumed(built.model, options.deadlock === true) ?? built.model;
  return { built, options, result: exploreOnce(model, options), model };
}

function shown({ built, options, result, model: shownModel }: Run, { experiment, program }: Asked, release: Release, maxStates: number): Proof {
  const assumptions = [...program.assumptions.map((one) => one.text), ...built.assumptions];
  if (result.verdict !== "fail") return {
      ...failure(experiment, result, program, assumptions), ...(result.verdict === "pass" && isWhole(experiment, program, built) ? { refutes: true } : {}),
    };
  const trace = counterexampleOnce(shownModel, options);
  if (!trace) return failure(experiment, { ...result, verdict: "unknown" }, program, assumptions);
  const { steps, held } = shownSchedule(shownModel, trace);
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
    schedule: steps,
    held,
    fixed,
    wrongFixes: tryWrongFixes(experiment, program, release, maxStates),
    assumedBranches: assumedBranches(trace),
    unread: unreadIn(program),
    explored: { failing: shownModel, options, fixed: fixedModel(experiment, program, release) },
  };
}

const isAssumed = (step: Model["threads"][number]["steps"][number]): boolean => step.alternatives.some((one) => one.assumed !== undefined);

const hasAssumed = (model: Model): boolean => model.threads.some((thread) => thread.steps.some(isAssumed));

/** True where model and program have all that can happen: nothing was assumed, and no code is unseen or unknown. */
function isWhole(experiment: Experiment, program: EffectProgram, { model, assumptions }: BuiltModel): boolean {
  const isKnown = (node: EffectProgram["nodes"][number]): boolean =>
    node.kind === "call" ? !isUnknown(node) : node.kind === "choice" ? node.reason !== "unseen" : node.kind !== "unseen";
  return (
    experiment.primary.every((property) => experiment.complete?.includes(property)) &&
    program.assumptions.length === 0 && assumptions.length === 0 && !hasAssumed(model) &&
    !program.openStart && !program.openEnd && program.nodes.every(isKnown)
  );
}

/** What an edited program does where the one before was explored. */
export interface EditOutcome {
  readonly before: Proof["verdict"];
  /** For all properties of the experiment. */
  readonly after: Proof["verdict"];
  readonly states: number;
  /** The step of the failing schedule that the edited program blocks; null where the schedule completes, or none failed. */
  readonly blockedAt: string | null;
  readonly heldBy: string | null;
}

/** Explores a program and an edited one with the same experiment. The edited one must keep every property that the fix must. */
export function compareEdited(found: Asked, edited: Asked, release: Release, maxStates: number): EditOutcome {
  const run = explored(found, release, maxStates);
  const built = edited.experiment.build(edited.program, release);
  const nothing = { states: 0, blockedAt: null, heldBy: null };
  if (!run || !built) return { before: run?.result.verdict ?? "not-lifted", after: "not-lifted", ...nothing };
  const all = [...edited.experiment.primary, ...edited.experiment.secondary];
  const { verdict, states } = exploreOnce(built.model, optionsFor(edited.experiment, built.model, all, maxStates));
  const outcome = { before: run.result.verdict, after: verdict, states };
  const trace = run.result.verdict === "fail" ? counterexampleOnce(run.model, run.options) : null;
  if (!trace) return { ...nothing, ...outcome };
  const why = whyBlocked(trace, run.built.model, built.model, new Set(all));
  return { ...outcome, blockedAt: why.blockedAt === null ? null : `${why.thread}: ${why.blockedAt}`, heldBy: why.heldBy };
}

/** The model without the branches that only an assumption justifies; null where it has none. */
function withoutAssumed(model: Model, deadlock: boolean): Model | null {
  if (!hasAssumed(model)) return null;
  // Shut, not taken out: places in a schedule count alternatives. Who comes to one goes on somewhere and does not wait for ever.
  const shut = (one: Alternative): Alternative => (deadlock ? { ...one, checks: [], effect: [], to: "END" } : { ...one, guard: FALSE });
  const open = (one: Alternative): Alternative => (one.assumed === undefined ? one : shut(one));
  return {
    ...model,
    threads: model.threads.map((thread) => ({
      ...thread,
      steps: thread.steps.map((step) => (isAssumed(step) ? { ...step, alternatives: step.alternatives.map(open) } : step)),
    })),
  };
}

function optionsFor(experiment: Experiment, model: Model, properties: readonly string[], maxStates: number): ExploreOptions {
  const reviewed = model.threads.findIndex((thread) => thread.role === "review");
  const deadlock = experiment.deadlock === true || properties.includes(DEADLOCK);
  return { maxStates, properties: new Set(properties), livelock: experiment.livelock ? reviewed : null, ...(deadlock ? { deadlock } : {}) };
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
    held: [],
    fixed: null,
    wrongFixes: [],
    assumedBranches: [],
    unread: unreadIn(program),
    explored: null,
  };
}

function fixedModel(experiment: Experiment, program: EffectProgram, release: Release): Model | null {
  const fix = experiment.fix(program);
  return fix && (experiment.build(fix.program, release)?.model ?? null);
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
  const result = exploreOnce(built.model, optionsFor(experiment, built.model, all, maxStates));
  const why = whyBlocked(trace, failing.model, built.model, new Set(all));
  return {
    title: fix.title,
    verdict: result.verdict,
    states: result.states,
    counted: result.counted,
    blockedAt: why.blockedAt === null ? null : `${why.thread}: ${why.blockedAt}`,
    heldBy: why.heldBy,
    replay: fixedSchedule(built.model, why),
    mutationFails: failsAgain(experiment, experiment.mutate(fix.program), release, maxStates),
  };
}

function failsAgain(experiment: Experiment, program: EffectProgram, release: Release, maxStates: number): boolean {
  const built = experiment.build(program, release);
  if (!built) return false;
  const all = [...experiment.primary, ...experiment.secondary];
  return exploreOnce(built.model, optionsFor(experiment, built.model, all, maxStates)).verdict === "fail";
}

function tryWrongFixes(experiment: Experiment, program: EffectProgram, release: Release, maxStates: number): string[] {
  return experiment.wrongFixes.flatMap((wrong) => {
    const changed = wrong.program(program);
    const built = changed && experiment.build(changed, release);
    if (!built) return [];
    const all = [...experiment.primary, ...experiment.secondary];
    const { verdict, violation } = exploreOnce(built.model, optionsFor(experiment, built.model, all, maxStates));
    return verdict === "fail" && violation ? [`${wrong.title} fails too: ${violation.message}`] : [];
  });
}

/** What of a program's text is not in its graph, in words. */
const unreadIn = (program: EffectProgram): readonly string[] => program.assumptions.flatMap((one) => (one.kind === "not-lowered" ? [one.text] : []));

/** True where rungs 1, 2, 3 and 6 hold, no branch of the schedule is only assumed, and all of the function was understood. */
export const isProved = (proof: Proof): boolean =>
  proof.verdict === "fail" && proof.fixed?.verdict === "pass" && proof.fixed.mutationFails && proof.assumedBranches.length === 0 && proof.unread.length === 0;
