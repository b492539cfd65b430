// SPDX-License-Identifier: GPL-2.0-only
import type { BranchNode, EffectProgram, NodeId, ProgramNode } from "../program/program.ts";
import { questionOf } from "../program/question.ts";
import { render } from "../program/render.ts";

/*
 * For those who follow the paths of a graph one by one: variables that are given 0 or 1 on the way, and tested later
 * (`must = true; ... if (must)`), so that no path is followed that there is not.
 */

/** Values of such variables on one path, by number of the variable: `-` not known, else the digit. */
export type KnownFlags = string;

export interface FlagsOfPaths {
  readonly none: KnownFlags;
  /** After a node. */
  after(node: ProgramNode, known: KnownFlags): KnownFlags;
  /** Where a test can lead. */
  ways(branch: BranchNode, known: KnownFlags): readonly { readonly id: NodeId; readonly outcome: boolean }[];
}

/** Each doubles the paths at most. */
const MOST_FLAGS = 6;

export function flagsOfPaths({ nodes }: EffectProgram): FlagsOfPaths {
  const tested = new Set(nodes.flatMap((node) => (node.kind === "branch" ? [questionOf(node.condition).key] : [])));
  const given = nodes.flatMap((node) => (valueGiven(node) === null || node.kind !== "assign" ? [] : [render(node.target)]));
  const names = [...new Set(given)].filter((name) => tested.has(name)).slice(0, MOST_FLAGS);
  const put = (known: KnownFlags, name: string, value: string): KnownFlags => {
    const index = names.indexOf(name);
    return index < 0 ? known : known.slice(0, index) + value + known.slice(index + 1);
  };
  return {
    none: "-".repeat(names.length),
    after: (node, known) => writtenBy(node).reduce((before, name) => put(before, name, valueGiven(node) ?? "-"), known),
    ways({ condition, then, otherwise }, known) {
      const { key, inverted } = questionOf(condition);
      const value = known[names.indexOf(key)] ?? "-";
      const both = [{ id: then, outcome: true }, { id: otherwise, outcome: false }];
      const isTrue = (value === "1") !== inverted;
      return value === "-" ? both : both.filter(({ outcome }) => outcome === isTrue);
    },
  };
}

/** The digit that an assignment of a constant gives. */
const valueGiven = (node: ProgramNode): "0" | "1" | null =>
  node.kind === "assign" && node.operator === "=" && node.value?.kind === "number" ? (node.value.value === 0 ? "0" : "1") : null;

function writtenBy(node: ProgramNode): readonly string[] {
  if (node.kind === "assign") return [render(node.target)];
  if (node.kind !== "call") return [];
  const handed = node.args.flatMap((arg) => (arg.kind === "unary" && arg.operator === "&" ? [render(arg.of)] : []));
  return node.result === null ? handed : [...handed, node.result];
}
