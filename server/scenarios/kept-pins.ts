// SPDX-License-Identifier: GPL-2.0-only
import type { Value } from "../program/code.ts";
import type { CallNode, EffectProgram, ProgramNode } from "../program/program.ts";
import { render } from "../program/render.ts";
import { isErrorValue, returnedValue } from "./obligation/returned.ts";
import { placeBehind } from "./pinned-pages.ts";
import { synthetic } from "./rewrite.ts";

/*
 * Where a function is left with its pin for certain. A caller that gets an error has no page to work with, and a callee
 * that is handed the pages and is not known may have given them back.
 */

/** Name of the call that stands for leaving the function with an error. */
export const FAILED = "returns an error";

/** The program with a call of `FAILED` in front of every return of an error. */
export function withFailures(program: EffectProgram): EffectProgram {
  const nodes: ProgramNode[] = [...program.nodes];
  program.nodes.forEach((node, id) => {
    if (node.kind !== "return" || node.value === null) return;
    const returned = returnedValue(program, node.value);
    if (returned.kind === "number") return;
    const left = nodes.push(node) - 1;
    const failed = { ...synthetic("", { kind: "maySleep" }), name: FAILED, next: left };
    if (isErrorValue(returned)) {
      nodes[id] = failed;
      return;
    }
    const condition: Value = { kind: "binary", operator: "<", left: node.value, right: { kind: "number", value: 0, at: -1 }, at: -1 };
    nodes[id] = { kind: "branch", condition, negated: false, at: -1, end: -1, then: nodes.push(failed) - 1, otherwise: left };
  });
  return { ...program, nodes };
}

/** True where a callee of which not everything is known gets the pages, or the object that holds them. */
export function mayGiveBack(call: CallNode, places: ReadonlySet<string>): boolean {
  if (call.keeps === true || (call.knowledge !== "unknown" && call.knowledge !== "defined-here")) return false;
  return call.args.some((arg) => {
    const key = render(placeBehind(arg));
    return places.has(key) || [...places].some((place) => place.startsWith(`${key}->`) || place.startsWith(`${key}.`));
  });
}
