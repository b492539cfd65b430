// SPDX-License-Identifier: GPL-2.0-only
import { expect, test } from "vitest";
import { modelBuilder } from "../../server/simulator/build.ts";
import { increment } from "../../server/simulator/effect.ts";
import { eq } from "../../server/simulator/expression.ts";
import type { Model, StepSource } from "../../server/simulator/model.ts";
import { counterexampleOnce, exploreOnce } from "../../server/simulator/remembered.ts";

const OPTIONS = { maxStates: 100 };

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
  expect(exploreOnce(jump(label, false, 1), OPTIONS).verdict).toBe("fail");
  expect(exploreOnce(jump(label, true, 1), OPTIONS).verdict).toBe("pass");
});

test("lines make no difference, and those of the model that was asked about are shown", () => {
  const before = exploreOnce(jump("label", false, 1), OPTIONS);
  expect(exploreOnce(jump("label", false, 7), OPTIONS)).toBe(before);
  for (const line of [1, 7]) expect(counterexampleOnce(jump("label", false, line), OPTIONS)?.steps.map(({ source }) => source?.line)).toEqual([line, line, line]);
});
