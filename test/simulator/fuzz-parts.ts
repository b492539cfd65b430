// SPDX-License-Identifier: GPL-2.0-only
import fc from "fast-check";
import { expect, test } from "vitest";
import { lockProgram, twinProgram } from "./lock-programs.ts";
import { compareSearches, KINDS, newTally, TWIN_KINDS } from "./reduction-check.ts";

type Part = 1 | 2;

interface Kind {
  readonly title: string;
  /** Programs of one part. */
  readonly programs: number;
  readonly made: typeof lockProgram;
  readonly kinds: Parameters<typeof compareSearches>[1]["kinds"];
  readonly leastFailing: number;
}

/** One half of the programs of a kind: each half is a file of its own, so that they run side by side. */
function testPart(part: Part, { title, programs, made, kinds, leastFailing }: Kind): void {
  test(`${title}, part ${part} of 2`, { timeout: 300_000 }, () => {
    const first = (fc.readConfigureGlobal()?.seed ?? 0) + part * programs;
    const tally = newTally();
    for (let program = 0; program < programs; program++) {
      const disabled = program % 8 === 7 ? [1] : [];
      compareSearches(made(first + program), { maxStates: 1500, kinds, disabled }, tally);
    }
    expect(tally.programs).toBeGreaterThan(5000);
    expect(tally.failing).toBeGreaterThan(leastFailing);
    expect(tally.deadlocking).toBeGreaterThan(500);
    expect(tally.vacuous).toBeGreaterThan(500);
    expect(tally.states["all"] * 3).toBeLessThan(tally.states["full"]);
  });
}

export const testLocks = (part: Part): void =>
  testPart(part, { title: "reduced searches find what the full search finds", programs: 5500, made: lockProgram, kinds: KINDS, leastFailing: 1500 });

export const testTwins = (part: Part): void =>
  testPart(part, { title: "the same with two or three identical threads", programs: 6500, made: twinProgram, kinds: TWIN_KINDS, leastFailing: 1000 });
