// SPDX-License-Identifier: GPL-2.0-only
import { childByField, kindOf, namedChildren, textOf } from "../syntax/query.ts";
import type { SyntaxTree } from "../syntax/tree.ts";
import type { Value } from "./code.ts";
import { not } from "./condition.ts";
import { isDefined } from "./read-value.ts";

/** One branch of `#if`: what it is read under, all branches before it being off. */
export interface ConfiguredBranch {
  /** null for `#else`. */
  readonly condition: Value | null;
  /** The directive as it stands, on one line. */
  readonly text: string;
  readonly at: number;
  /** What stands in the branch. */
  readonly nodes: readonly number[];
}

export const isConditional = (tree: SyntaxTree, node: number): boolean => /^preproc_if(?:def)?$/.test(kindOf(tree, node));

/** The branches of a conditional, in order of text. */
export function branchesOf(tree: SyntaxTree, conditional: number, readValue: (node: number) => Value): ConfiguredBranch[] {
  const branches: ConfiguredBranch[] = [];
  for (let node = conditional; node >= 0; node = childByField(tree, node, "alternative")) {
    const name = childByField(tree, node, "name");
    const head = name >= 0 ? name : childByField(tree, node, "condition");
    const alternative = childByField(tree, node, "alternative");
    const at = tree.start[node] ?? 0;
    branches.push({
      condition: head < 0 ? null : conditionOf(tree, node, name, head, readValue),
      text: head < 0 ? "#else" : tree.text.slice(at, tree.end[head]).replace(/\\\n|\s+/g, " "),
      at,
      nodes: namedChildren(tree, node).filter((child) => child !== head && child !== alternative),
    });
  }
  return branches;
}

function conditionOf(tree: SyntaxTree, node: number, name: number, head: number, readValue: (node: number) => Value): Value {
  if (name < 0) return readValue(head);
  const defined = isDefined(tree, name);
  return /^#[ \t]*(?:el)?ifn/.test(textOf(tree, node)) ? not(defined) : defined;
}
