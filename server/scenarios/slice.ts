// SPDX-License-Identifier: GPL-2.0-only
import type { Release } from "../kernel/release.ts";
import { successors, type CallNode, type EffectProgram, type NodeId, type ProgramNode } from "../program/program.ts";
import { render } from "../program/render.ts";
import { TRUE } from "../simulator/expression.ts";
import { asValue, taintOf } from "./doubt.ts";
import { changes, relatedQuestions, type Asking } from "./open-questions.ts";
import { outputsOf } from "./outputs.ts";
import { translator } from "./translate.ts";
import type { World } from "./world.ts";

/** The part of a program that a scenario's property can see. */
export interface Slice {
  readonly entry: NodeId;
  /** Kept nodes with the kept nodes that follow them, in order of discovery. */
  readonly kept: ReadonlyMap<NodeId, readonly NodeId[]>;
  /** Variables and flag bits (`word/BIT`) whose values matter. */
  readonly tracked: ReadonlySet<string>;
  /** Conditions that the model does not decide. */
  readonly open: readonly Asking[];
}

/**
 * Least fixpoint: effects that the scenario sees -> tests that separate them -> variables which those read ->
 * assignments to those.
 */
export function slice(program: EffectProgram, world: World, release: Release): Slice {
  const tracked = new Set<string>();
  const related = new Set<string>();
  const taint = taintOf(program, world);
  const isTainted = (call: CallNode): boolean => taint(call) !== null;
  for (;;) {
    const before = tracked.size + related.size;
    const made = once(program, world, release, tracked, [...related], isTainted);
    for (const text of relatedQuestions(made.open)) related.add(text);
    if (tracked.size + related.size === before) return { ...made, tracked };
  }
}

/** True where the assignment gives a value to something tracked. */
const assigns = (target: string, tracked: ReadonlySet<string>): boolean =>
  tracked.has(target) || [...tracked].some((key) => key.startsWith(`${target}/`));

/** True where the node gives something another value that related questions are about. */
function reopens(node: ProgramNode, related: readonly string[]): boolean {
  const places = node.kind === "assign" ? [render(node.target)] : node.kind === "call" ? [...(node.result === null ? [] : [node.result]), ...outputsOf(node)] : [];
  return places.some((place) => related.some((text) => changes(place, text)));
}

function keeps(node: ProgramNode, world: World, tracked: ReadonlySet<string>, isTainted: (call: CallNode) => boolean): boolean {
  switch (node.kind) {
    case "exit":
    case "stop":
    case "unseen":
    case "return":
      return true;
    case "call":
      return (
        node.effects.some((effect) => world.sees(effect, node)) ||
        (node.result !== null && assigns(node.result, tracked)) ||
        outputsOf(node).some((key) => assigns(key, tracked)) ||
        isTainted(node) ||
        (node.knowledge === "unknown" && (world.unknownCall?.(node, NO_LIFTING) ?? null) !== null)
      );
    case "assign":
      return assigns(render(node.target), tracked);
    default:
      return false;
  }
}

/** Stands in where a world is only asked whether it would do something. */
const NO_LIFTING = {
  translate: () => null,
  set: () => [],
  label: (name: string) => name,
  number: () => null,
  flag: () => null,
} as unknown as Parameters<NonNullable<World["unknownCall"]>>[1];

function once(program: EffectProgram, world: World, release: Release, tracked: Set<string>, related: readonly string[], isTainted: (call: CallNode) => boolean): Omit<Slice, "tracked"> {
  const resolve = resolver(program, (node) => keeps(node, world, tracked, isTainted) || reopens(node, related));
  const open: Asking[] = [];
  const kept = new Map<NodeId, readonly NodeId[]>();
  const entry = resolve(program.entry);
  const work = [entry];
  let here = program.entry;
  const remember = (key: string): typeof TRUE | null => {
    if (world.hides?.(key) === true) return null;
    tracked.add(key);
    return TRUE;
  };
  const read = translator(program, world, release, remember, () => here);
  for (let id = work.pop(); id !== undefined; id = work.pop()) {
    if (kept.has(id)) continue;
    here = id;
    const node = program.nodes[id];
    if (!node) continue;
    const next = successors(node).map(resolve);
    kept.set(id, next);
    work.push(...next.toReversed());
    if (node.kind === "branch" && read.condition(node.condition) === null) open.push({ node: id, value: node.condition });
    if (node.kind === "return" && node.value && world.readsReturns === true) read.value(node.value);
    if (node.kind === "call") {
      if (node.result !== null && tracked.has(node.result)) read.value(asValue(node));
      for (const effect of node.effects) {
        if (!world.sees(effect, node)) continue;
        for (const value of world.reads(effect, node)) {
          read.value(value);
          read.number(value);
        }
        for (const { word, bit } of world.readsFlags?.(effect, node) ?? []) read.flag(word, bit);
      }
    }
    if (node.kind === "assign" && node.value) {
      const target = render(node.target);
      if (tracked.has(target)) {
        if (world.counts?.(target)) read.number(node.value);
        else if (read.value(node.value) === null && node.operator === "=") open.push({ node: id, value: node.value });
      }
      for (const key of Array.from(tracked)) if (key.startsWith(`${target}/`)) read.flag(node.value, key.slice(target.length + 1));
    }
  }
  return { entry, kept, open };
}

const NONE = -1;
const MANY = -2;

/**
 * For every node the kept node that control comes to first. A test whose branches meet again before any kept node is
 * not kept; one that separates kept nodes is kept itself. Where control only runs in circles, the exit stands in.
 */
function resolver(program: EffectProgram, isKept: (node: ProgramNode) => boolean): (id: NodeId) => NodeId {
  const { nodes } = program;
  const kept = new Set(nodes.flatMap((node, id) => (isKept(node) ? [id] : [])));
  for (;;) {
    const first = firstKept(nodes, kept);
    const divided = nodes.flatMap((node, id) => (!kept.has(id) && first[id] === MANY && successors(node).length > 1 ? [id] : []));
    if (divided.length === 0) return (id) => (first[id] === NONE || first[id] === undefined ? program.exit : first[id]);
    // The innermost tests first: keeping them often settles the ones around them.
    const innermost = divided.filter((id) => successors(nodes[id]).every((next) => first[next] !== MANY));
    for (const id of innermost.length > 0 ? innermost : divided) kept.add(id);
  }
}

/** Fixpoint from below: NONE, then one node, then MANY. */
function firstKept(nodes: readonly ProgramNode[], kept: ReadonlySet<NodeId>): Int32Array {
  const first = new Int32Array(nodes.length).fill(NONE);
  for (const id of kept) first[id] = id;
  for (let changed = true; changed; ) {
    changed = false;
    // Nodes are added back to front, so that this order settles straight code in one pass.
    for (let id = 0; id < nodes.length; id++) {
      if (kept.has(id)) continue;
      let value = NONE;
      for (const next of successors(nodes[id])) {
        const other = first[next] ?? NONE;
        if (other !== NONE && other !== value) value = value === NONE ? other : MANY;
      }
      if (value !== first[id]) {
        first[id] = value;
        changed = true;
      }
    }
  }
  return first;
}
