// SPDX-License-Identifier: GPL-2.0-only
import { describe, expect, test } from "vitest";
import { modelBuilder } from "../../server/simulator/build.ts";
import type { ActionPlace } from "../../server/simulator/compile.ts";
import { counterexample } from "../../server/simulator/counterexample.ts";
import { assign } from "../../server/simulator/effect.ts";
import { explore } from "../../server/simulator/explore.ts";
import { eq } from "../../server/simulator/expression.ts";
import type { Model } from "../../server/simulator/model.ts";
import { replay } from "../../server/simulator/replay.ts";
import type { Trace } from "../../server/simulator/trace.ts";
import { pinModel } from "./pin-model.ts";
import { pmdModel } from "./pmd-model.ts";
import { remapModel } from "./remap-model.ts";
import { crossedLocks, pingPong, retryLoop } from "./small-models.ts";

const MAX = { maxStates: 300_000 };

/** The schedule as one row a step. */
const rows = (model: Model, trace: Trace | null): string[] =>
  (trace?.steps ?? []).map(({ thread, text }) => `${model.threads[thread].name}: ${text}`);

describe("page table walk", () => {
  test.each([0, 1, 3])("fails after 19 steps and 3 switches, the reviewed thread first (%i faulters)", (faulters) => {
    const model = pmdModel("none", faulters);
    const trace = counterexample(model, MAX);
    expect(trace).toMatchObject({ switches: 3, minimal: true, cycleStart: null, violation: { property: "uaf" } });
    expect(trace?.steps).toHaveLength(19);
    expect(trace?.dropped).toEqual(model.threads.slice(3).map(({ name }) => name));
    expect(rows(model, trace).slice(0, 4)).toEqual([
      "walker: mmap_read_lock(A)",
      "walker: pud = READ_ONCE(*pudp)",
      "walker: if (pud_present(pud))",
      "unsharer: mmap_read_lock(A)",
    ]);
    expect(rows(model, trace).at(-1)).toBe("walker: pte = pmd_offset(pud, addr)");
  });

  test("says what each step changes, with labels and without bookkeeping", () => {
    const trace = counterexample(pmdModel("none"), MAX);
    const changes = trace?.steps.map((step) => step.changes.map(({ field, from, to }) => `${field}: ${from} -> ${to}`));
    expect(changes?.[1]).toEqual([]);
    expect(changes?.[8]).toEqual(["pud_A: table -> none"]);
    expect(changes?.[17]).toEqual(["table refs: 1 -> 0", "table: live -> freed"]);
    expect(trace?.steps[17].note).toBe("last reference");
  });

  test("has none where the walk is protected", () => {
    expect(counterexample(pmdModel("vma-lock"), MAX)).toBeNull();
  });

  test("is found quickly when warm", () => {
    const model = pmdModel("none");
    const times = Array.from({ length: 40 }, () => {
      const start = performance.now();
      explore(model, MAX);
      const found = performance.now();
      counterexample(model, MAX);
      return [found - start, performance.now() - found];
    }).slice(20);
    const best = [0, 1].map((which) => Math.min(...times.map((pair) => pair[which])).toFixed(2));
    console.info(`first violation ${best[0]} ms, readable counterexample ${best[1]} ms`);
  });
});

test("a pin is lost after 18 steps and 4 switches", () => {
  const model = pinModel(false, 1);
  const trace = counterexample(model, MAX);
  expect(trace).toMatchObject({ switches: 4, violation: { property: "lost-dma" }, dropped: ["child exits", "holder 0"] });
  expect(trace?.steps).toHaveLength(18);
});

