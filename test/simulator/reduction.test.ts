// SPDX-License-Identifier: GPL-2.0-only
import { describe, expect, test } from "vitest";
import { modelBuilder } from "../../server/simulator/build.ts";
import type { ModelBuilder } from "../../server/simulator/build.ts";
import { counterexample } from "../../server/simulator/counterexample.ts";
import { assign, increment } from "../../server/simulator/effect.ts";
import { explore } from "../../server/simulator/explore.ts";
import { eq, lt, ne } from "../../server/simulator/expression.ts";
import type { Model } from "../../server/simulator/model.ts";
import { rcuReadLock } from "../../server/simulator/objects/rcu.ts";
import { downRead, downWrite, rwsem, upWrite } from "../../server/simulator/objects/rwsem.ts";
import { survey } from "../../server/simulator/survey.ts";
import type { SearchKind } from "../../server/simulator/verdict-search.ts";
import { SMALL_MODEL } from "../../server/simulator/verdict-search.ts";
import { pinModel } from "./pin-model.ts";
import { pmdModel } from "./pmd-model.ts";
import { counters, crossedLocks, retryLoop } from "./small-models.ts";

const MAX = { maxStates: 300_000 };
const PERSISTENT: SearchKind = { persistent: true, symmetry: false, fusion: false, deadLocals: false };

/** Full counts as Spin and TLC have them. */
const proved: readonly { readonly name: string; readonly model: Model; readonly full: number; readonly factor: number }[] = [
  { name: "page table walk and three more faulters", model: pmdModel("vma-lock", 3), full: 259_030, factor: 500 },
  { name: "page table walk and four more faulters", model: pmdModel("vma-lock", 4), full: 2_163_334, factor: 1000 },
  { name: "page table walk under RCU", model: pmdModel("rcu"), full: 1179, factor: 10 },
  { name: "pin with unsharing and three holders", model: pinModel(true, 3), full: 153_366, factor: 50 },
  { name: "counters under a lock", model: counters(4, 8), full: 224_000, factor: 500 },
];

test.each(proved)("$name passes with a small part of the states", ({ model, full, factor }) => {
  const result = explore(model, { ...MAX, deadlock: true, search: "reduced" });
  expect(result).toMatchObject({ verdict: "pass", counted: "reduced", unreached: [] });
  expect(result.states * factor).toBeLessThanOrEqual(full);
});

describe("which search decides", () => {
  test("a small model is explored in full, so that its counts are exact", () => {
    expect(explore(pmdModel("vma-lock"), MAX)).toMatchObject({ verdict: "pass", counted: "all", states: 604 });
  });

  test("a large one is reduced, also where the full graph would fit the budget", () => {
    const result = explore(pmdModel("vma-lock", 2), MAX);
    expect(result).toMatchObject({ verdict: "pass", counted: "reduced" });
    expect(result.states).toBeLessThan(SMALL_MODEL);
  });

  test("the budget counts the states that are stored", () => {
    const model = pmdModel("vma-lock", 3);
    const { states } = explore(model, { ...MAX, search: "reduced" });
    expect(explore(model, { maxStates: states }).verdict).toBe("pass");
    expect(explore(model, { maxStates: states - 1 })).toMatchObject({ verdict: "unknown", states: states - 1 });
  });

  test("a cycle is looked for in the full graph", () => {
    expect(explore(retryLoop(true), { ...MAX, livelock: 0, search: "reduced" })).toMatchObject({ verdict: "fail", counted: "all" });
  });

  test("a cancelled search is not taken up again", () => {
    expect(explore(pmdModel("vma-lock", 3), { ...MAX, cancel: new Int32Array([1]) })).toMatchObject({ verdict: "unknown", states: 1 });
  });
});

