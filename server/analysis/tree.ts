// SPDX-License-Identifier: GPL-2.0-only
import type { Release } from "../kernel/release.ts";
import type { EffectProgram } from "../program/program.ts";
import { imageOfFile } from "../source/image.ts";
import { follower, type Callers, type CallSite } from "./follow.ts";
import type { TreeCaller, TreeIndex } from "./tree-index.ts";
import { unitOf, type Unit } from "./unit.ts";

/** The files of a tree as units whose callers are known; each is lowered when it is first asked for. */
export interface Tree {
  /** The file as a unit that can follow callers into other files, or null where it cannot be read. */
  unit(path: string): Unit | null;
}

export function treeOf(index: TreeIndex, textOf: (path: string) => string | null, release: Release): Tree {
  const units = new Map<string, Unit | null>();
  const lowered = (path: string): Unit | null => {
    const known = units.get(path);
    if (known !== undefined) return known;
    const text = textOf(path);
    const unit = text === null ? null : { ...unitOf([imageOfFile(path, text)], release), follow: following.follow };
    units.set(path, unit);
    return unit;
  };

  const callersOf = (program: EffectProgram): Callers => {
    const path = program.image.path ?? "";
    const { callers, complete } = index.callersOf(path, program.name);
    const isRoot = /^(?:compat_)?sys_/.test(program.name) && callers.length === 0;
    return { sites: callers.flatMap((caller) => sitesIn(caller, program.name)), complete, isRoot };
  };

  const sitesIn = ({ path, fn, pointer }: TreeCaller, name: string): CallSite[] =>
    (lowered(path)?.programs ?? [])
      .filter((caller) => caller.name === fn.name && caller.start === fn.start)
      .flatMap((caller) =>
        caller.nodes.flatMap((call, node) => {
          if (call.kind !== "call" || call.inlined !== undefined) return [];
          const matches = pointer === null ? call.name === name : /(?:->|\.)(\w+)$/.exec(call.name)?.[1] === pointer;
          return matches ? [{ caller, node, call }] : [];
        }),
      );

  const following = follower(callersOf);
  return { unit: lowered };
}
