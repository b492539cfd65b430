// SPDX-License-Identifier: GPL-2.0-only
import fc from "fast-check";
import { expect, test } from "vitest";
import { lockProgram } from "./lock-programs.ts";
import { compareSearches, KINDS, newTally } from "./reduction-check.ts";

const PROGRAMS = 5500;
const PART = 2;

test("reduced searches find what the full search finds, part 2 of 2", { timeout: 300_000 }, () => {
  const first = (fc.readConfigureGlobal()?.seed ?? 0) + PART * PROGRAMS;
  const tally = newTally();
  for (let program = 0; program < PROGRAMS; program++) {
    const disabled = program % 8 === 7 ? [1] : [];
    compareSearches(lockProgram(first + program), { maxStates: 1500, kinds: KINDS, disabled }, tally);
  }
  expect(tally.programs).toBeGreaterThan(5000);
  expect(tally.failing).toBeGreaterThan(1500);
  expect(tally.deadlocking).toBeGreaterThan(500);
  expect(tally.vacuous).toBeGreaterThan(500);
  expect(tally.states["all"] * 3).toBeLessThan(tally.states["full"]);
});
