// SPDX-License-Identifier: GPL-2.0-only
import type { Value } from "../../program/code.ts";
import { successors, type AssignNode, type BoundEffect, type CallNode, type EffectProgram, type NodeId, type ProgramNode } from "../../program/program.ts";
import { render } from "../../program/render.ts";
import { modelBuilder } from "../../simulator/build.ts";
import { eq, gt, lt, minus, ne, or, plus, type Expression } from "../../simulator/expression.ts";
import type { Experiment } from "../experiment.ts";
import { lift } from "../lift.ts";
import { synthetic } from "../rewrite.ts";
import { isPointer } from "../translate.ts";
import type { LiftedStep, Lifting, World } from "../world.ts";
import { namesOf, pointerOf } from "./handed-on.ts";
import { isSite, nameOf, type Site } from "./obligation.ts";
import { pteRole } from "./pte-mapping.ts";

/*
 * Off by one: pte_unmap() finds the kernel mapping by the page that its argument points into, and a pointer that a loop
 * has moved past the last entry of a table points into the next page; one that was moved back without having been moved
 * points into the page before (3f08842098e8, 5.10).
 */

/** Values of pointers: 0 is NULL, 1 something else; the others point into the mapped table, or beside it. */
const BEFORE = 2;
const START = 3;
const INSIDE = 4;
const PAST = 5;
/** Moved by more than one, or by what the text does not say. */
const ANYWHERE = 6;

const IN_RANGE = "in range";
const NOT_FIRST = "not before the first turn";

const step = (text: string): ProgramNode & { kind: "call" } => ({ ...synthetic(text, { kind: "accessEntry", pte: { kind: "name", name: "", at: -1 }, write: false }), name: text, next: -1 });

/** True where the function moves the pointer in steps, and unmaps by a pointer that comes from it. */
export function isMoved(program: EffectProgram, pointer: string): boolean {
  const names = namesOf(program, pointer);
  return program.nodes.some((node) => node.kind === "assign" && node.operator === "++" && names.has(render(node.target)));
}

/** Nodes of the innermost loop around a node: an outer one, as `goto retry` makes it, still goes round without its own head. */
function loopOf(program: EffectProgram, id: NodeId): ReadonlySet<NodeId> {
  let loop: ReadonlySet<NodeId> = new Set();
  for (let around = cycleOf(program, id, () => true); around.has(id); ) {
    loop = around;
    const outer = around;
    const heads = entriesOf(program, outer);
    around = heads.has(id) ? new Set() : cycleOf(program, id, (one) => outer.has(one) && !heads.has(one));
  }
  return loop;
}

/** Nodes of a loop at which control comes into it. What nothing leads to, as the call of a helper that stands in its place, leads nowhere. */
function entriesOf(program: EffectProgram, loop: ReadonlySet<NodeId>): ReadonlySet<NodeId> {
  const reached = new Set([program.entry]);
  for (const id of reached) for (const next of successors(program.nodes[id]!)) reached.add(next);
  return new Set([...reached].flatMap((from) => (loop.has(from) ? [] : successors(program.nodes[from]!).filter((to) => loop.has(to)))));
}

/** Nodes that can be reached from a node and lead back to it, among those that count. */
function cycleOf(program: EffectProgram, id: NodeId, counts: (id: NodeId) => boolean): ReadonlySet<NodeId> {
  const reach = (edges: (id: NodeId) => readonly NodeId[]): ReadonlySet<NodeId> => {
    const seen = new Set<NodeId>();
    for (const work = [id]; work.length > 0; )
      for (const one of edges(work.pop()!))
        if (counts(one) && !seen.has(one)) {
          seen.add(one);
          work.push(one);
        }
    return seen;
  };
  const back = program.nodes.map((): NodeId[] => []);
  program.nodes.forEach((node, from) => successors(node).forEach((to) => back[to]?.push(from)));
  const [after, before] = [reach((one) => successors(program.nodes[one]!)), reach((one) => back[one] ?? [])];
  return after.has(id) ? new Set([...after].filter((one) => before.has(one))) : new Set();
}

/**
 * The program with a mark on each edge that says something about the pointer: a turn of the loop that begins says that it is
 * in the table; a loop whose condition stands first is not left before its first turn, because nobody asks for an empty range.
 */
