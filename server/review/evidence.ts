// SPDX-License-Identifier: GPL-2.0-only
import type { ExploredModels, Proof } from "../scenarios/prove.ts";
import { isProved } from "../scenarios/prove.ts";
import { unjustified } from "../scenarios/schedule.ts";
import type { Model, StepSource } from "../simulator/model.ts";
import type { Candidate } from "../rules/rule.ts";
import type { Evidence, Finding, Tier } from "./finding.ts";

/** What a proof looks like to everything that shows it. */
export function evidenceOf({ assumedBranches, assumptions, explored, unread, ...proof }: Proof, old: Proof | null = null): Evidence {
  const evidence: Evidence = {
    ...proof,
    assumptions: [...assumptions, ...unread.filter((one) => !assumptions.includes(one)), ...assumedBranches.map(unjustified)],
    ...(old === null ? {} : { old: { verdict: old.verdict, property: old.property, states: old.states } }),
  };
  if (explored) models.set(evidence, () => explored);
  return evidence;
}

/** Models are large and are asked for by few: they are no part of what is shown or kept. */
const models = new WeakMap<Evidence, () => ExploredModels>();

/** Where the line of a step has gone, on which side ever. */
export type StepMove = (source: StepSource) => StepSource;

/** The models of some evidence stay behind the same evidence whose lines have moved. */
export function carryModels(from: Evidence, to: Evidence, move: StepMove): void {
  const explored = models.get(from);
  if (explored) models.set(to, () => movedModels(explored(), move));
}

function movedModels({ failing, fixed, options }: ExploredModels, move: StepMove): ExploredModels {
  const moved = (model: Model): Model => ({
    ...model,
    threads: model.threads.map((thread) => ({ ...thread, steps: thread.steps.map((step) => (step.source === null ? step : { ...step, source: move(step.source) })) })),
  });
  return { failing: moved(failing), fixed: fixed && moved(fixed), options };
}

/** The models behind a finding of this process, or null. */
export const modelsOf = ({ evidence }: Pick<Finding, "evidence">): ExploredModels | null => (evidence ? (models.get(evidence)?.() ?? null) : null);

/** `proved` only where the failing schedule and the fix were both explored and nothing unseen carries the finding. */
export const tierOf = (candidate: Candidate, proof: Proof | null): Tier =>
  proof !== null && isProved(proof) && candidate.asks !== true ? "proved" : "contract";
