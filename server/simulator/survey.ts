// SPDX-License-Identifier: GPL-2.0-only
import type { Failure } from "./breadth-first.ts";
import { compile } from "./compile.ts";
import type { ActionPlace, Program } from "./compile.ts";
import type { Model } from "./model.ts";
import { unreachedBy } from "./reach.ts";
import { twinActions } from "./reduction/symmetry.ts";
import type { TwinGroup } from "./reduction/symmetry.ts";
import { scheduleTo, searchForVerdict } from "./verdict-search.ts";
import type { SearchKind } from "./verdict-search.ts";

export interface SurveyOptions {
  readonly maxStates: number;
  readonly disabled?: readonly number[];
  readonly properties?: ReadonlySet<string>;
  readonly search: SearchKind;
}

/** A check that fails somewhere: a step, and the number of the check in the model. */
export interface SurveyedFailure extends ActionPlace {
  readonly check: number;
}

/** Everything that can happen in a model, not only what goes wrong first. Lists are in the order of the model. */
export interface Survey {
  /** False where the budget was used up: then there may be more. */
  readonly complete: boolean;
  readonly failures: readonly SurveyedFailure[];
  /** A schedule for each failure that was found itself, and not only through a twin, by the property that it violates. */
  readonly schedules: readonly { readonly ends: string; readonly schedule: readonly ActionPlace[] }[];
  /** Whether somewhere nothing can move although a thread under review has not ended. */
  readonly deadlock: boolean;
  /** All alternatives that are taken somewhere. */
  readonly taken: readonly ActionPlace[];
  /** Obligations that are not met. */
  readonly unreached: readonly string[];
  readonly states: number;
  readonly transitions: number;
}

/** All failures with those of twins, each once, in the order of the model. */
const closed = (program: Program, twins: readonly TwinGroup[], failures: readonly Failure[]): SurveyedFailure[] => {
  const seen = new Uint8Array(program.checks.length);
  const places = new Map<number, ActionPlace>();
  for (const { action, check } of failures) {
    if (action < 0 || seen[check] === 1) continue;
    seen[check] = 1;
    const offset = check - program.firstCheck[action];
    for (const twin of twinActions(program, twins, action)) {
      seen[program.firstCheck[twin] + offset] = 1;
      places.set(program.firstCheck[twin] + offset, program.actions[twin]);
    }
  }
  return [...places.keys()].toSorted((left, right) => left - right).map((check) => ({ ...places.get(check)!, check }));
};

/** Explores a model to its end, past everything that goes wrong. A path ends where a check fails. */
export const survey = (model: Model, { maxStates, disabled = [], properties, search: kind }: SurveyOptions): Survey => {
  const program = compile(model, properties === undefined ? {} : { properties });
  const options = { maxStates, disabled: new Set(disabled), deadlock: true, recordEdges: false, collect: true };
  const found = searchForVerdict(program, options, kind);
  const { outcome, failures, taken, store, transitions } = found.search;
  const firsts = [...new Map(failures.toReversed().map((failure) => [failure.check, failure])).values()];
  return {
    complete: outcome.kind === "complete",
    failures: closed(program, found.reduction?.twins ?? [], failures),
    schedules: firsts.map((failure) => ({
      ends: failure.check < 0 ? "deadlock" : program.checks[failure.check].property,
      schedule: scheduleTo(found, failure),
    })),
    deadlock: failures.some(({ action }) => action < 0),
    taken: program.actions.filter((_, action) => taken[action] === 1),
    unreached: unreachedBy(program, taken),
    states: store.count,
    transitions,
  };
};
