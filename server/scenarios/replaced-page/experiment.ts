// SPDX-License-Identifier: GPL-2.0-only
import type { Release } from "../../kernel/release.ts";
import type { EffectProgram } from "../../program/program.ts";
import { modelBuilder, type ModelBuilder } from "../../simulator/build.ts";
import type { BuiltModel, Experiment } from "../experiment.ts";
import { lift } from "../lift.ts";
import type { Replacement } from "./replacement.ts";
import { replacedObjects, replacedWorld, type Circumstances, type Objects } from "./world.ts";

interface Plan {
  readonly name: string;
  readonly primary: readonly string[];
  readonly bounds: string;
  readonly circumstances: Circumstances;
  /** Who else is there. */
  addOthers(model: ModelBuilder, objects: Objects, release: Release): void;
  readonly title: string;
  fix(program: EffectProgram): EffectProgram;
}

/** An experiment with a function that replaces a page; undoing its fix is the function as it stands. */
export const aboutReplacement = (replacement: Replacement, of: EffectProgram, { name, primary, bounds, circumstances, addOthers, title, fix }: Plan): Experiment => ({
  name,
  primary,
  secondary: [],
  bounds: `${bounds}, one page, SC`,
  build(program, release): BuiltModel | null {
    const model = modelBuilder(name);
    const objects = replacedObjects(model, circumstances);
    const { thread, assumptions, stepsOf } = lift(model, program, release, (own) => replacedWorld(own, replacement, objects, circumstances));
    const steps = stepsOf.get(replacement.set) ?? [];
    if (steps.length === 0) return null;
    for (const step of steps) model.reach(thread, step, "the new entry is set");
    addOthers(model, objects, release);
    return { model: model.finish(), assumptions };
  },
  fix: (program) => ({ title, program: fix(program) }),
  mutate: () => of,
  wrongFixes: [],
});
