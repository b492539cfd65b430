// SPDX-License-Identifier: GPL-2.0-only
import { expect } from "vitest";
import type { Model } from "../../server/simulator/model.ts";
import { replay } from "../../server/simulator/replay.ts";
import { survey } from "../../server/simulator/survey.ts";
import type { Survey } from "../../server/simulator/survey.ts";
import type { SearchKind } from "../../server/simulator/verdict-search.ts";

/** Every reduction alone, and together. */
const KINDS: readonly { readonly name: string; readonly search: SearchKind }[] = [
  { name: "persistent", search: { persistent: true, symmetry: false, fusion: false } },
  { name: "symmetry", search: { persistent: false, symmetry: true, fusion: false } },
  { name: "fusion", search: { persistent: false, symmetry: false, fusion: true } },
  { name: "persistent and symmetry", search: { persistent: true, symmetry: true, fusion: false } },
  { name: "persistent and fusion", search: { persistent: true, symmetry: false, fusion: true } },
  { name: "all", search: "reduced" },
];

/** What a reduction must not change. */
const essence = ({ complete, failures, deadlock, taken, unreached }: Survey) => ({ complete, failures, deadlock, taken, unreached });

/** The failing schedules of a survey run in the independent interpreter, and end as they are said to. */
const replayAll = (model: Model, { schedules }: Survey): void => {
  for (const { failure, schedule } of schedules) {
    const end = failure === "deadlock" ? "deadlock" : "check";
    const property = failure === "deadlock" ? "deadlock" : "seen";
    const steps = model.threads.flatMap(({ steps: all }) => all);
    const properties = new Set(steps.flatMap(({ alternatives }) => alternatives.flatMap(({ checks = [] }) => checks.map((one) => one.property))));
    const ended = [...properties, property].some((one) => {
      try {
        replay(model, { schedule, end, property: one, cycleStart: null, disabled: new Set() });
        return true;
      } catch {
        return false;
      }
    });
    expect(ended, JSON.stringify(schedule)).toBe(true);
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

/** Compares the full search of a program with each reduced one. Programs with more states than allowed are skipped. */
export const compareSearches = (model: Model, maxStates: number, tally: Tally): void => {
  const full = survey(model, { maxStates, search: "full" });
  if (!full.complete) {
    tally.skipped++;
    return;
  }
  tally.programs++;
  tally.failing += Number(full.failures.length > 0);
  tally.deadlocking += Number(full.deadlock);
  tally.vacuous += Number(full.unreached.length > 0);
  tally.states["full"] = (tally.states["full"] ?? 0) + full.states;
  for (const { name, search } of KINDS) {
    const reduced = survey(model, { maxStates, search });
    expect(essence(reduced), `${model.name}, ${name}`).toEqual(essence(full));
    expect(reduced.states).toBeLessThanOrEqual(full.states);
    tally.states[name] = (tally.states[name] ?? 0) + reduced.states;
    replayAll(model, reduced);
  }
};
