// SPDX-License-Identifier: GPL-2.0-only
import { describe, expect, test } from "vitest";
import { failingPicture, fixedPicture, pairRows, type Picture, type PictureStep } from "../../server/report/picture.ts";
import { EVIDENCE, step } from "./sample-review.ts";

test("the last step is the bad one, remarks are apart from the statement", () => {
  const schedule = [step("f()", "x = a[i] [acquired]", 1), step("g()", "y = b[j]", null, "y: 0 -> 1")];
  expect(failingPicture({ ...EVIDENCE, schedule, held: [] }, "g()")?.steps).toEqual([
    { lane: 1, text: "x = a[i]", note: "acquired", state: "", line: 1, mark: "plain" },
    { lane: 0, text: "y = b[j]", note: "", state: "y: 0 -> 1", line: null, mark: "bad" },
  ]);
});

test("only a lock that is held to the end is what the blocked step waits for", () => {
  const held = [
    { thread: "KVM vCPU", kind: "lock" as const, name: "the started invalidation", from: 0, to: 1 },
    { thread: "move_one_pte()", kind: "lock" as const, name: "the started invalidation", from: 0, to: null },
    { thread: "nobody", kind: "lock" as const, name: "ptl", from: 0, to: null },
  ];
  const replay = { ...EVIDENCE.fixed!.replay, held };
  const picture = fixedPicture({ ...EVIDENCE, fixed: { ...EVIDENCE.fixed!, replay } }, null);
  expect(picture?.spans.map(({ lane, isAwaited }) => [lane, isAwaited])).toEqual([[1, false], [0, true]]);
});

test.each(["fail", "unknown", "vacuous"] as const)("a fix that is %s is not drawn", (verdict) => {
  expect(fixedPicture({ ...EVIDENCE, fixed: { ...EVIDENCE.fixed!, verdict } }, null)).toBeNull();
});

describe("two schedules side by side", () => {
  const picture = (...steps: readonly [lane: number, text: string, mark?: PictureStep["mark"]][]): Picture => ({
    heading: "", lanes: ["a", "b"], spans: [], end: { kind: "well", text: "" },
    steps: steps.map(([lane, text, mark = "plain"]) => ({ lane, text, note: "", state: "", line: null, mark })),
  });
  const shown = (left: Picture, right: Picture): string[] =>
    pairRows(left, right).map((row) => `${row.left === null ? "" : left.steps[row.left]?.text} | ${row.right === null ? "" : right.steps[row.right]?.text}`);

  test("an added step has a row of its own, the rest of the longer one follows", () => {
    const left = picture([0, "lock"], [0, "use"], [1, "free"], [0, "use again"]);
    expect(shown(left, picture([0, "lock"], [0, "extra", "added"], [0, "use"], [1, "free", "blocked"]))).toEqual([
      "lock | lock", " | extra", "use | use", "free | free", "use again | ",
    ]);
  });

  test("changed steps of one lane stand beside each other, those of different lanes do not", () => {
    const left = picture([0, "a"], [0, "old"], [1, "z"]);
    expect(shown(left, picture([0, "a"], [0, "new", "added"], [1, "z"]))).toEqual(["a | a", "old | new", "z | z"]);
    expect(shown(left, picture([0, "a"], [1, "new", "added"], [1, "z"]))).toEqual(["a | a", " | new", "old | ", "z | z"]);
  });

  test("a step that comes twice is paired in order, each step once", () => {
    const left = picture([0, "x"], [0, "y"], [0, "x"]);
    expect(shown(left, picture([0, "x"], [0, "x"], [0, "y"]))).toEqual(["x | x", "y | ", "x | x", " | y"]);
  });
});
