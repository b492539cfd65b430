// SPDX-License-Identifier: GPL-2.0-only
import type { Value } from "../program/code.ts";
import type { BoundEffect, CallNode, EffectProgram, NodeId } from "../program/program.ts";
import { render } from "../program/render.ts";
import { eq, FALSE, gt, lt, ne, type Expression } from "../simulator/expression.ts";

/*
 * What a driver's function does with the pages of one pinning call: which places hold them, where they are given back,
 * and what its comparisons of the call's value say.
 */

export type Gup = BoundEffect & { readonly kind: "gup" };

/** The call value: 0 is no page, 1 an error. Values that came from elsewhere are 0 or 1 too. */
export const ERROR = 1;
export const SOME_PAGES = 2;
export const ALL_PAGES = 3;

/** The pinning call at a node. */
export function gupAt(program: EffectProgram, node: NodeId): { readonly call: CallNode; readonly gup: Gup } | null {
  const call = program.nodes[node];
  if (call?.kind !== "call") return null;
  const gup = call.effects.find((effect) => effect.kind === "gup");
  return gup ? { call, gup } : null;
}

/** The place behind `&page`, `*pages`, `pages[i]`, `pages + n`. */
export function placeBehind(value: Value): Value {
  if (value.kind === "unary" && (value.operator === "&" || value.operator === "*")) return placeBehind(value.of);
  if (value.kind === "index") return placeBehind(value.of);
  if (value.kind === "binary" && (value.operator === "+" || value.operator === "-")) return placeBehind(value.left);
  return value;
}

const keyOf = (value: Value): string | null => {
  const place = placeBehind(value);
  return place.kind === "name" || place.kind === "member" ? (render(place) === "NULL" ? null : render(place)) : null;
};

/** Places that may hold the pages of the call: flow-insensitive, both ways over assignments. */
export function pagePlaces(program: EffectProgram, gup: Gup): ReadonlySet<string> {
  const first = gup.pages && keyOf(gup.pages);
  const found = new Set<string>(first === null ? [] : [first]);
  for (let size = -1; size !== found.size; ) {
    size = found.size;
    for (const node of program.nodes) {
      if (node.kind !== "assign" || node.operator !== "=" || !node.value) continue;
      const [target, value] = [keyOf(node.target), keyOf(node.value)];
      if (target === null || value === null) continue;
      if (found.has(target)) found.add(value);
      if (found.has(value)) found.add(target);
    }
  }
  return found;
}

/** True where the effect gives the pages back. */
export function givesBack(effect: BoundEffect, places: ReadonlySet<string>): boolean {
  const released = effect.kind === "unpin" ? effect.pages : effect.kind === "putReference" ? effect.object : null;
  const key = released && keyOf(released);
  return key !== null && places.has(key);
}

/** How many pages the call asks for: the argument before the flags (or the pages, where those come first). */
export function pageCount(call: CallNode, gup: Gup): Value | null {
  const positions = [gup.flags, gup.write, gup.pages].flatMap((value) => (value ? [call.args.indexOf(value)] : [])).filter((at) => at > 0);
  return call.args[Math.min(...positions) - 1] ?? null;
}

/** Variables that the value of the call reaches. */
function countNames(program: EffectProgram, call: CallNode): ReadonlySet<string> {
  const found = new Set<string>(call.result === null ? [] : [call.result]);
  for (let size = -1; size !== found.size; ) {
    size = found.size;
    for (const node of program.nodes)
      if (node.kind === "assign" && node.operator === "=" && node.value && found.has(render(node.value))) found.add(render(node.target));
  }
  return found;
}

const MIRRORED: Readonly<Record<string, string>> = { "<": ">", ">": "<", "<=": ">=", ">=": "<=", "==": "==", "!=": "!=" };

type Translate = (value: Value) => Expression | null;

/** Decides `ret < 0`, `ret != nr`, `nr > ret`, ... for the value of the call; null for other comparisons. */
export function countComparison(program: EffectProgram, call: CallNode, gup: Gup): (of: Value & { kind: "binary" }, translate: Translate) => Expression | null {
  const names = countNames(program, call);
  const single = isOne(pageCount(call, gup));
  return (of, translate) => {
    const mirrored = MIRRORED[of.operator];
    if (mirrored === undefined) return null;
    const [value, operator, bound] = names.has(render(of.left)) ? [of.left, of.operator, of.right] : [of.right, mirrored, of.left];
    if (!names.has(render(value))) return null;
    const count = translate(value);
    if (count === null || (bound.kind === "unary" && bound.operator === "-")) return null;
    if (bound.kind === "number" && bound.value === 0) return againstZero(operator, count);
    if (isOne(bound) && !single) return operator === "<" ? lt(count, SOME_PAGES) : operator === ">=" ? gt(count, ERROR) : null;
    return againstAll(operator, count);
  };
}

const isOne = (value: Value | null): boolean => value?.kind === "number" && value.value === 1;

/** A value that is neither 0 nor a number of pages is an error code, by the kernel's convention. */
function againstZero(operator: string, count: Expression): Expression | null {
  switch (operator) {
    case "<":
      return eq(count, ERROR);
    case ">=":
      return ne(count, ERROR);
    case ">":
      return gt(count, ERROR);
    case "<=":
      return lt(count, SOME_PAGES);
    default:
      return null;
  }
}

function againstAll(operator: string, count: Expression): Expression | null {
  switch (operator) {
    case "==":
    case ">=":
      return eq(count, ALL_PAGES);
    case "!=":
    case "<":
      return ne(count, ALL_PAGES);
    case ">":
      return FALSE;
    default:
      return null;
  }
}
