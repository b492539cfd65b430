// SPDX-License-Identifier: GPL-2.0-only
import type { Value } from "../program/code.ts";
import type { CallNode, EffectProgram, ProgramNode } from "../program/program.ts";
import { render } from "../program/render.ts";
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
    const returned = definitionOf(program, node.value);
    if (returned.kind === "number") return;
    const left = nodes.push(node) - 1;
    const failed = { ...synthetic("", { kind: "maySleep" }), name: FAILED, next: left };
    if (isError(returned)) {
      nodes[id] = failed;
      return;
    }
    const condition: Value = { kind: "binary", operator: "<", left: node.value, right: { kind: "number", value: 0, at: -1 }, at: -1 };
    nodes[id] = { kind: "branch", condition, negated: false, at: -1, end: -1, then: nodes.push(failed) - 1, otherwise: left };
  });
  return { ...program, nodes };
}

/** What the temporary of a return statement was given. */
function definitionOf(program: EffectProgram, value: Value): Value {
  if (value.kind !== "name") return value;
  const given = program.nodes.filter((node) => node.kind === "assign" && node.operator === "=" && render(node.target) === value.name);
  const [only] = given;
  return given.length === 1 && only?.kind === "assign" && only.value && value.name.startsWith("$") ? only.value : value;
}

/** `-EFAULT`, `ERR_PTR(-EFAULT)`, `NULL`. */
function isError(value: Value): boolean {
  if (value.kind === "unary") return value.operator === "-" && (value.of.kind === "number" || (value.of.kind === "name" && /^E[A-Z0-9]+$/.test(value.of.name)));
  return (value.kind === "name" && value.name === "NULL") || (value.kind === "call" && value.name === "ERR_PTR");
}

/** True where a callee of which not everything is known gets the pages, or the object that holds them. */
export function mayGiveBack(call: CallNode, places: ReadonlySet<string>): boolean {
  if (call.keeps === true || (call.knowledge !== "unknown" && call.knowledge !== "defined-here")) return false;
  return call.args.some((arg) => {
    const key = render(placeBehind(arg));
    return places.has(key) || [...places].some((place) => place.startsWith(`${key}->`) || place.startsWith(`${key}.`));
  });
}