function marked(program: EffectProgram, names: ReadonlySet<string>): EffectProgram {
  const nodes: ProgramNode[] = [...program.nodes];
  const add = (text: string, next: NodeId): NodeId => nodes.push({ ...step(text), next }) - 1;
  program.nodes.forEach((node, id) => {
    if (node.kind !== "assign" || node.operator !== "++" || !names.has(render(node.target))) return;
    const loop = loopOf(program, id);
    const entries = entriesOf(program, loop);
    for (const at of loop) {
      const branch = nodes[at];
      if (branch?.kind !== "branch" || loop.has(branch.then) === loop.has(branch.otherwise)) continue;
      const isFirst = [...entries].some((entry) => leadsStraight(program, entry, at));
      const mark = (to: NodeId): NodeId => (loop.has(to) ? add(IN_RANGE, to) : isFirst ? add(NOT_FIRST, to) : to);
      nodes[at] = { ...branch, then: mark(branch.then), otherwise: mark(branch.otherwise) };
    }
  });
  return { ...program, nodes };
}

function leadsStraight(program: EffectProgram, from: NodeId, to: NodeId): boolean {
  for (let at = from, left = 20; left > 0; left--) {
    if (at === to) return true;
    const node = program.nodes[at];
    if (node?.kind !== "label") return false;
    at = node.next;
  }
  return false;
}

/** A sum of tests: x where no test is true, else what they add up to. */
const shifted = (x: Expression, by: readonly (readonly [from: number, to: number])[]): Expression =>
  by.reduce((sum, [from, to]) => Array.from({ length: Math.abs(to - from) }).reduce<Expression>((one) => (to > from ? plus(one, eq(x, from)) : minus(one, eq(x, from))), sum), x);

/** Where a step leads to; what does not point into the table stays what it is. */
const stepped = (x: Expression, by: 1 | -1): Expression =>
  by === 1 ? shifted(x, [[BEFORE, START], [START, PAST], [INSIDE, PAST], [PAST, ANYWHERE]]) : shifted(x, [[START, BEFORE], [PAST, INSIDE], [BEFORE, ANYWHERE]]);
const anywhere = (x: Expression): Expression => shifted(x, [[BEFORE, ANYWHERE], [START, ANYWHERE], [INSIDE, ANYWHERE], [PAST, ANYWHERE]]);

function world(program: EffectProgram, site: Site, pointer: string): World {
  const names = namesOf(program, pointer);
  const unmap = (effect: BoundEffect): Value | null => (effect.kind === "unmapPte" && names.has(render(pointerOf(effect.pte))) ? effect.pte : null);
  const isMark = (call: CallNode): boolean => call.name === IN_RANGE || call.name === NOT_FIRST;
  const uses = (effect: BoundEffect): string | null =>
    (effect.kind === "accessEntry" || effect.kind === "clearEntry" || effect.kind === "setEntry") && effect.pte.kind === "name" && names.has(effect.pte.name) ? effect.pte.name : null;
  const variables = [...names].filter((one) => program.variables.has(one) || one.startsWith("$"));
  const value = (text: string): Value => ({ kind: "name", name: text, at: -1 });
  /** A use says that the entry is in the table. */
  const inside = (text: string, lifting: Lifting) => {
    const now = lifting.translate(value(text));
    return now === null ? [] : lifting.set(text, minus(now, eq(now, PAST)));
  };
  return {
    sees: (effect, call) => isMark(call) || isSite(site, call) || unmap(effect) !== null || uses(effect) !== null,
    reads: (effect, call) => (isMark(call) ? variables.map(value) : unmap(effect) ? [unmap(effect)!] : []),
    refine(effect, call, lifting): LiftedStep[] {
      if (call.name === IN_RANGE) return [{ alternatives: [{ effect: variables.flatMap((one) => inside(one, lifting)) }], hidden: true }];
      if (call.name === NOT_FIRST) {
        const moved = variables.flatMap((one) => lifting.translate(value(one)) ?? []);
        return [{ alternatives: [{ guard: moved.length === 0 ? eq(0, 0) : or(...moved.map((one) => or(gt(one, START), lt(one, BEFORE)))) }], hidden: true }];
      }
      const role = isSite(site, call) ? pteRole(effect, call) : null;
      if (role?.does === "begin") {
        const received = role.received !== null && typeof role.received === "object" ? lifting.set(pointer, START) : [];
        const result = role.received === "value" ? START : role.failure === "nonzero" ? 0 : 1;
        const failed = { effect: lifting.set(call.result, role.failure === "nonzero" ? 1 : 0), note: role.words.failed };
        return [{ alternatives: [{ effect: [...lifting.set(call.result, result), ...received], note: role.words.begun }, ...(role.failure === null ? [] : [failed])] }];
      }
      const unmapped = unmap(effect);
      if (unmapped) {
        const at = lifting.translate(unmapped);
        if (at === null) return [];
        const checks = [
          { holds: ne(at, PAST), property: "unmap-outside", message: `with CONFIG_HIGHPTE ${render(unmapped)} may point into the page behind the table: its mapping stays` },
          { holds: ne(at, BEFORE), property: "unmap-outside", message: `with CONFIG_HIGHPTE ${render(unmapped)} may point into the page before the table: its mapping stays` },
        ];
        return [{ alternatives: [{ checks }] }];
      }
      const used = uses(effect);
      // What the call returns is an entry, of which nothing is known.
      return used === null ? [] : [{ alternatives: [{ effect: inside(used, lifting) }], hidden: true }];
    },
    place: () => null,
    meaning: () => null,
    compare({ operator, left, right }, translate) {
      if ((operator !== "+" && operator !== "-") || !isPointer(program, left)) return null;
      const from = translate(left);
      if (from === null) return null;
      return right.kind === "number" && right.value === 1 ? stepped(from, operator === "+" ? 1 : -1) : right.kind === "number" && right.value === 0 ? from : anywhere(from);
    },
    moved: (node: AssignNode, before: Expression) => {
      if (!names.has(render(node.target))) return null;
      const text = node.end === undefined ? "" : program.image.text.slice(node.at, node.end);
      return node.operator === "++" ? stepped(before, text.includes("--") ? -1 : 1) : anywhere(before);
    },
    unseen: () => [{ text: pointer, hidden: true, alternatives: [{ guard: eq(1, 0) }] }],
  };
}

