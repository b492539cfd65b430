// SPDX-License-Identifier: GPL-2.0-only
import { expect, test } from "vitest";
import type { Value } from "../../server/program/code.ts";
import { questionOf } from "../../server/program/question.ts";
import { familyOf, subjectOf } from "../../server/scenarios/recall.ts";

const name = (text: string): Value => ({ kind: "name", name: text, at: 0 });
const number = (value: number): Value => ({ kind: "number", value, at: 0 });
const is = (left: Value, operator: string, right: Value): Value => ({ kind: "binary", operator, left, right, at: 0 });

/** Answers that go together, one letter for each condition as it is written. */
function together(conditions: readonly Value[], isCount = false): string[] {
  expect(new Set(conditions.map((one) => subjectOf(one).text)).size).toBe(1);
  const questions = conditions.map((one) => questionOf(one));
  return familyOf(questions, isCount).cases
    .map((row) => row.map((answer, index) => (answer === null ? "?" : answer !== questions[index]?.inverted ? "T" : "F")).join(""))
    .toSorted();
}

const n = name("n");

test("a number is in one place", () => {
  expect(together([is(n, "<", number(2)), is(n, "==", number(3))])).toEqual(["FF", "FT", "TF"]);
  expect(together([is(n, ">", number(0)), is(n, "<=", number(0))])).toEqual(["FT", "TF"]);
  expect(together([n, is(n, "==", number(1)), is(n, ">", number(1))])).toEqual(["FFF", "TFF", "TFT", "TTF"]);
});

test("a count is not below 0, and between 1 and 2 is nothing", () => {
  expect(together([n, is(n, "==", number(1)), is(n, ">", number(1))], true)).toEqual(["FFF", "TFT", "TTF"]);
  expect(together([is(n, ">", number(1)), is(n, "<", number(2))])).toEqual(["FT", "TF"]);
});

test("of two things one is the larger one, or they are equal", () => {
  const [a, b] = [name("a"), name("b")];
  expect(together([is(a, "<", b), is(a, ">", b), is(b, "==", a)])).toEqual(["FFT", "FTF", "TFF"]);
});

test("two constants are two numbers, of which nobody knows the order", () => {
  const [red, blue] = [name("RED"), name("BLUE")];
  expect(together([is(n, "==", red), is(n, "==", blue)])).toEqual(["FF", "FT", "TF"]);
  expect(together([is(n, "==", red), is(n, "<", blue)])).toEqual(["F?", "FF", "T?"]);
  expect(together([is(n, "==", red), n])).toEqual(["FF", "FT", "T?"]);
});

test("an error code is below 0", () => {
  const again: Value = { kind: "unary", operator: "-", of: name("EAGAIN"), at: 0 };
  expect(together([is(n, "==", again), is(n, "<", number(0)), n])).toEqual(["FFF", "FFT", "FTT", "TTT"]);
});
