// SPDX-License-Identifier: GPL-2.0-only
import type { Value } from "../program/code.ts";
import type { EffectProgram } from "../program/program.ts";
import { and, ne } from "../simulator/expression.ts";
import type { LiftedStep, Lifting } from "./world.ts";

/** The step where the pointers that its call follows are not NULL: whoever locks `d->lock` has a `d` from then on. */
export function whereThere(args: readonly Value[], lifting: Lifting, step: LiftedStep): LiftedStep {
  const pointers = args.flatMap((arg) => followed(lifting.program, arg)).flatMap((name) => lifting.translate(name) ?? []);
  if (pointers.length === 0) return step;
  const there = and(...pointers.map((pointer) => ne(pointer, 0)));
  return { ...step, alternatives: step.alternatives.map((one) => ({ ...one, guard: one.guard === undefined ? there : and(one.guard, there) })) };
}

/** Pointer variables that are followed where an argument is used: `mm`, the `d` of `&d->lock`. The address of one is another thing. */
function followed(program: EffectProgram, arg: Value): readonly Value[] {
  if (arg.kind === "name") return (program.variables.get(arg.name)?.pointers ?? 0) > 0 ? [arg] : [];
  if (arg.kind === "unary") return arg.operator === "&" && arg.of.kind !== "name" ? followed(program, arg.of) : [];
  return arg.kind === "member" && (arg.arrow || arg.of.kind !== "name") ? followed(program, arg.of) : [];
}
