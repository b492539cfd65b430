// SPDX-License-Identifier: GPL-2.0-only
import { expect, test } from "vitest";
import { counterexample } from "../../server/simulator/counterexample.ts";
import { explore } from "../../server/simulator/explore.ts";
import { pmdModel } from "./pmd-model.ts";
import type { Protection } from "./pmd-model.ts";

const proved: readonly [Protection, number, number, number | null][] = [
  ["vma-lock", 0, 604, 1384],
  ["i-mmap", 0, 594, null],
  ["rcu", 0, 1179, null],
  ["vma-lock", 2, 32038, null],
];

test.each(proved)("protection %s with %i more faulters passes after %i states", (protection, faulters, states, transitions) => {
  const result = explore(pmdModel(protection, faulters), { maxStates: 300_000, deadlock: true });
  expect(result).toMatchObject({ verdict: "pass", states, violation: null, unreached: [] });
  if (transitions !== null) expect(result.transitions).toBe(transitions);
});

test("an unprotected walk of a shared table fails after three switches", () => {
  const trace = counterexample(pmdModel("none", 4), { maxStates: 300_000 });
  expect(trace).toMatchObject({ switches: 3, minimal: true, violation: { property: "uaf" } });
  expect(trace?.steps).toHaveLength(19);
});