describe("refused invalidation", () => {
  const properties = new Set(["stale-secondary-mapping", "sleep-in-atomic"]);

  test("a dropped refusal leaves the guest with a stale mapping", () => {
    const model = remapModel("nonblock under the map");
    const trace = counterexample(model, { ...MAX, properties, disabled: [2] });
    expect(rows(model, trace)).toEqual([
      "remap(): pte_offset_map()",
      "remap(): mmu_notifier_invalidate_range_start_nonblock()",
      "remap(): spin_lock(ptl)",
      "remap(): ptep_clear_flush()",
      "vCPU: enter the guest",
      "vCPU: store through spte",
    ]);
    expect(trace?.steps[1].note).toBe("a subscriber refuses: -EAGAIN");
    expect(trace).toMatchObject({ switches: 1, dropped: [], violation: { property: "stale-secondary-mapping" } });
  });

  test("and the device as well, which takes one step less", () => {
    const trace = counterexample(remapModel("nonblock under the map"), { ...MAX, properties });
    expect(trace).toMatchObject({ switches: 1, dropped: ["vCPU"], violation: { property: "stale-secondary-mapping" } });
    expect(trace?.steps.at(-1)?.text).toBe("the device writes");
  });

  test("blocking in place sleeps in atomic context", () => {
    const trace = counterexample(remapModel("blocking under the map"), { ...MAX, properties });
    expect(trace).toMatchObject({ switches: 0, violation: { property: "sleep-in-atomic" } });
    expect(trace?.steps).toHaveLength(2);
  });

  test("blocking before the map passes, also with the balance of start and end", () => {
    const all = new Set([...properties, "notifier-imbalance", "unlock-not-held"]);
    const result = explore(remapModel("blocking before the map"), { ...MAX, deadlock: true, livelock: 0, properties: all });
    expect(result).toMatchObject({ verdict: "pass", unreached: [] });
  });
});

test("a deadlock ends where nothing moves", () => {
  const model = crossedLocks();
  const trace = counterexample(model, { ...MAX, deadlock: true });
  expect(rows(model, trace)).toEqual(["reviewed: spin_lock(a)", "other: spin_lock(b)"]);
  expect(trace?.violation).toEqual({
    property: "deadlock", message: "nothing can move: reviewed waits for ever at spin_lock(b), other waits at spin_lock(a)",
  });
});

test("a livelock shows the way into the trap and one round of it", () => {
  const model = retryLoop(true);
  const trace = counterexample(model, { ...MAX, livelock: 0 });
  expect(trace?.violation.property).toBe("livelock");
  expect(rows(model, trace)).toEqual([
    "other: spin_lock(lock)",
    "reviewed: retry",
    "reviewed: if (!spin_trylock(lock)) goto retry",
  ]);
  expect(trace?.cycleStart).toBe(1);
});

describe("threads that are dropped", () => {
  test("a thread is kept where the violation needs it", () => {
    const model = modelBuilder("setter");
    const flag = model.field("flag");
    model.thread("reviewed", "review").step({
      text: "look", checks: [{ holds: eq(flag, 0), property: "seen", message: "the flag is set" }],
    });
    model.thread("idle", "environment").step({ text: "nothing" });
    model.thread("setter", "environment").step({ text: "set", effect: [assign(flag, 1)], assumed: "it may run at any time" });
    const trace = counterexample(model.finish(), MAX);
    expect(trace?.dropped).toEqual(["idle"]);
    expect(trace?.steps.map(({ text, assumed }) => [text, assumed])).toEqual([["set", "it may run at any time"], ["look", undefined]]);
  });
});

describe("budget", () => {
  test("the shortest schedule is shown where the one with the fewest switches costs too much", () => {
    const model = pingPong();
    expect(counterexample(model, MAX)).toMatchObject({ switches: 3, minimal: true });
    expect(counterexample(model, { maxStates: 40 })).toMatchObject({ switches: 3, minimal: false });
  });

  test("no schedule without a violation within the budget", () => {
    expect(counterexample(pmdModel("none"), { maxStates: 10 })).toBeNull();
  });
});

test("two runs are equal", () => {
  for (const model of [pmdModel("none", 1), pinModel(false), remapModel("nonblock under the map")]) {
    expect(counterexample(model, MAX)).toEqual(counterexample(model, MAX));
  }
});

const at = (thread: number, step: number): ActionPlace => ({ thread, step, alternative: 0 });

describe("replay refuses what is not so", () => {
  const model = crossedLocks();
  const claim = { property: "deadlock", cycleStart: null, disabled: new Set<number>() };

  test.each([
    ["blocked", [at(0, 0), at(1, 0), at(0, 1)]],
    ["not at", [at(0, 1)]],
    ["can still move", [at(0, 0)]],
    ["no such alternative", [{ thread: 0, step: 0, alternative: 7 }]],
    ["has ended", [at(0, 0), at(0, 1), at(0, 2), at(0, 3), at(0, 4)]],
  ])("%s", (why, schedule) => {
    expect(() => replay(model, { ...claim, schedule, end: "deadlock" })).toThrow(why);
  });

  test("another end", () => {
    expect(() => replay(model, { ...claim, schedule: [at(0, 0)], end: "check", property: "uaf" })).toThrow("does not end");
    expect(() => replay(model, { ...claim, schedule: [at(0, 0)], end: "livelock", cycleStart: 0 })).toThrow("does not close");
  });
});
