// SPDX-License-Identifier: GPL-2.0-only
import { liveNames } from "../../analysis/live.ts";
import type { Value } from "../../program/code.ts";
import { successors, type BranchNode, type EffectProgram, type NodeId } from "../../program/program.ts";
import { render } from "../../program/render.ts";
import { partsOf } from "../../program/value-parts.ts";
import { kindOf } from "../translate.ts";

/**
 * Scalars of which the model may know less than the text says: they are given values in more than one place, or are
 * counted up. Where a condition on one cannot be read, its outcome may go with the way that was taken to it, so that
 * taking it for free would make ways that do not exist. What lies behind a pointer, or in an entry, is data from outside,
 * and so is how often a loop runs up to a bound that the function was handed.
 */
export function guessedNames(program: EffectProgram): ReadonlySet<string> {
  const times = givenTimes(program);
  const guessed = new Set([...times].flatMap(([name, count]) => (count > 1 && !name.startsWith("$") && isScalar(program, name) ? [name] : [])));
  for (const name of Array.from(guessed)) if (onlyCounts(program, name, times)) guessed.delete(name);
  return guessed;
}

/** How often each name is given a value. */
function givenTimes(program: EffectProgram): ReadonlyMap<string, number> {
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
  return times;
}

function isScalar(program: EffectProgram, name: string): boolean {
  const variable = program.variables.get(name);
  return variable === undefined || (variable.pointers === 0 && kindOf(program, { kind: "name", name, at: -1 }) === "scalar");
}

const COMPARES: ReadonlySet<string> = new Set(["<", "<=", ">", ">=", "!="]);

/**
 * True for a counter of one loop that is left at a bound which only the caller knows: `addr != end`. The loop may then run
 * as often as one likes. Nothing else may ask about the two, and the loop may not begin anew: the bound stays what it is.
 */
function onlyCounts(program: EffectProgram, counter: string, times: ReadonlyMap<string, number>): boolean {
  const asked = program.nodes.flatMap((node, id) => (node.kind === "branch" && asksFor(node.condition, [counter]) ? [{ node, id }] : []));
  const [only, ...others] = asked;
  if (!only || others.length > 0) return false;
  const bound = boundOf(only.node, counter);
  if (bound === null || !program.variables.get(bound)?.isParameter || times.get(bound) !== 1) return false;
  const asks = (value: Value): boolean => asksFor(value, [counter, bound]);
  const isAskedElsewhere = program.nodes.some((node, id) => {
    if (id === only.id) return false;
    if (node.kind === "branch") return asks(node.condition);
    if (node.kind === "choice") return node.on !== undefined && asks(node.on);
    return node.kind === "call" && /BUG|WARN|ASSERT/i.test(node.name) && node.args.some(asks);
  });
  if (isAskedElsewhere || program.nodes.some((node) => node.kind === "unseen")) return false;
  return steps(program, counter, bound) && successors(only.node).filter((next) => !comesBack(program, next, only.id)).length === 1;
}

/** True where the value depends on one of the names; what an array has at an index is data from outside. */
const asksFor = (value: Value, names: readonly string[]): boolean =>
  value.kind !== "index" && ((value.kind === "name" && names.includes(value.name)) || partsOf(value).some((part) => asksFor(part, names)));

function boundOf({ condition }: BranchNode, counter: string): string | null {
  if (condition.kind !== "binary" || !COMPARES.has(condition.operator)) return null;
  return condition.left.kind === "name" && condition.left.name === counter && condition.right.kind === "name" ? condition.right.name : null;
}

/** Whatever gives the counter a value moves it on, or lets it begin: nothing sets it to the bound. */
const steps = (program: EffectProgram, counter: string, bound: string): boolean =>
  program.nodes.every((node) => {
    if (node.kind === "call") return node.result !== counter;
    if (node.kind !== "assign" || render(node.target) !== counter) return true;
    return node.operator === "++" || node.operator === "+=" || (node.operator === "=" && node.value !== null && (node.value.kind === "number" || (node.value.kind === "name" && node.value.name !== bound)));
  });

function comesBack(program: EffectProgram, from: NodeId, to: NodeId): boolean {
  const found = new Set<NodeId>([from]);
  const work = [from];
  for (let id = work.pop(); id !== undefined; id = work.pop()) {
    if (id === to) return true;
    const node = program.nodes[id];
    for (const next of node ? successors(node) : []) {
      if (found.has(next)) continue;
      found.add(next);
      work.push(next);
    }
  }
  return false;
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
