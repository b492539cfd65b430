// SPDX-License-Identifier: GPL-2.0-only
import type { Release } from "../kernel/release.ts";
import type { Value } from "../program/code.ts";
import type { CallNode, EffectProgram, ProgramNode } from "../program/program.ts";
import { imageOfFile } from "../source/image.ts";
import { follower, type Callers, type CallSite } from "./follow.ts";
import type { TreeCaller, TreeIndex } from "./tree-index.ts";
import { unitOf, type Unit } from "./unit.ts";

/** The files of a tree as units whose callers are known; each is lowered when it is first asked for. */
export interface Tree {
  /** The file as a unit that can follow callers into other files, or null where it cannot be read. */
  unit(path: string): Unit | null;
  /** What was asked of the tree since the last call of this function. */
  takeTrace(): Trace;
}

/** What a result rests on besides its own file: as long as all of this is the same, the result is. */
export interface Trace {
  /** Files that were read, ordered. */
  readonly files: readonly string[];
  /** Questions for callers, as path and function, ordered. */
  readonly questions: readonly (readonly [path: string, name: string])[];
}

/** Calls of a node: its own, or those that its value is made of because no effect of them is known. */
function callsOf(node: ProgramNode): readonly CallNode[] {
  if (node.kind === "call") return node.inlined === undefined ? [node, ...node.args.flatMap(callsIn)] : [];
  if (node.kind === "branch") return callsIn(node.condition);
  return node.kind === "assign" || node.kind === "return" ? (node.value ? callsIn(node.value) : []) : [];
}

function callsIn(value: Value): readonly CallNode[] {
  const parts = Object.values(value).flatMap((part: unknown) => (Array.isArray(part) ? (part as unknown[]) : [part]));
  const inner = parts.flatMap((part) => (typeof part === "object" && part !== null && "kind" in part && "at" in part ? callsIn(part as Value) : []));
  if (value.kind !== "call") return inner;
  const { name, args, at, end } = value;
  return [{ kind: "call", name, args, result: null, effects: [], knowledge: "quiet", at, end, next: -1 }, ...inner];
}

export function treeOf(index: TreeIndex, textOf: (path: string) => string | null, release: Release): Tree {
  const units = new Map<string, Unit | null>();
  const files = new Set<string>();
  const questions = new Map<string, readonly [string, string]>();
  const lowered = (path: string): Unit | null => {
    files.add(path);
    const known = units.get(path);
    if (known !== undefined) return known;
    const text = textOf(path);
    const unit = text === null ? null : { ...unitOf([imageOfFile(path, text)], release), follow: following.follow };
    units.set(path, unit);
    return unit;
  };

  const callersOf = (program: EffectProgram): Callers => {
    const path = program.image.path ?? "";
    questions.set(`${path} ${program.name}`, [path, program.name]);
    const { callers, complete } = index.callersOf(path, program.name);
    const isRoot = /^(?:compat_)?sys_/.test(program.name) && callers.length === 0;
    return { sites: callers.flatMap((caller) => sitesIn(caller, program.name)), complete, isRoot };
  };

  const sitesIn = ({ path, fn, pointer }: TreeCaller, name: string): CallSite[] =>
    (lowered(path)?.programs ?? [])
      .filter((caller) => caller.name === fn.name && caller.start === fn.start)
      .flatMap((caller) =>
        caller.nodes.flatMap((node, id) =>
          callsOf(node)
            .filter((call) => (pointer === null ? call.name === name : /(?:->|\.)(\w+)$/.exec(call.name)?.[1] === pointer))
            .map((call) => ({ caller, node: id, call, pointer, gives: fn.uses })),
        ),
      );

  const following = follower(callersOf);
  return {
    unit: lowered,
    takeTrace() {
      const trace = { files: [...files].sort(), questions: [...questions].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, question]) => question) };
      files.clear();
      questions.clear();
      return trace;
    },
  };
}
