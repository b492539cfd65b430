// SPDX-License-Identifier: GPL-2.0-only
import type { Value } from "./code.ts";
import type { BoundEffect, EffectProgram, ProgramNode } from "./program.ts";
import { render } from "./render.ts";
import { mapParts, partsOf } from "./value-parts.ts";

type Names = ReadonlyMap<string, Value>;

/**
 * Members of structures of the function that are another word for a variable: given a value once, by a name that keeps its
 * own (`struct walk w = { .vma = vma }`). Nobody else may write them: the address of the structure goes nowhere but to
 * helpers that stand in the place of their calls.
 */
function memberNames(program: EffectProgram): Names {
  const count = new Map<string, number>();
  const given = new Map<string, { readonly owner: string; readonly value: Value & { kind: "name" } }>();
  const lent = new Set<string>();
  const lend = (value: Value): void => {
    if (value.kind === "unary" && value.operator === "&" && value.of.kind === "name") lent.add(value.of.name);
    partsOf(value).forEach(lend);
  };
  const note = (key: string): void => void count.set(key, (count.get(key) ?? 0) + 1);
  for (const node of program.nodes) {
    if (node.kind === "call" && node.result !== null) note(node.result);
    if (node.kind === "assign") {
      const key = render(node.target);
      note(key);
      const owner = ownerOf(program, node.target);
      if (owner !== null && node.operator === "=" && node.value?.kind === "name") given.set(key, { owner, value: node.value });
    }
    valuesOf(node).forEach(lend);
  }
  const times = (key: string): number => count.get(key) ?? 0;
  const keepsItsValue = ({ name }: Value & { kind: "name" }): boolean => {
    const variable = program.variables.get(name);
    return variable !== undefined && !lent.has(name) && times(name) === (variable.isParameter ? 0 : 1);
  };
  return new Map([...given].flatMap(([key, { owner, value }]): [string, Value][] =>
    times(key) === 1 && times(owner) <= 1 && !lent.has(owner) && keepsItsValue(value) ? [[key, value]] : [],
  ));
}

/** Name of the structure, a variable of the function itself, that the value is a member of. */
const ownerOf = (program: EffectProgram, value: Value): string | null =>
  value.kind === "member" && !value.arrow && value.of.kind === "name" && program.variables.get(value.of.name)?.pointers === 0 ? value.of.name : null;

/** What a node hands on. */
function valuesOf(node: ProgramNode): readonly Value[] {
  if (node.kind === "call") return node.knowledge === "inlined" ? [] : node.args;
  return (node.kind === "assign" || node.kind === "return") && node.value ? [node.value] : [];
}

/** The program whose locks are those of the variables, where it says members of its own structures. */
export function withMemberNames(program: EffectProgram): EffectProgram {
  const names = memberNames(program);
  if (names.size === 0) return program;
  const said = (value: Value): Value => (value.kind === "member" ? names.get(render(value)) : undefined) ?? mapParts(value, said);
  const inEffect = (effect: BoundEffect): BoundEffect =>
    (effect.kind === "acquire" || effect.kind === "release" || effect.kind === "assertHeld") && effect.object ? { ...effect, object: said(effect.object) } : effect;
  return { ...program, nodes: program.nodes.map((node) => (node.kind === "call" && node.effects.length > 0 ? { ...node, effects: node.effects.map(inEffect) } : node)) };
}
