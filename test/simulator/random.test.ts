// SPDX-License-Identifier: GPL-2.0-only
import fc from "fast-check";
import { expect, test } from "vitest";
import { counterexample } from "../../server/simulator/counterexample.ts";
import { decide, explore } from "../../server/simulator/explore.ts";
import type { Model } from "../../server/simulator/model.ts";
import { pathTo } from "../../server/simulator/store.ts";
import { randomModel } from "./random-model.ts";
import { compareSearches, KINDS, newTally } from "./reduction-check.ts";
import { referenceExplore, referenceFewest, referenceLivelock } from "./reference.ts";

const MAX_STATES = 600;
/** A fixed seed: the same programs on every run and machine. */
const runs = (numRuns: number): fc.Parameters<unknown> => ({ numRuns, seed: 20, endOnFailure: false });

const switchesOf = (threads: readonly number[]): number =>
  threads.filter((thread, index) => index > 0 && threads[index - 1] !== thread).length;

/** Steps and switches of the failing schedule that breadth-first search finds. */
const breadthFirst = (model: Model): { steps: number; switches: number } => {
  const { search, program } = decide(model, { maxStates: MAX_STATES });
  if (search.outcome.kind !== "violation") throw new Error("no violation");
  const actions = [...pathTo(search.store, search.outcome.state), search.outcome.action];
  const threads = actions.map((action) => program.actions[action].thread);
  return { steps: threads.length, switches: switchesOf(threads) };
};

test.each([true, false])("packed exploration agrees with plain objects (checks: %s)", (checks) => {
  const verdicts: Record<string, number> = {};
  fc.assert(
    fc.property(randomModel({ checks, others: "environment" }), (model) => {
      const { verdict, states, transitions, violation } = explore(model, { maxStates: MAX_STATES, deadlock: true });
      const reference = referenceExplore(model, MAX_STATES);
      verdicts[verdict] = (verdicts[verdict] ?? 0) + 1;
      expect({ verdict, property: violation?.property ?? null }).toEqual({ verdict: reference.verdict, property: reference.property });
      if (verdict === "pass") expect({ states, transitions }).toEqual({ states: reference.states, transitions: reference.transitions });
    }),
    runs(600),
  );
  expect(verdicts["pass"]).toBeGreaterThan(50);
  expect(verdicts["fail"]).toBeGreaterThan(50);
});

test("livelock agrees with brute force, and its cycle closes", () => {
  const found = { livelocks: 0 };
  fc.assert(
    fc.property(randomModel({ checks: false, others: "environment" }), (model) => {
      const options = { maxStates: 100, livelock: 0 };
      const { verdict } = explore(model, options);
      fc.pre(verdict !== "unknown");
      expect(verdict).toBe(referenceLivelock(model) ? "fail" : "pass");
      const trace = counterexample(model, options);
      expect(trace !== null).toBe(verdict === "fail");
      if (trace === null) return;
      found.livelocks++;
      expect(trace.violation.property).toBe("livelock");
      expect(trace.cycleStart).toBeLessThan(trace.steps.length);
    }),
    runs(300),
  );
  expect(found.livelocks).toBeGreaterThan(5);
});

test("counterexamples have the fewest switches, then the fewest steps, and replay", () => {
  const seen = { failing: 0, better: 0 };
  fc.assert(
    fc.property(randomModel({ checks: true, others: "review" }), (model) => {
      const options = { maxStates: MAX_STATES };
      fc.pre(explore(model, options).verdict === "fail");
      const trace = counterexample(model, options);
      const shortest = breadthFirst(model);
      expect(trace?.switches).toBeLessThanOrEqual(shortest.switches);
      expect(trace?.steps.length).toBeGreaterThanOrEqual(shortest.steps);
      seen.failing++;
      if ((trace?.switches ?? 0) < shortest.switches) seen.better++;
      const best = referenceFewest(model, trace?.violation.property ?? "");
      expect({ switches: trace?.switches, steps: trace?.steps.length }).toEqual(best);
    }),
    runs(150),
  );
  expect(seen.failing).toBeGreaterThan(100);
  expect(seen.better).toBeGreaterThan(0);
});

test("dropping environment threads keeps the property and the replay", () => {
  fc.assert(
    fc.property(randomModel({ checks: true, others: "environment" }), (model) => {
      const options = { maxStates: MAX_STATES };
      const { verdict, violation } = explore(model, options);
      const trace = counterexample(model, options);
      expect(trace?.violation.property).toBe(verdict === "fail" ? violation?.property : undefined);
      const running = new Set(trace?.steps.map(({ thread }) => model.threads[thread].name));
      for (const name of trace?.dropped ?? []) expect(running.has(name)).toBe(false);
    }),
    runs(400),
  );
});

test("deadlocks get a schedule", () => {
  fc.assert(
    fc.property(randomModel({ checks: false, others: "environment" }), (model) => {
      const options = { maxStates: MAX_STATES, deadlock: true };
      const trace = counterexample(model, options);
      expect(trace?.violation.property).toBe(explore(model, options).violation?.property);
    }),
    runs(300),
  );
});

test("reduced searches find what the full search finds", () => {
  const tally = newTally();
  fc.assert(
    fc.property(randomModel({ checks: true, others: "environment" }), (model) => compareSearches(model, { maxStates: MAX_STATES, kinds: KINDS }, tally)),
    runs(600),
  );
  expect(tally.programs).toBeGreaterThan(400);
  expect(tally.failing).toBeGreaterThan(200);
  expect(tally.deadlocking).toBeGreaterThan(20);
});
