// SPDX-License-Identifier: GPL-2.0-only
import { liveNames } from "../../analysis/live.ts";
import type { EffectProgram } from "../../program/program.ts";
import { render } from "../../program/render.ts";
import { kindOf } from "../translate.ts";

/**
 * Scalars of which the model may know less than the text says: they are given values in more than one place, or are
 * counted up. Where a condition on one cannot be read, its outcome may go with the way that was taken to it, so that
 * taking it for free would make ways that do not exist. What lies behind a pointer, or in an entry, is data from outside.
 */
export function guessedNames(program: EffectProgram): ReadonlySet<string> {
  const times = new Map<string, number>();
  const note = (name: string, count: number): void => {
    times.set(name, (times.get(name) ?? 0) + count);
  };
  // A parameter has a value from the start.
  for (const [name, { isParameter }] of program.variables) if (isParameter) note(name, 1);
  for (const node of program.nodes) {
    if (node.kind === "assign") note(render(node.target), node.operator === "=" ? 1 : 2);
    if (node.kind === "call" && node.result !== null) note(node.result, 1);
  }
  const isScalar = (name: string): boolean => {
    const variable = program.variables.get(name);
    return variable === undefined || (variable.pointers === 0 && kindOf(program, { kind: "name", name, at: -1 }) === "scalar");
  };
  return new Set([...times].flatMap(([name, count]) => (count > 1 && !name.startsWith("$") && isScalar(name) ? [name] : [])));
}

/**
 * True for what had its value before the visible part of the function begins: nothing is known of it, and much may go with
 * it (whether a lock was taken there). Parameters are outside of this where the start is visible.
 */
export function unseenNames(program: EffectProgram): (key: string) => boolean {
  if (!program.openStart) return () => false;
  const live = liveNames(program)?.(program.entry);
  return (key) => {
    const [name = key] = key.split("/");
    return !name.startsWith("$") && (live?.has(name) ?? true);
  };
}