/** The unmap by what the map returned. */
function byStart(program: EffectProgram, site: Site, pointer: string): EffectProgram {
  const names = namesOf(program, pointer);
  const kept: Value = { kind: "name", name: "$mapped", at: -1 };
  const nodes: ProgramNode[] = [...program.nodes];
  program.nodes.forEach((node, id) => {
    if (node.kind !== "call") return;
    if (isSite(site, node)) {
      nodes[id] = { ...node, next: nodes.push({ kind: "assign", target: kept, operator: "=", value: { kind: "name", name: pointer, at: -1 }, at: -1, end: -1, next: node.next }) - 1 };
      return;
    }
    if (!node.effects.some((effect) => effect.kind === "unmapPte" && names.has(render(pointerOf(effect.pte))))) return;
    nodes[id] = { ...node, shown: `${node.name}(mapped_pte${node.args[1] ? `, ${render(node.args[1])}` : ""})`, effects: node.effects.map((effect) => (effect.kind === "unmapPte" ? { ...effect, pte: kept } : effect)) };
  });
  return { ...program, nodes };
}

export function unmapOutside(site: Site): Experiment | null {
  const role = pteRole(site.effect, site.call);
  const pointer = role?.does === "begin" ? nameOf(role, site.call) : null;
  if (pointer === null) return null;
  return {
    name: "pte-unmap-outside",
    primary: ["unmap-outside"],
    secondary: [],
    bounds: "one thread, every way through the function, loops unbounded, ranges that are not empty and may begin and end at a table's edges",
    build(text, release) {
      const program = marked(text, namesOf(text, pointer));
      const model = modelBuilder("pte-unmap-outside");
      const lifted = lift(model, program, release, () => world(program, site, pointer));
      let reached = false;
      for (const [id, steps] of lifted.stepsOf) {
        const node = program.nodes[id];
        if (node?.kind !== "call" || steps[0] === undefined || !isSite(site, node)) continue;
        model.reach(lifted.thread, steps[0], "the table is mapped");
        reached = true;
      }
      return reached ? { model: model.finish(), assumptions: lifted.assumptions } : null;
    },
    fix: (program) => ({ title: "unmap by the pointer that the map returned", program: byStart(program, site, pointer) }),
    mutate: (fixed) => ({
      ...fixed,
      nodes: fixed.nodes.map((node) => {
        if (node.kind !== "call" || !node.effects.some((effect) => effect.kind === "unmapPte" && render(effect.pte) === "$mapped")) return node;
        return { ...node, effects: node.effects.map((effect) => (effect.kind === "unmapPte" ? { ...effect, pte: node.args[0] ?? effect.pte } : effect)) };
      }),
    }),
    wrongFixes: [],
  };
}
