// SPDX-License-Identifier: GPL-2.0-only
import { expect } from "vitest";
import type { Model } from "../../server/simulator/model.ts";
import type { Reductions } from "../../server/simulator/reduction/reduction.ts";
import { replay } from "../../server/simulator/replay.ts";
import { survey } from "../../server/simulator/survey.ts";
import type { Survey } from "../../server/simulator/survey.ts";
import type { SearchKind } from "../../server/simulator/verdict-search.ts";

interface Kind {
  readonly name: string;
  readonly search: SearchKind;
}

const NONE: Reductions = { persistent: false, symmetry: false, fusion: false, deadLocals: false };
const FUSION: Kind = { name: "fusion", search: { ...NONE, fusion: true } };
const PERSISTENT: Kind = { name: "persistent", search: { ...NONE, persistent: true } };
const SYMMETRY: Kind = { name: "symmetry", search: { ...NONE, symmetry: true } };
const DEAD_LOCALS: Kind = { name: "dead locals", search: { ...NONE, deadLocals: true } };
const ALL: Kind = { name: "all", search: "reduced" };

/** Every reduction alone, and together. Symmetry does nothing where no thread has a twin. */
export const KINDS: readonly Kind[] = [PERSISTENT, FUSION, DEAD_LOCALS, ALL];
export const TWIN_KINDS: readonly Kind[] = [SYMMETRY, { name: "persistent and symmetry", search: { ...NONE, persistent: true, symmetry: true } }, ALL];

/** What a reduction must not change. */
const essence = ({ complete, failures, deadlock, taken, unreached }: Survey) => ({ complete, failures, deadlock, taken, unreached });

/** The failing schedules of a survey run in the independent interpreter, and end as they are said to. */
const replayAll = (model: Model, { schedules }: Survey, disabled: readonly number[]): void => {
  for (const { ends, schedule } of schedules) {
    const end = ends === "deadlock" ? "deadlock" : "check";
    replay(model, { schedule, end, property: ends, cycleStart: null, disabled: new Set(disabled) });
  }
};

/** Sums over many programs, to see that there was something to find and something to leave out. */
export interface Tally {
  programs: number;
  skipped: number;
  failing: number;
  deadlocking: number;
  vacuous: number;
  readonly states: Record<string, number>;
}

export const newTally = (): Tally => ({ programs: 0, skipped: 0, failing: 0, deadlocking: 0, vacuous: 0, states: {} });

export interface Comparison {
  /** Programs with more states are skipped. */
  readonly maxStates: number;
  readonly kinds: readonly Kind[];
  /** Threads that never run. */
  readonly disabled?: readonly number[];
}

/** Compares the full search of a program with each reduced one. */
export const compareSearches = (model: Model, { maxStates, kinds, disabled = [] }: Comparison, tally: Tally): void => {
  const full = survey(model, { maxStates, disabled, search: "full" });
  if (!full.complete) {
    tally.skipped++;
    return;
  }
  tally.programs++;
  tally.failing += Number(full.failures.length > 0);
  tally.deadlocking += Number(full.deadlock);
  tally.vacuous += Number(full.unreached.length > 0);
  tally.states["full"] = (tally.states["full"] ?? 0) + full.states;
  for (const { name, search } of kinds) {
    const reduced = survey(model, { maxStates, disabled, search });
    expect(essence(reduced), `${model.name}, ${name}`).toEqual(essence(full));
    expect(reduced.states).toBeLessThanOrEqual(full.states);
    tally.states[name] = (tally.states[name] ?? 0) + reduced.states;
    replayAll(model, reduced, disabled);
  }
};
