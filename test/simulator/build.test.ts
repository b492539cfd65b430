// SPDX-License-Identifier: GPL-2.0-only
import { expect, test } from "vitest";
import { modelBuilder } from "../../server/simulator/build.ts";
import type { ModelBuilder, ThreadBuilder } from "../../server/simulator/build.ts";
import { together } from "../../server/simulator/combine.ts";
import { compile } from "../../server/simulator/compile.ts";
import { assign, increment } from "../../server/simulator/effect.ts";
import { eq, TRUE } from "../../server/simulator/expression.ts";
import type { Expression, Field } from "../../server/simulator/expression.ts";
import type { Model } from "../../server/simulator/model.ts";

test("a model has fields, threads, steps and labels in the order in which they were added", () => {
  const model = modelBuilder("order");
  const flag = model.field("flag", 1, { labels: { 1: "set" }, hidden: true });
  const first = model.thread("first", "review");
  const own = first.local("own", 2);
  first.label("top");
  expect(first.step({ text: "set", effect: [assign(flag, own)] })).toBe(0);
  expect(first.goto("top")).toBe(1);
  first.label("bottom");
  const second = model.thread("second", "daemon");
  second.step({ text: "two ways", source: { line: 7, side: "new" }, alternatives: [{ guard: eq(flag, 0) }, { to: "END" }] });
  model.reach(second, 0, "the daemon runs");
  expect(model.finish()).toMatchObject({
    name: "order",
    globals: [{ name: "flag", length: 1, initial: [1], labels: { 1: "set" }, hidden: true }],
    threads: [
      { name: "first", role: "review", labels: { top: 0, bottom: 2 }, steps: [{ text: "set", source: null }, { hidden: true }] },
      { name: "second", role: "daemon", steps: [{ source: { line: 7, side: "new" }, alternatives: [{}, { to: "END" }] }] },
    ],
    reach: [{ thread: 1, step: 0, what: "the daemon runs" }],
  });
});

const stranger: Field = { name: "stranger", length: 1, initial: [0], labels: {}, hidden: false };

const illFormed: readonly [string, RegExp, (model: ModelBuilder, thread: ThreadBuilder) => void][] = [
  ["unknown label", /unknown label nowhere/, (_, thread) => void thread.goto("nowhere")],
  ["label of the prototype", /unknown label toString/, (_, thread) => void thread.goto("toString")],
  ["unknown field", /stranger is no field/, (_, thread) => void thread.step({ text: "x", guard: eq(stranger, 0) })],
  ["unknown target", /stranger is no field/, (_, thread) => void thread.step({ text: "x", effect: [increment(stranger)] })],
  ["value too large", /outside 0\.\.255/, (model) => void model.field("large", 256)],
  ["constant too small", /outside 0\.\.255/, (model, thread) => void thread.step({ text: "x", guard: eq(model.field("f"), -1) })],
  ["array as a scalar", /without an index/, (model, thread) => void thread.step({ text: "x", guard: eq(model.array("f", [0, 1]), 1) })],
  ["empty array", /wrong length/, (model) => void model.array("f", [])],
  ["no way to take a step", /no alternative/, (_, thread) => void thread.step({ text: "x", alternatives: [] })],
  ["same name twice", /two threads are called t/, (model) => void model.thread("t", "daemon")],
  ["reach of nothing", /no such step/, (model, thread) => model.reach(thread, 5, "nothing")],
  ["label twice", /is taken/, (_, thread) => { thread.label("a"); thread.label("a"); }],
  ["local of another thread", /own is no field/, (model, thread) => {
    const own = model.thread("other", "daemon").local("own");
    thread.step({ text: "x", guard: eq(own, 0) });
  }],
];

test.each(illFormed)("%s is refused", (_, message, build) => {
  const make = (): void => {
    const model = modelBuilder("bad");
    build(model, model.thread("t", "review"));
    model.finish();
  };
  expect(make).toThrow(message);
});

test("parts combine to every pair of alternatives, the last jump wins", () => {
  const model = modelBuilder("parts");
  const a = model.field("a");
  const part = together(
    { alternatives: [{ guard: eq(a, 0), note: "one" }, { guard: eq(a, 1), to: "left" }], acquires: [{ lock: a, name: "a" }] },
    { alternatives: [{ effect: [increment(a)], note: "two" }, { to: "right", assumed: "why not" }] },
  );
  expect(part.alternatives.map(({ to, note, assumed }) => [to, note, assumed])).toEqual([
    [undefined, "one; two", undefined], ["right", "one", "why not"], ["left", "two", undefined], ["right", undefined, "why not"],
  ]);
  expect(part.acquires).toEqual([{ lock: a, name: "a" }]);
});

const nest = (depth: number): Expression => {
  let nested: Expression = TRUE;
  for (let level = 0; level < depth; level++) nested = { kind: "binary", operator: "and", left: TRUE, right: nested };
  return nested;
};

const withGuard = (guard: Expression): Model => {
  const model = modelBuilder("deep");
  model.thread("t", "review").step({ text: "x", guard });
  return model.finish();
};

test("an expression that is too deep for the machine is refused, not miscounted", () => {
  expect(() => compile(withGuard(nest(900)))).not.toThrow();
  expect(() => compile(withGuard(nest(2000)))).toThrow("too deeply");
});
