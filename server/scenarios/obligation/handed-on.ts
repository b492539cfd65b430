// SPDX-License-Identifier: GPL-2.0-only
import type { Value } from "../../program/code.ts";
import type { EffectProgram } from "../../program/program.ts";
import { render } from "../../program/render.ts";
import { partsOf } from "../../program/value-parts.ts";
import { isUnknown } from "../doubt.ts";

/** What a pointer is behind arithmetic: `start_pte + i` and `&start_pte[i]` are start_pte. */
export function pointerOf(value: Value): Value {
  if (value.kind === "binary" && (value.operator === "+" || value.operator === "-")) return pointerOf(value.left);
  return value.kind === "unary" && value.operator === "&" && value.of.kind === "index" ? pointerOf(value.of.of) : value;
}

/** Variables that may hold what one of them was given: flow-insensitive. */
export function namesOf(program: EffectProgram, first: string): ReadonlySet<string> {
  const found = new Set([first]);
  for (let size = -1; size !== found.size; ) {
    size = found.size;
    for (const node of program.nodes) if (node.kind === "assign" && node.value && found.has(render(pointerOf(node.value)))) found.add(render(node.target));
  }
  return found;
}

/**
 * True where a pointer may outlive what the function does with it: it is returned, kept in an object, its address is
 * taken, or a callee that nothing is known about gets it. Whoever has it then may end what it stands for.
 */
export function isHandedOn(program: EffectProgram, first: string): boolean {
  const names = namesOf(program, first);
  const isIt = (value: Value): boolean => names.has(render(pointerOf(value)));
  const isLocal = (name: string): boolean => name.startsWith("$") || program.variables.has(name);
  const takesAddress = (value: Value): boolean => (value.kind === "unary" && value.operator === "&" && isIt(value.of)) || partsOf(value).some(takesAddress);
  if ([...names].some((name) => !isLocal(name))) return true;
  return program.nodes.some((node) => {
    switch (node.kind) {
      case "return":
        return node.value !== null && isIt(node.value);
      case "call":
        return (isUnknown(node) && node.keeps !== true && node.args.some(isIt)) || (node.effects.length === 0 && node.args.some(takesAddress));
      case "assign":
        return node.value !== null && takesAddress(node.value);
      default:
        return false;
    }
  });
}
