// SPDX-License-Identifier: GPL-2.0-only
import type { Value } from "../program/code.ts";
import type { EffectProgram } from "../program/program.ts";
import { isTruth } from "../program/question.ts";
import { render } from "../program/render.ts";
import { isTrylock } from "./outcome.ts";

/** Local variables that are never anything but 0 and 1, by declaration or by everything that they are given. */
export function booleansOf(program: EffectProgram): ReadonlySet<string> {
  const known = byProgram.get(program);
  if (known) return known;
  const made = find(program);
  byProgram.set(program, made);
  return made;
}

const byProgram = new WeakMap<EffectProgram, ReadonlySet<string>>();

function find(program: EffectProgram): ReadonlySet<string> {
  const found = new Set<string>();
  for (const { name, type, pointers, isParameter } of program.variables.values())
    if (pointers === 0 && (type === "bool" || (!isParameter && !program.openStart))) found.add(name);
  for (const node of program.nodes) if (node.kind === "call" && node.result?.startsWith("$")) found.add(node.result);
  for (let size = -1; size !== found.size; ) {
    size = found.size;
    for (const name of otherwiseSet(program, found)) if (program.variables.get(name)?.type !== "bool") found.delete(name);
  }
  return found;
}

/** Places that get another value somewhere, or whose address is handed on. */
function otherwiseSet({ nodes }: EffectProgram, booleans: ReadonlySet<string>): readonly string[] {
  const isBoolean = (value: Value | null): boolean =>
    value !== null && (isTruth(value) || (value.kind === "number" && value.value <= 1) || (value.kind === "call" && isTrylock(value)) || (value.kind === "name" && booleans.has(value.name)));
  return nodes.flatMap((node) => {
    if (node.kind === "assign") return node.operator === "=" && isBoolean(node.value) ? [] : [render(node.target)];
    if (node.kind !== "call") return [];
    const handed = node.args.flatMap((arg) => (arg.kind === "unary" && arg.operator === "&" ? [render(arg.of)] : []));
    return node.result === null || isTrylock(node) ? handed : [...handed, node.result];
  });
}
