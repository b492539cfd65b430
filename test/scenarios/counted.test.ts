// SPDX-License-Identifier: GPL-2.0-only
import { expect, test } from "vitest";
import type { EffectProgram } from "../../server/program/program.ts";
import { evidenceFacts } from "../../server/report/evidence.ts";
import { evidenceOf } from "../../server/review/evidence.ts";
import type { Experiment } from "../../server/scenarios/experiment.ts";
import { prove } from "../../server/scenarios/prove.ts";
import { pmdModel } from "../simulator/pmd-model.ts";

/** Programs are told apart by identity only: the models below do not come from code. */
const program = (): EffectProgram => ({ assumptions: [] }) as unknown as EffectProgram;

const RELEASE = { major: 6, minor: 1, sublevel: null };

/** The walk without protection, and under the vma lock as its fix, each with so many more threads. */
const walk = (faulters: number, inFix: number): Experiment => {
  const fixed = program();
  return {
    name: "walk", primary: ["uaf"], secondary: [], bounds: "SC", wrongFixes: [],
    build: (of) => ({ model: of === fixed ? pmdModel("vma-lock", inFix) : pmdModel("none", faulters), assumptions: [] }),
    fix: () => ({ title: "lock", program: fixed }),
    mutate: program,
  };
};

const said = (faulters: number, inFix: number): string[] =>
  evidenceFacts(evidenceOf(prove(walk(faulters, inFix), program(), RELEASE, 300_000))).map(({ text }) => text);

test("a proof says how many states there are", () => {
  const [explored, fixedBy] = said(0, 0);
  expect(explored).toMatch(/\(\d+ states, \d+ transitions; SC\)$/);
  expect(fixedBy).toContain("lock: passes, all 604 states explored; ");
});

test("or that it left out what reductions leave out", () => {
  const [explored, fixedBy] = said(0, 2);
  expect(explored).toMatch(/; SC; states of the fix counted after reductions\)$/);
  expect(fixedBy).toMatch(/^lock: passes, \d+ states explored after reductions; /);
  expect(said(2, 2)[0]).toMatch(/; SC; states counted after reductions\)$/);
});
