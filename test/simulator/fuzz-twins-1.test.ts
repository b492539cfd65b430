// SPDX-License-Identifier: GPL-2.0-only
import fc from "fast-check";
import { expect, test } from "vitest";
import { twinProgram } from "./lock-programs.ts";
import { compareSearches, newTally, TWIN_KINDS } from "./reduction-check.ts";

const PROGRAMS = 6500;
const PART = 1;

test("the same with two or three identical threads, part 1 of 2", { timeout: 300_000 }, () => {
  const first = (fc.readConfigureGlobal()?.seed ?? 0) + PART * PROGRAMS;
  const tally = newTally();
  for (let program = 0; program < PROGRAMS; program++) {
    const disabled = program % 8 === 7 ? [1] : [];
    compareSearches(twinProgram(first + program), { maxStates: 1500, kinds: TWIN_KINDS, disabled }, tally);
  }
  expect(tally.programs).toBeGreaterThan(5000);
  expect(tally.failing).toBeGreaterThan(1000);
  expect(tally.deadlocking).toBeGreaterThan(500);
  expect(tally.vacuous).toBeGreaterThan(500);
  expect(tally.states["all"] * 3).toBeLessThan(tally.states["full"]);
});
