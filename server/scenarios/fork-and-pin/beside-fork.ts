// SPDX-License-Identifier: GPL-2.0-only
import type { Value } from "../../program/code.ts";
import type { EffectProgram, NodeId, ProgramNode } from "../../program/program.ts";
import type { Experiment } from "../experiment.ts";
import { name, synthetic } from "../rewrite.ts";
import { buildWalk, RETURNED, WALK_BOUNDS } from "./walk.ts";

const READ: Value = { kind: "call", name: "raw_read_seqcount", args: [name("current->mm->write_protect_seq")], at: -1, end: -1 };

/** The counter read first of all, and again before every way out behind the walk. */
function guarded(program: EffectProgram, walk: NodeId): EffectProgram {
  const call = program.nodes[walk];
  if (call?.kind !== "call") return program;
  const nodes: ProgramNode[] = [...program.nodes];
  const add = (node: ProgramNode): NodeId => nodes.push(node) - 1;
  const gone = add({ ...synthetic("", { kind: "maySleep" }), name: RETURNED, next: program.exit });
  const unpin = add({ ...synthetic("unpin_user_pages_lockless(pages, nr)", { kind: "unpin", reference: "pin", pages: name("pages") }), next: gone });
  const retry = add({ kind: "branch", condition: { kind: "binary", operator: "!=", left: READ, right: name("$seq"), at: -1 }, negated: false, shown: "if (read_seqcount_retry(&mm->write_protect_seq, seq))", at: -1, end: -1, then: unpin, otherwise: program.exit });
  nodes[walk] = { ...call, next: retry };
  const odd = add({ kind: "branch", condition: { kind: "binary", operator: "&", left: name("$seq"), right: { kind: "number", value: 1, at: -1 }, at: -1 }, negated: false, at: -1, end: -1, then: program.exit, otherwise: walk });
  const entry = add({ kind: "assign", target: name("$seq"), operator: "=", value: READ, at: -1, end: -1, next: odd });
  return { ...program, nodes, entry };
}

/** Takes the second look out of the fixed walk again. */
const unguarded = (program: EffectProgram): EffectProgram => ({
  ...program,
  nodes: program.nodes.map((node): ProgramNode => (node.kind === "branch" && node.at < 0 && node.shown?.includes("read_seqcount_retry") ? { kind: "label", name: null, at: -1, next: node.otherwise } : node)),
});

/** FAST-3, FAST-4: the counter is read too late or again too early, or what was pinned is kept. */
export const walkBesideFork = (walk: NodeId): Experiment => ({
  name: "walk-beside-fork",
  primary: ["lost-dma", "leak"],
  secondary: [],
  bounds: WALK_BOUNDS,
  build: (program, release) => buildWalk("walk-beside-fork", program, release, walk, false, true),
  fix: (program) => ({ title: "write_protect_seq read before the walk, and again behind it (57efa1fe5957)", program: guarded(program, walk) }),
  mutate: unguarded,
  wrongFixes: [],
});
