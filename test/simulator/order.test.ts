// SPDX-License-Identifier: GPL-2.0-only
import { expect, test } from "vitest";
import { modelBuilder } from "../../server/simulator/build.ts";
import { counterexample } from "../../server/simulator/counterexample.ts";
import { assign } from "../../server/simulator/effect.ts";
import { explore } from "../../server/simulator/explore.ts";
import { eq, FALSE } from "../../server/simulator/expression.ts";
import type { Model } from "../../server/simulator/model.ts";
import { inOrder, unknownSteps, type OrderedStep } from "../../server/simulator/order.ts";
import { crossedLocks } from "./small-models.ts";

const OPTIONS = { maxStates: 10_000, deadlock: true, livelock: 0 };

/** `thread: step` for each listed step. */
const listed = (...steps: readonly string[]): OrderedStep[] =>
  steps.map((one) => ({ thread: one.slice(0, one.indexOf(": ")), step: one.slice(one.indexOf(": ") + 2) }));

/** A thread that looks until another one has set the flag, and a third one that fails at any time. */
const looking = (fails: boolean): Model => {
  const model = modelBuilder("looking");
  const flag = model.field("flag");
  const reader = model.thread("reader", "review");
  reader.label("again");
  reader.step({ text: "look" });
  reader.step({ text: "test", alternatives: [{ guard: eq(flag, 0), to: "again" }, { guard: eq(flag, 1) }] });
  reader.step({ text: "done" });
  const writer = model.thread("writer", "environment");
  writer.step({ text: "set", effect: [assign(flag, 1)] });
  if (fails) model.thread("third", "environment").step({ text: "fail", checks: [{ holds: FALSE, property: "bad", message: "bad" }] });
  return model.finish();
};

const verdictOf = (model: Model, ...steps: readonly string[]) => explore(inOrder(model, listed(...steps)), OPTIONS).verdict;

test("an order that is impossible is no deadlock and no livelock", () => {
  const model = looking(false);
  expect(explore(model, OPTIONS).verdict).toBe("pass");
  expect(verdictOf(model, "reader: done", "writer: set")).toBe("pass");
});

test("a listed step that is taken again in a loop does not wait for ever", () => {
  expect(verdictOf(looking(false), "reader: look", "writer: set", "reader: done")).toBe("pass");
});

test("what goes wrong before the list is complete is not this order's failure", () => {
  const model = looking(true);
  expect(verdictOf(model, "reader: done", "writer: set")).toBe("pass");
  expect(verdictOf(model, "writer: set", "third: fail")).toBe("fail");
  const ordered = inOrder(model, listed("writer: set", "reader: done"));
  expect(counterexample(ordered, OPTIONS)?.steps.map(({ text }) => text)).toEqual(expect.arrayContaining(["set", "done", "fail"]));
  // Of what is not looked for, nothing ends.
  expect(explore(inOrder(model, listed("third: fail", "reader: done"), new Set(["other"])), { ...OPTIONS, properties: new Set(["other"]) }).verdict).toBe("pass");
});

test("a deadlock that the order leads to is found, and one that it does not lead to is not", () => {
  const model = crossedLocks();
  expect(verdictOf(model, "reviewed: spin_lock(a)", "other: spin_lock(b)")).toBe("fail");
  expect(verdictOf(model, "reviewed: spin_lock(a)", "reviewed: spin_lock(b)", "other: spin_lock(b)")).toBe("pass");
});

test("a list without steps changes nothing", () => {
  expect(verdictOf(looking(false))).toBe("pass");
  expect(verdictOf(looking(true))).toBe("fail");
});

test("a step is listed once", () => {
  const twice = listed("writer: set", "writer: set");
  expect(unknownSteps(looking(false), twice)).toEqual(listed("writer: set"));
  expect(() => inOrder(looking(false), twice)).toThrow("no such step: writer: set");
});
