// SPDX-License-Identifier: GPL-2.0-only
import type { Value } from "../program/code.ts";
import type { CallNode, EffectProgram } from "../program/program.ts";
import { questionOf } from "../program/question.ts";
import { isPointer } from "./translate.ts";

/**
 * Pointers that a call locks, or in whose objects it does, and that the function tests for NULL somewhere. Of others, which
 * are only compared with each other, the model does not know whether they are NULL.
 */
export const pointersLocked = (program: EffectProgram, call: CallNode): readonly string[] =>
  call.effects
    .flatMap((effect) => (effect.kind === "acquire" && typeof effect.object === "object" && effect.object !== null ? (baseOf(effect.object) ?? []) : []))
    .filter((name) => isPointer(program, { kind: "name", name, at: -1 }) && isTested(program, name));

const isTested = ({ nodes }: EffectProgram, name: string): boolean => nodes.some((node) => node.kind === "branch" && questionOf(node.condition).key === name);

/** `p` of `p`, `p->lock`, `p->a.lock` and `&p->lock`. */
function baseOf(value: Value): string | null {
  if (value.kind === "name") return value.name;
  if (value.kind === "member" || value.kind === "index" || (value.kind === "unary" && value.operator === "&")) return baseOf(value.of);
  return null;
}
