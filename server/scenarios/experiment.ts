// SPDX-License-Identifier: GPL-2.0-only
import type { Release } from "../kernel/release.ts";
import type { EffectProgram } from "../program/program.ts";
import type { Model } from "../simulator/model.ts";

/** A model and what it rests on; `conditions` are non-default settings that it needs, in words. */
export interface BuiltModel {
  readonly model: Model;
  readonly assumptions: readonly string[];
}

/** A scenario: how to build a model around a program, what must not happen, and what the fix is. */
export interface Experiment {
  /** Kebab-case name in the catalogue. */
  readonly name: string;
  /** Properties that the rule is about; the shown schedule violates one of them. */
  readonly primary: readonly string[];
  /** Properties that the fixed program must keep as well. */
  readonly secondary: readonly string[];
  /**
   * Properties that nothing in the kernel can bring about but what the environment does: only of these a clean exploration
   * says that the code cannot get into the bad state. Missing: none, which is so wherever the environment has the adversaries
   * that a report named, and not all that there are.
   */
  readonly complete?: readonly string[];
  /** What a verdict covers, in words. */
  readonly bounds: string;
  /** null where the program has not what the scenario needs. */
  build(program: EffectProgram, release: Release): BuiltModel | null;
  /** The reference fix as a transformation of the program. */
  fix(program: EffectProgram): { readonly title: string; readonly program: EffectProgram } | null;
  /** Takes the protecting op out of the fixed program again. */
  mutate(fixed: EffectProgram): EffectProgram;
  /** Remedies that suggest themselves and do not work. */
  readonly wrongFixes: readonly { readonly title: string; program(program: EffectProgram): EffectProgram | null }[];
  /** Report runs that can never end. Default false. */
  readonly livelock?: boolean;
  /** Report states in which nothing can move and the code under review has not ended. Default false. */
  readonly deadlock?: boolean;
}
