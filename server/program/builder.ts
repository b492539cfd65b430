// SPDX-License-Identifier: GPL-2.0-only
import type { NodeId, ProgramNode } from "./program.ts";

/** A node to which edges may lead before its successor is known. */
export interface Joint {
  readonly id: NodeId;
  to(next: NodeId): void;
  /** Where it leads; -1 as long as that is not known. */
  next(): NodeId;
  /** A label may be known by a goto before its own place is. */
  standAt(at: number): void;
}

/** A control-flow graph under construction, built backwards: every step is given the node that follows it. */
export interface GraphBuilder {
  readonly nodes: ProgramNode[];
  add(node: ProgramNode): NodeId;
  joint(name: string | null, at: number): Joint;
  temporary(): string;
  /** A node for a statement that needs none, where statements are marked; else its successor. */
  mark(at: number, end: number, next: NodeId): NodeId;
}

/** `marksStatements`: jumps and calls without effect become nodes, too, for those who ask what holds at their lines. */
export function graphBuilder(marksStatements: boolean): GraphBuilder {
  const nodes: ProgramNode[] = [];
  let temporaries = 0;
  const add = (node: ProgramNode): NodeId => nodes.push(node) - 1;
  return {
    nodes,
    add,
    joint(name, at) {
      const node = { kind: "label" as const, name, at, next: -1 };
      return { id: add(node), to: (next) => void (node.next = next), next: () => node.next, standAt: (place) => void (node.at = place) };
    },
    temporary: () => `$${++temporaries}`,
    mark: (at, end, next) => (marksStatements ? add({ kind: "label", name: null, at, end, next }) : next),
  };
}
