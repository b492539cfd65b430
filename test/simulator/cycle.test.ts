// SPDX-License-Identifier: GPL-2.0-only
import { expect, test } from "vitest";
import { modelBuilder } from "../../server/simulator/build.ts";
import { componentsOf } from "../../server/simulator/components.ts";
import { counterexample } from "../../server/simulator/counterexample.ts";
import { assign, increment } from "../../server/simulator/effect.ts";
import { eq, lt } from "../../server/simulator/expression.ts";
import { chooser } from "./lock-programs.ts";

const STATES = 7;

/** Random edges between a few states, and which states can be reached from which. */
const randomGraph = (seed: number) => {
  const choose = chooser(seed);
  const targets = Array.from({ length: STATES }, () => Array.from({ length: choose(3) }, () => choose(STATES)));
  const first = Int32Array.from([0, ...targets.map((_, state) => targets.slice(0, state + 1).flat().length)]);
  const target = Int32Array.from(targets.flat());
  const reaches = (from: number): Set<number> => {
    const seen = new Set([from]);
    for (const state of seen) for (const to of targets[state] ?? []) seen.add(to);
    return seen;
  };
  return { edges: { first, target, action: new Int32Array(target.length), count: target.length }, reaches };
};

test("states have one component where each leads to the other", () => {
  for (let seed = 0; seed < 500; seed++) {
    const { edges, reaches } = randomGraph(seed);
    const component = componentsOf(edges, STATES, 0, () => true);
    const from = reaches(0);
    for (let left = 0; left < STATES; left++) {
      expect(component[left] >= 0).toBe(from.has(left));
      if (!from.has(left)) continue;
      for (const right of from) expect(component[left] === component[right]).toBe(reaches(left).has(right) && reaches(right).has(left));
    }
  }
});

test("the cycle that is shown is one of the stuck thread, however far away", () => {
  const model = modelBuilder("far");
  const [count, tick] = [model.field("count"), model.field("tick")];
  const stuck = model.thread("stuck", "review");
  stuck.step({ text: "first", guard: eq(count, 250) });
  stuck.label("retry");
  stuck.step({ text: "retry", to: "retry" });
  const clock = model.thread("clock", "daemon");
  clock.label("next");
  clock.step({ text: "tick", alternatives: [{ guard: eq(tick, 0), effect: [assign(tick, 1)] }, { guard: eq(tick, 1), effect: [assign(tick, 0)] }].map((one) => ({ ...one, to: "next" })) });
  const other = model.thread("counts", "environment");
  other.label("next");
  other.step({ text: "count", guard: lt(count, 250), effect: [increment(count)], to: "next" });
  const { end, steps = [], cycleStart } = counterexample(model.finish(), { maxStates: 10_000, livelock: 0 }) ?? {};
  expect(end).toBe("livelock");
  expect(steps.slice(cycleStart ?? 0).map(({ text }) => text)).toEqual(["retry"]);
});
