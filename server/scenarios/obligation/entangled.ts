// SPDX-License-Identifier: GPL-2.0-only
import type { Value } from "../../program/code.ts";
import { successors, type CallNode, type EffectProgram, type NodeId } from "../../program/program.ts";
import { render } from "../../program/render.ts";
import { partsOf } from "../../program/value-parts.ts";
import { kindOf } from "../translate.ts";

/*
 * `if (mode == A) start(); ... if (mode != A) goto out; end();`: the model does not know that the two conditions are one. Where
 * what decides about the beginning and what decides about the end ask about the same thing in different words, a way
 * through both may be one that does not exist.
 */

/** What a call does to the thing that is begun and ended. */
export type Does = (call: CallNode) => "begins" | "ends" | null;

/** True where conditions of begin and end are about the same things in other words. `place`: its fields say more than the model knows. */
export function isEntangled(program: EffectProgram, place: string, does: Does): boolean {
  const what = program.nodes.map((node) => (node.kind === "call" ? does(node) : null));
  const begins = reaching(program, (id) => what[id] === "begins", (id) => what[id] === "ends");
  const ends = reaching(program, (id) => what[id] === "ends", (id) => what[id] === "begins");
  const leaves = reaching(program, (id) => id === program.exit, (id) => what[id] !== null);
  const again = reaching(program, (id) => id === program.exit || what[id] === "begins", (id) => what[id] === "ends");
  const open = following(program, what);
  const deciding = (yes: ReadonlySet<NodeId>, no: ReadonlySet<NodeId>, at: (id: NodeId) => boolean = () => true): Value[] =>
    program.nodes.flatMap((node, id) => (node.kind === "branch" && at(id) && ((yes.has(node.then) && no.has(node.otherwise)) || (yes.has(node.otherwise) && no.has(node.then))) ? [node.condition] : []));
  const ofBegin = deciding(begins, ends);
  const ofEnd = deciding(ends, again, (id) => open.has(id));
  const before = deciding(begins, leaves);
  const ofPlace = (condition: Value): boolean => placesOf(program, condition).some((one) => one.text.startsWith(`${place}.`) && !/\.(?:start|end)$/.test(one.text));
  if ([...ofBegin, ...ofEnd].some(ofPlace)) return true;
  return ofEnd.some((end) => ofBegin.some((begin) => areRelated(program, begin, end, false)) || before.some((one) => areRelated(program, one, end, true)));
}

/** Nodes from which a target can be reached without passing a node that stops. */
function reaching(program: EffectProgram, isTarget: (id: NodeId) => boolean, stops: (id: NodeId) => boolean): ReadonlySet<NodeId> {
  const found = new Set(program.nodes.flatMap((_, id) => (isTarget(id) ? [id] : [])));
  for (let size = -1; size !== found.size; ) {
    size = found.size;
    program.nodes.forEach((node, id) => {
      if (!stops(id) && successors(node).some((next) => found.has(next))) found.add(id);
    });
  }
  return found;
}

/** Nodes that come after a begin, up to an end. */
function following(program: EffectProgram, what: readonly ReturnType<Does>[]): ReadonlySet<NodeId> {
  const work = what.flatMap((one, id) => (one === "begins" ? [id] : []));
  const found = new Set<NodeId>();
  for (let id = work.pop(); id !== undefined; id = work.pop()) {
    const node = program.nodes[id];
    for (const next of node ? successors(node) : []) {
      if (found.has(next) || what[next] === "ends") continue;
      found.add(next);
      work.push(next);
    }
  }
  return found;
}

/** A place that a condition reads; `whole`: a callee is handed it, and may look at anything behind it. */
interface Read {
  readonly text: string;
  readonly whole: boolean;
  readonly scalar: boolean;
}

/** True where two conditions in different words read the same; `onlyScalars`: of what has one value while the function runs. */
function areRelated(program: EffectProgram, one: Value, other: Value, onlyScalars: boolean): boolean {
  if (render(one) === render(other)) return false;
  const isSame = (a: Read, b: Read): boolean => a.text === b.text || (a.whole && b.text.startsWith(a.text) && /^(?:->|\.)/.test(b.text.slice(a.text.length)));
  return placesOf(program, one).some((a) => placesOf(program, other).some((b) => (!onlyScalars || (a.scalar && b.scalar)) && (isSame(a, b) || isSame(b, a))));
}

/** The places that a condition reads, those behind variables that have their value from one place included. */
function placesOf(program: EffectProgram, condition: Value): readonly Read[] {
  const found: Read[] = [];
  const visit = (value: Value, whole: boolean, depth: number): void => {
    if (value.kind === "name") {
      if (/^[A-Z0-9_]+$/.test(value.name)) return;
      found.push({ text: value.name, whole, scalar: kindOf(program, value) === "scalar" && program.variables.get(value.name)?.pointers === 0 });
      if (depth < 3) for (const source of sourcesOf(program, value.name)) visit(source, whole, depth + 1);
    } else if (value.kind === "member" || value.kind === "index") {
      found.push({ text: render(value), whole, scalar: true });
    } else for (const part of partsOf(value)) visit(part, value.kind === "call", depth);
  };
  visit(condition, false, 0);
  return found;
}

/** What a variable was given, where it is given a value once. */
function sourcesOf(program: EffectProgram, name: string): readonly Value[] {
  const given = program.nodes.flatMap((node): Value[] => {
    if (node.kind === "assign" && render(node.target) === name) return node.value ? [node.value] : [];
    return node.kind === "call" && node.result === name ? [{ kind: "call", name: node.name, args: node.args, at: node.at, end: node.end }] : [];
  });
  return given.length === 1 ? given : [];
}