describe("counterexamples of reduced searches", () => {
  test.each([1, 4])("are the readable ones (%i faulters)", (faulters) => {
    const trace = counterexample(pmdModel("none", faulters), { ...MAX, search: "reduced" });
    expect(trace).toMatchObject({ switches: 3, minimal: true, violation: { property: "uaf" } });
    expect(trace?.steps).toHaveLength(19);
    expect(trace?.dropped).toHaveLength(faulters);
  });

  test("of a deadlock", () => {
    const trace = counterexample(crossedLocks(), { ...MAX, deadlock: true, search: "reduced" });
    expect(trace?.steps.map(({ text }) => text)).toEqual(["spin_lock(a)", "spin_lock(b)"]);
  });

  test("two runs are equal", () => {
    for (const model of [pmdModel("none", 4), pinModel(false, 3)]) {
      expect(explore(model, { ...MAX, search: "reduced" })).toEqual(explore(model, { ...MAX, search: "reduced" }));
    }
  });
});

/** Writes under the lock and sees whether the value is still there. */
const addOwner = (model: ModelBuilder, name: string, value: number, lock: ReturnType<typeof rwsem>, shared: ReturnType<typeof rwsem>): void => {
  const thread = model.thread(name, "review");
  thread.step({ text: "down_write", ...downWrite(lock) });
  thread.step({ text: "write", effect: [assign(shared, value)] });
  thread.step({ text: "look", checks: [{ holds: eq(shared, value), property: "overwritten", message: "overwritten" }] });
  thread.step({ text: "up_write", ...upWrite(lock) });
};

const owners = (spoil: (model: ModelBuilder, lock: ReturnType<typeof rwsem>) => void): Model => {
  const model = modelBuilder("owners");
  const lock = rwsem(model, "lock");
  const shared = model.field("shared");
  addOwner(model, "first", 1, lock, shared);
  addOwner(model, "second", 2, lock, shared);
  spoil(model, lock);
  return model.finish();
};

describe("a lock excludes only as far as everybody keeps to it", () => {
  const properties = new Set(["overwritten"]);
  const verdicts = (model: Model): string[] =>
    (["full", PERSISTENT, "reduced"] as const).map((search) => explore(model, { ...MAX, properties, search }).verdict);

  test("it excludes", () => {
    const model = owners((model) => {
      const elsewhere = model.field("elsewhere");
      const bystander = model.thread("bystander", "environment");
      for (const value of [1, 2, 3]) bystander.step({ text: "work", effect: [assign(elsewhere, value)] });
    });
    expect(verdicts(model)).toEqual(["pass", "pass", "pass"]);
    expect(explore(model, { ...MAX, search: PERSISTENT }).states * 2).toBeLessThan(explore(model, MAX).states);
  });

  test("unless somebody enters without looking", () => {
    const spoilt = owners((model, lock) => void model.thread("other", "environment").step({ text: "enter", ...rcuReadLock(lock) }));
    expect(verdicts(spoilt)).toEqual(["fail", "fail", "fail"]);
  });

  test("unless somebody gives it up who does not hold it", () => {
    const spoilt = owners((model, lock) => void model.thread("other", "environment").step({ text: "up_write", ...upWrite(lock) }));
    expect(verdicts(spoilt)).toEqual(["fail", "fail", "fail"]);
  });

  test("unless somebody gives up what he holds on one path only", () => {
    const spoilt = owners((model, lock) => {
      const thread = model.thread("other", "environment");
      thread.step({ text: "maybe", alternatives: [{}, { to: "without" }] });
      thread.step({ text: "down_write", ...downWrite(lock) });
      thread.label("without");
      thread.step({ text: "up_write", ...upWrite(lock) });
    });
    expect(verdicts(spoilt)).toEqual(["fail", "fail", "fail"]);
  });

  test("a count that does not start at nothing is no count of readers", () => {
    const model = modelBuilder("phantom reader");
    const lock = model.field("lock", 1);
    model.thread("first", "review").step({ text: "look", checks: [{ holds: ne(lock, 2), property: "overwritten", message: "two" }] });
    model.thread("second", "environment").step({ text: "down_read", ...downRead(lock) });
    expect(verdicts(model.finish())).toEqual(["fail", "fail", "fail"]);
  });

  test("who enters again and again is not counted", () => {
    const model = modelBuilder("round and round");
    const lock = rwsem(model, "lock");
    const thread = model.thread("first", "review");
    thread.label("top");
    thread.step({ text: "enter", ...rcuReadLock(lock), to: "top", alternatives: [{ effect: [increment(lock)], to: "top" }] });
    model.thread("second", "environment").step({ text: "look", checks: [{ holds: ne(lock, 200), property: "overwritten", message: "200" }] });
    expect(verdicts(model.finish())).toEqual(["fail", "fail", "fail"]);
  });
});

