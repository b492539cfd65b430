// SPDX-License-Identifier: GPL-2.0-only
import { describe, expect, test } from "vitest";
import { modelBuilder } from "../../server/simulator/build.ts";
import type { ModelBuilder } from "../../server/simulator/build.ts";
import { assign, increment } from "../../server/simulator/effect.ts";
import { explore } from "../../server/simulator/explore.ts";
import type { ExploreOptions } from "../../server/simulator/explore.ts";
import { eq, lt } from "../../server/simulator/expression.ts";
import type { Field } from "../../server/simulator/expression.ts";
import type { Assignment, Model } from "../../server/simulator/model.ts";
import { pinModel } from "./pin-model.ts";
import { pmdModel } from "./pmd-model.ts";
import { counters, crossedLocks, retryLoop } from "./small-models.ts";

/** In full, so that all counts are exact. */
const MAX = { maxStates: 300_000, search: "full" } as const;

/** Figures that Spin and TLC agree with on the same models. */
const proved: readonly { name: string; model: Model; states: number; transitions?: number }[] = [
  { name: "page table walk under the vma lock", model: pmdModel("vma-lock"), states: 604, transitions: 1384 },
  { name: "page table walk under i_mmap_rwsem", model: pmdModel("i-mmap"), states: 594 },
  { name: "page table walk under RCU", model: pmdModel("rcu"), states: 1179 },
  { name: "the same with two more faulters", model: pmdModel("vma-lock", 2), states: 32_038 },
  { name: "pin with unsharing", model: pinModel(true), states: 430 },
  { name: "four threads of eight increments under a lock", model: counters(4, 8), states: 224_000, transitions: 844_800 },
];

test.each(proved)("$name passes with the known counts", ({ model, states, transitions }) => {
  const result = explore(model, { ...MAX, deadlock: true });
  expect(result).toMatchObject({ verdict: "pass", states, violation: null, unreached: [] });
  if (transitions !== undefined) expect(result.transitions).toBe(transitions);
});

const failing: readonly { name: string; model: Model; options: Partial<ExploreOptions>; property: string; step: string }[] = [
  { name: "unprotected walk", model: pmdModel("none"), options: {}, property: "uaf", step: "pte = pmd_offset(pud, addr)" },
  { name: "pin of a shared page", model: pinModel(false), options: {}, property: "lost-dma", step: "read the buffer" },
  { name: "crossed locks", model: crossedLocks(), options: { deadlock: true }, property: "deadlock", step: "spin_lock(b)" },
  { name: "retry that nothing ends", model: retryLoop(true), options: { livelock: 0 }, property: "livelock", step: "retry" },
];

test.each(failing)("$name fails", ({ model, options, property, step }) => {
  const { verdict, violation } = explore(model, { ...MAX, ...options });
  expect(verdict).toBe("fail");
  expect(violation?.property).toBe(property);
  const thread = model.threads[violation?.thread ?? -1];
  expect(thread?.steps[violation?.step ?? -1]?.text).toBe(step);
});

describe("what counts is what was asked for", () => {
  test("checks of other properties do not exist", () => {
    const result = explore(pmdModel("none"), { ...MAX, properties: new Set(["deadlock"]) });
    expect(result.verdict).toBe("pass");
  });

  test("deadlock and livelock are looked for on demand only", () => {
    expect(explore(crossedLocks(), MAX).verdict).toBe("pass");
    expect(explore(retryLoop(true), MAX).verdict).toBe("pass");
  });

  test("a retry that another thread can end is no livelock", () => {
    expect(explore(retryLoop(false), { ...MAX, livelock: 0 }).verdict).toBe("pass");
  });

  test("a deadlock is no livelock and the other way round", () => {
    expect(explore(crossedLocks(), { ...MAX, livelock: 0 }).verdict).toBe("pass");
    expect(explore(retryLoop(true), { ...MAX, deadlock: true }).verdict).toBe("pass");
  });

  test("environment threads may stay blocked for ever", () => {
    const model = modelBuilder("parked");
    const flag = model.field("flag");
    model.thread("reviewed", "review").step({ text: "work" });
    model.thread("waiting", "environment").step({ text: "wait", guard: eq(flag, 1) });
    expect(explore(model.finish(), { ...MAX, deadlock: true }).verdict).toBe("pass");
  });

  test("disabled threads never run", () => {
    const model = pmdModel("none");
    expect(explore(model, { ...MAX, disabled: [1] }).verdict).toBe("vacuous");
    expect(explore(model, { ...MAX, disabled: [0, 1, 2] })).toMatchObject({ verdict: "vacuous", states: 1, transitions: 0 });
  });
});

