// SPDX-License-Identifier: GPL-2.0-only
import type { Value } from "../program/code.ts";
import type { AssignNode, BoundEffect, CallNode, EffectProgram, NodeId, ProgramNode } from "../program/program.ts";

/** A call that is not in the text: what a reference fix adds, or what a caller does around the function. */
export const synthetic = (shown: string, effect: BoundEffect): Omit<CallNode, "next"> => ({
  kind: "call",
  name: shown.slice(0, Math.max(0, shown.indexOf("("))),
  args: [],
  result: null,
  effects: [effect],
  knowledge: "effects",
  shown,
  at: -1,
  end: -1,
});

/** A variable that the text does not have, or has under this name. */
export const name = (text: string): Value => ({ kind: "name", name: text, at: -1 });

/** A call as a value, that is not in the text. */
export const invoke = (callee: string, args: readonly Value[]): Value & { kind: "call" } => ({ kind: "call", name: callee, args, at: -1, end: -1 });

/** The call without the words that a reference fix has for it. */
export function asWritten(node: CallNode): CallNode {
  const { shown, ...call } = node;
  return shown === undefined ? node : call;
}

function rewire(node: ProgramNode, to: (target: NodeId) => NodeId): ProgramNode {
  switch (node.kind) {
    case "branch":
      return { ...node, then: to(node.then), otherwise: to(node.otherwise) };
    case "choice":
      return { ...node, outs: node.outs.map((out) => ({ ...out, next: to(out.next) })) };
    case "exit":
    case "stop":
      return node;
    default:
      return { ...node, next: to(node.next) };
  }
}

type Inserted = Omit<CallNode, "next"> | Omit<AssignNode, "next">;

/** Nodes to put in front of a node, by node; every edge to the node then goes through them. */
export function insertBefore(
  program: EffectProgram,
  inserted: (node: ProgramNode, id: NodeId) => readonly Inserted[],
): EffectProgram {
  const nodes: ProgramNode[] = [...program.nodes];
  const redirected = new Map<NodeId, NodeId>();
  program.nodes.forEach((node, id) => {
    const calls = inserted(node, id);
    if (calls.length > 0) redirected.set(id, calls.reduceRight((next, call) => nodes.push({ ...call, next }) - 1, id));
  });
  const to = (target: NodeId): NodeId => redirected.get(target) ?? target;
  for (let id = 0; id < program.nodes.length; id++) nodes[id] = rewire(program.nodes[id], to);
  return { ...program, nodes, entry: to(program.entry) };
}

/** Calls to put behind a call: control goes through them wherever it went from there. */
export function insertBehind(program: EffectProgram, id: NodeId, calls: readonly Omit<CallNode, "next">[]): EffectProgram {
  const nodes: ProgramNode[] = [...program.nodes];
  const node = nodes[id];
  if (node?.kind !== "call") return program;
  const next = calls.reduceRight((behind, call) => nodes.push({ ...call, next: behind }) - 1, node.next);
  nodes[id] = { ...node, next };
  return { ...program, nodes };
}

/** Calls that do nothing any more: control passes through. */
export const emptied = (program: EffectProgram, isGone: (id: NodeId) => boolean): EffectProgram => ({
  ...program,
  nodes: program.nodes.map((node, id): ProgramNode => (isGone(id) && "next" in node ? { kind: "label", name: null, at: -1, next: node.next } : node)),
});

/** True for a node at which the function is left: a return, the end of what is visible. */
export const leaves = (node: ProgramNode): boolean => node.kind === "return" || (node.kind === "unseen" && node.where === "end");

/** Nodes from which control falls off the end of the function (a void function's last statement). */
export function insertAtEnd(program: EffectProgram, calls: readonly Omit<CallNode, "next">[]): EffectProgram {
  const atReturns = insertBefore(program, (node) => (leaves(node) ? calls : []));
  const nodes: ProgramNode[] = [...atReturns.nodes];
  const end = calls.reduceRight((next, call) => nodes.push({ ...call, next }) - 1, program.exit);
  const count = atReturns.nodes.length;
  for (let id = 0; id < count; id++) {
    const node = nodes[id];
    if (!leaves(node)) nodes[id] = rewire(node, (target) => (target === program.exit ? end : target));
  }
  return { ...atReturns, nodes, entry: atReturns.entry === program.exit ? end : atReturns.entry };
}

/** Calls to run once before anything else. */
export function insertAtStart(program: EffectProgram, calls: readonly Omit<CallNode, "next">[]): EffectProgram {
  const nodes: ProgramNode[] = [...program.nodes];
  const entry = calls.reduceRight((next, call) => nodes.push({ ...call, next }) - 1, program.entry);
  return { ...program, nodes, entry };
}

/** The call as the text has it: without what a reference fix says of it. */
export function asInText(call: CallNode): CallNode {
  const { shown: _, ...plain } = call;
  return plain;
}

/** Replaces nodes by nothing: control passes through. */
export const without = (program: EffectProgram, drop: (node: ProgramNode) => boolean): EffectProgram => ({
  ...program,
  nodes: program.nodes.map((node) => (drop(node) && "next" in node ? { kind: "label", name: null, at: -1, next: node.next } : node)),
});
