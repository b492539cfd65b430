// SPDX-License-Identifier: GPL-2.0-only
import type { CallNode, EffectProgram, NodeId, ProgramNode } from "../program/program.ts";
import { reachable } from "./hugetlb-callers.ts";

const OPENS = /(?:^|_)(?:lock|begin|enter)(?:_|$)/;
const CLOSES: readonly (readonly [open: RegExp, close: string])[] = [
  [/lock(?=_|$)/, "unlock"],
  [/begin(?=_|$)/, "end"],
  [/enter(?=_|$)/, "exit"],
];

/** A call that nobody knows and that is handed nothing, like `rcu_read_lock()`. */
const isGlobal = (node: ProgramNode | undefined): node is CallNode =>
  node?.kind === "call" && node.args.length === 0 && (node.knowledge === "unknown" || node.knowledge === "defined-here");

const closingOf = (name: string): readonly string[] => CLOSES.filter(([open]) => open.test(name)).map(([open, close]) => name.replace(open, close));

/**
 * The name of the function that is not known, takes no argument and opens a section around a node, by its name and that of what
 * closes it: it may disable interrupts or do what else keeps page tables, as `hugetlb_walker_lock()` of the RFC of November 2022
 * was to do (RCU or interrupts off, by architecture). Null where there is none.
 */
export function unknownSection(program: EffectProgram, at: NodeId): string | null {
  for (const [id, node] of program.nodes.entries()) {
    if (!isGlobal(node) || !OPENS.test(node.name)) continue;
    const closing = closingOf(node.name);
    const closes = (one: ProgramNode | undefined): boolean => isGlobal(one) && closing.includes(one.name);
    const isOpenAtWalk = reachable(program, id, closes).has(at);
    if (isOpenAtWalk && [...reachable(program, at, closes)].some((one) => closes(program.nodes[one]))) return node.name;
  }
  return null;
}
