// SPDX-License-Identifier: GPL-2.0-only
import { stepPlace } from "../program/place.ts";
import { successors, type CallNode, type EffectProgram, type NodeId } from "../program/program.ts";
import { namesIn } from "../program/render.ts";
import type { Proof } from "../scenarios/prove.ts";
import type { At } from "./rule.ts";

/*
 * Where a way leaves what it should have ended: the statement after which no end can be reached any more. That is where a
 * reviewer writes the comment, not where it was begun.
 */

/** What a call does to the thing that must be ended. */
export type Does = "begins" | "renews" | "ends" | null;

const JUMP = /^[\s;){]*((?:goto\s+\w+|break|continue|return\b[^;]*)\s*;)/;

/**
 * The last statement of the way out that the failing schedule takes; null: the end can be reached from everywhere.
 * `result`: what was begun only where this says so; a way that asks it is none from something begun.
 */
export function wayOut(program: EffectProgram, proof: Proof, does: (call: CallNode) => Does, result: string | null = null): At | null {
  const what = program.nodes.map((node) => (node.kind === "call" ? does(node) : null));
  const canEnd = beforeEnds(program, what);
  const from = open(program, what);
  const asksResult = (id: NodeId): boolean => {
    const node = program.nodes[id];
    return result !== null && node?.kind === "branch" && namesIn(node.condition).includes(result);
  };
  const outs = [...from].flatMap((id) => asksResult(id) ? [] : successors(program.nodes[id]!).flatMap((next) => (canEnd.has(next) || !(canEnd.has(id) || what[id] === "begins") ? [] : [{ line: lineOf(program, id), id, next }])));
  const lines = proof.schedule.map(({ patchLine, newLine }) => patchLine ?? newLine ?? -1);
  const taken = outs.toSorted((a, b) => lines.lastIndexOf(b.line) - lines.lastIndexOf(a.line))[0];
  return taken ? (lastStatement(program, taken.next, what, from) ?? ofNode(program, taken.id)) : null;
}

function lineOf(program: EffectProgram, id: NodeId): number {
  const node = program.nodes[id];
  const place = node && "at" in node ? stepPlace(program.image, node.at) : null;
  return place?.line ?? place?.fileLine ?? 0;
}

/** Nodes from which an end can be reached before it is begun again. */
function beforeEnds(program: EffectProgram, what: readonly Does[]): ReadonlySet<NodeId> {
  const found = new Set(what.flatMap((one, id) => (one === "ends" ? [id] : [])));
  for (let size = -1; size !== found.size; ) {
    size = found.size;
    program.nodes.forEach((node, id) => {
      if (what[id] === null && successors(node).some((next) => found.has(next))) found.add(id);
    });
  }
  return found;
}

/** Nodes on ways from a begin, up to an end or the next begin. */
function open(program: EffectProgram, what: readonly Does[]): ReadonlySet<NodeId> {
  const found = new Set(what.flatMap((one, id) => (one === "begins" ? [id] : [])));
  const work = [...found];
  for (let id = work.pop(); id !== undefined; id = work.pop()) {
    const node = program.nodes[id];
    if (!node) continue;
    for (const next of successors(node)) {
      if (found.has(next) || what[next] !== null) continue;
      found.add(next);
      work.push(next);
    }
  }
  return found;
}

/** A statement, or the jump behind it; null: it is not in the text. */
function ofNode(program: EffectProgram, id: NodeId): At | null {
  const node = program.nodes[id];
  if (!node || !("at" in node) || node.at < program.start || !("end" in node) || node.end === undefined) return null;
  const jump = JUMP.exec(program.image.text.slice(node.end, node.end + 200));
  const end = node.end + (jump?.[0].length ?? 0);
  return { program, at: jump ? end - (jump[1]?.length ?? 0) : node.at, end };
}

/** The last statement before other ways join; null: there is none. */
function lastStatement(program: EffectProgram, first: NodeId, what: readonly Does[], from: ReadonlySet<NodeId>): At | null {
  const joined = new Map<NodeId, NodeId[]>();
  program.nodes.forEach((node, id) => {
    for (const next of successors(node)) joined.set(next, [...(joined.get(next) ?? []), id]);
  });
  // Several parts of one condition lead to the same block.
  const isOnWay = (id: NodeId): boolean => (id === first ? (joined.get(id) ?? []).every((before) => from.has(before)) : joined.get(id)?.length === 1);
  let last: At | null = null;
  for (let id: NodeId | undefined = first, steps = 0; id !== undefined && steps < program.nodes.length; steps++) {
    const node: EffectProgram["nodes"][number] | undefined = program.nodes[id];
    if (!node || !isOnWay(id)) break;
    last = ofNode(program, id) ?? last;
    if (what[id] !== null) break;
    const following: readonly NodeId[] = successors(node);
    id = following.length === 1 ? following[0] : undefined;
  }
  return last;
}