describe("nothing is put off for ever", () => {
  test("by a loop that nobody else sees", () => {
    const model = modelBuilder("spinner");
    const spinner = model.thread("spinner", "daemon");
    spinner.label("top");
    spinner.step({ text: "spin" });
    spinner.goto("top");
    model.thread("other", "review").step({ text: "look", checks: [{ holds: eq(0, 1), property: "seen", message: "seen" }] });
    const finished = model.finish();
    for (const search of ["reduced", PERSISTENT] as const) expect(explore(finished, { ...MAX, search }).verdict).toBe("fail");
  });

  test("by a thread that counts for ever", () => {
    const model = modelBuilder("clock");
    const time = model.field("time");
    const clock = model.thread("clock", "daemon");
    clock.label("top");
    clock.step({ text: "tick", effect: [increment(time)], to: "top" });
    const other = model.thread("other", "review");
    model.reach(other, other.step({ text: "work" }), "the work is done");
    expect(explore(model.finish(), { ...MAX, search: "reduced" })).toMatchObject({ verdict: "pass", unreached: [] });
  });
});

test("what one of several identical threads can reach, all can", () => {
  const model = modelBuilder("twins");
  const first = model.field("first come");
  for (const name of ["a", "b", "c"]) {
    const thread = model.thread(name, "environment");
    thread.step({ text: "race", alternatives: [{ guard: eq(first, 0), effect: [assign(first, 1)] }, { guard: ne(first, 0), to: "END" }] });
    model.reach(thread, thread.step({ text: "win" }), `${name} wins`);
  }
  const finished = model.finish();
  expect(explore(finished, { ...MAX, search: "reduced" })).toMatchObject({ verdict: "pass", unreached: [] });
  expect(survey(finished, { ...MAX, search: "reduced" }).taken).toEqual(survey(finished, { ...MAX, search: "full" }).taken);
});

test("threads that start with other values are not identical", () => {
  const model = modelBuilder("not twins");
  for (const start of [0, 1]) {
    const thread = model.thread(`starts with ${start}`, "environment");
    const own = thread.local("own", start);
    thread.step({ text: "if", alternatives: [{ guard: eq(own, 1) }, { guard: eq(own, 0), to: "END" }] });
    model.reach(thread, thread.step({ text: "then" }), `with ${start}`);
  }
  const finished = model.finish();
  for (const search of ["full", "reduced"] as const) {
    expect(explore(finished, { ...MAX, search })).toMatchObject({ verdict: "vacuous", unreached: ["with 0"] });
  }
});

test("a survey goes past the first failure, and ends the path there", () => {
  const model = modelBuilder("many");
  const count = model.field("count");
  const thread = model.thread("first", "review");
  const fails = (property: string, limit: number) => [{ holds: lt(count, limit), property, message: property }];
  thread.step({ text: "one", checks: fails("red", 1), effect: [increment(count)] });
  thread.step({ text: "two", checks: fails("blue", 1) });
  thread.step({ text: "never", checks: fails("green", 0) });
  model.thread("other", "environment").step({ text: "count", effect: [increment(count)] });
  const { failures, schedules, deadlock } = survey(model.finish(), { ...MAX, search: "full" });
  expect(failures.map(({ thread: of, step }) => [of, step])).toEqual([[0, 0], [0, 1]]);
  expect(schedules.map(({ ends }) => ends).toSorted()).toEqual(["blue", "red"]);
  expect(deadlock).toBe(false);
});