test("a pass that does not reach what it must reach is vacuous", () => {
  const model = modelBuilder("vacuous");
  const flag = model.field("flag");
  const thread = model.thread("reviewed", "review");
  thread.step({ text: "skip", to: "END" });
  model.reach(thread, thread.step({ text: "work", guard: eq(flag, 1) }), "the work is done");
  expect(explore(model.finish(), MAX)).toMatchObject({ verdict: "vacuous", unreached: ["the work is done"] });
});

describe("budget", () => {
  test("a model with more states than allowed is unknown, one that just fits is not", () => {
    const model = pmdModel("vma-lock");
    expect(explore(model, { ...MAX, maxStates: 603 })).toMatchObject({ verdict: "unknown", states: 603, violation: null });
    expect(explore(model, { ...MAX, maxStates: 604 }).verdict).toBe("pass");
  });

  test("a raised flag cancels", () => {
    expect(explore(pmdModel("vma-lock"), { ...MAX, cancel: new Int32Array([1]) }).verdict).toBe("unknown");
    expect(explore(pmdModel("vma-lock"), { ...MAX, cancel: new Int32Array([0]) }).verdict).toBe("pass");
  });
});

test("two runs are equal", () => {
  for (const model of [pmdModel("none"), pmdModel("rcu"), pinModel(false)]) {
    expect(explore(model, MAX)).toEqual(explore(model, MAX));
  }
});

interface Effect {
  readonly effect: readonly Assignment[];
  readonly field: Field;
}

/** Runs the effect once; passes where the field then has the value. */
const finalValue = (build: (model: ModelBuilder) => Effect, expected: number): string => {
  const model = modelBuilder("effect");
  const { effect, field } = build(model);
  const thread = model.thread("reviewed", "review");
  thread.step({ text: "do", effect });
  thread.step({ text: "look", checks: [{ holds: eq(field, expected), property: "wrong", message: "wrong value" }] });
  return explore(model.finish(), MAX).verdict;
};

describe("semantics", () => {
  test("assignments run in order, each sees the earlier ones", () => {
    expect(
      finalValue((model) => {
        const a = model.field("a", 1);
        const b = model.field("b", 2);
        return { effect: [assign(a, b), assign(b, a)], field: b };
      }, 2),
    ).toBe("pass");
  });

  test("values wrap at 256", () => {
    expect(
      finalValue((model) => {
        const a = model.field("a", 255);
        return { effect: [increment(a)], field: a };
      }, 0),
    ).toBe("pass");
  });

  test("a thread may have more than 255 steps", () => {
    const model = modelBuilder("long");
    const thread = model.thread("reviewed", "review");
    for (let step = 0; step < 1000; step++) thread.step({ text: `step ${step}` });
    expect(explore(model.finish(), MAX)).toMatchObject({ verdict: "pass", states: 1001, transitions: 1000 });
  });

  test("a loop closes on known states", () => {
    const model = modelBuilder("loop");
    const count = model.field("count");
    const thread = model.thread("reviewed", "review");
    thread.label("again");
    thread.step({ text: "count", guard: lt(count, 9), effect: [increment(count)], to: "again" });
    expect(explore(model.finish(), MAX)).toMatchObject({ states: 10, transitions: 9 });
  });
});
