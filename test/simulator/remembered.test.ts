// SPDX-License-Identifier: GPL-2.0-only
import { describe, expect, test } from "vitest";
import { cancellable, Cancelled } from "../../server/simulator/cancellation.ts";
import type { ExploreOptions } from "../../server/simulator/explore.ts";
import { modelBuilder } from "../../server/simulator/build.ts";
import { increment } from "../../server/simulator/effect.ts";
import { eq } from "../../server/simulator/expression.ts";
import type { Model, StepSource } from "../../server/simulator/model.ts";
import { counterexampleOnce, explorations, exploreOnce } from "../../server/simulator/remembered.ts";
import { counters, longThread } from "./small-models.ts";
import { pmdModel } from "./pmd-model.ts";

const OPTIONS: ExploreOptions = { maxStates: 100_000 };

/** How many explorations some work costs. */
function costOf(work: () => unknown): number {
  const before = explorations();
  work();
  return explorations() - before;
}

/** The same model as from other lines of a document. */
const moved = (model: Model, by: number): Model => ({
  ...model,
  threads: model.threads.map((thread) => ({ ...thread, steps: thread.steps.map((step, index) => ({ ...step, source: { line: index + by, side: "new" as const } })) })),
});

describe("results that are remembered", () => {
  test("equal models are explored once, wherever their steps come from", () => {
    expect(costOf(() => exploreOnce(longThread(5), OPTIONS))).toBe(1);
    expect(costOf(() => exploreOnce(longThread(5), OPTIONS))).toBe(0);
    expect(costOf(() => exploreOnce(moved(longThread(5), 100), OPTIONS))).toBe(0);
    expect(exploreOnce(moved(longThread(5), 100), OPTIONS)).toEqual(exploreOnce(longThread(5), OPTIONS));
  });

  test("another model, or other options, are explored", () => {
    expect(costOf(() => exploreOnce(longThread(6), OPTIONS))).toBe(1);
    expect(costOf(() => exploreOnce(longThread(6), { ...OPTIONS, maxStates: 99_999 }))).toBe(1);
    expect(costOf(() => exploreOnce(longThread(6), { ...OPTIONS, deadlock: true }))).toBe(1);
    expect(costOf(() => exploreOnce(longThread(6), { ...OPTIONS, properties: new Set(["uaf"]) }))).toBe(1);
  });

  test("a schedule has the lines of the model that is asked about", () => {
    const options = { ...OPTIONS, properties: new Set(["uaf"]) };
    const lines = (by: number) => counterexampleOnce(moved(pmdModel("none"), by), options)?.steps.map(({ source }) => source?.line ?? 0);
    const first = lines(10);
    expect(costOf(() => lines(20))).toBe(0);
    expect(lines(20)).toEqual(first?.map((line) => line + 10));
  });

  test("few are kept: those that were not asked for for long go first", () => {
    exploreOnce(longThread(7), OPTIONS);
    for (let states = 1; states <= 255; states++) {
      exploreOnce(longThread(2), { maxStates: states });
      if (states === 100) exploreOnce(longThread(7), OPTIONS);
    }
    expect(costOf(() => exploreOnce(longThread(7), OPTIONS))).toBe(0);
    expect(costOf(() => exploreOnce(longThread(5), OPTIONS))).toBe(1);
  });
});

describe("work that nobody wants any more", () => {
  const raised = (): Int32Array => {
    const flag = new Int32Array(new SharedArrayBuffer(4));
    Atomics.store(flag, 0, 1);
    return flag;
  };

  test("ends, and leaves nothing behind", () => {
    const flag = new Int32Array(new SharedArrayBuffer(4));
    const endless = counters(8, 20);
    expect(() => cancellable(flag, () => {
      Atomics.store(flag, 0, 1);
      return exploreOnce(endless, { maxStates: 4_000_000, search: "full" });
    })).toThrow(Cancelled);
    expect(() => cancellable(raised(), () => 1)).toThrow(Cancelled);
    // What was cut short is not taken for the answer.
    expect(exploreOnce(endless, { maxStates: 50, search: "full" }).verdict).toBe("unknown");
    expect(costOf(() => exploreOnce(longThread(9), OPTIONS))).toBe(1);
  });

  test("work around it goes on", () => {
    const outer = new Int32Array(new SharedArrayBuffer(4));
    const found = cancellable(outer, () => {
      expect(() => cancellable(raised(), () => exploreOnce(longThread(11), OPTIONS))).toThrow(Cancelled);
      return exploreOnce(longThread(11), OPTIONS);
    });
    expect(found.verdict).toBe("pass");
  });
});

const FEW: ExploreOptions = { maxStates: 100 };

/** A jump over a step, or only to it. */
const jump = (label: string, over: boolean, line: number): Model => {
  const model = modelBuilder("jump");
  const flag = model.field("flag");
  const thread = model.thread("thread", "review");
  const source: StepSource = { line, side: "new" };
  thread.step({ text: "goto", to: label, source });
  if (!over) thread.label(label);
  thread.step({ text: "set", effect: [increment(flag)], source });
  if (over) thread.label(label);
  thread.step({ text: "look", checks: [{ holds: eq(flag, 0), property: "seen", message: "seen" }], source });
  return model.finish();
};

test.each(["label", "source", "alternatives"])("a label called %s is not where a step comes from", (label) => {
  expect(exploreOnce(jump(label, false, 1), FEW).verdict).toBe("fail");
  expect(exploreOnce(jump(label, true, 1), FEW).verdict).toBe("pass");
});

test("lines make no difference, and those of the model that was asked about are shown", () => {
  const before = exploreOnce(jump("label", false, 1), FEW);
  expect(exploreOnce(jump("label", false, 7), FEW)).toBe(before);
  for (const line of [1, 7]) expect(counterexampleOnce(jump("label", false, line), FEW)?.steps.map(({ source }) => source?.line)).toEqual([line, line, line]);
});
