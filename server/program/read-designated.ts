// SPDX-License-Identifier: GPL-2.0-only
import { childByField, kindOf, namedChildren, textOf } from "../syntax/query.ts";
import type { SyntaxTree } from "../syntax/tree.ts";
import type { Value } from "./code.ts";

/**
 * `struct walk w = { .vma = vma, .mm = f(x) }` as the assignments that it is: `w.vma = vma`, `w.mm = f(x)`. Null where the
 * initializer has anything else in it: members in order of a declaration that is not here, members of members, elements.
 */
export function designated(tree: SyntaxTree, initial: number, target: Value, read: (node: number) => Value): readonly Value[] | null {
  if (kindOf(tree, initial) !== "initializer_list") return null;
  const made: Value[] = [];
  for (const pair of namedChildren(tree, initial)) {
    if (kindOf(tree, pair) === "comment") continue;
    const [designator = -1, second] = namedChildren(tree, pair).filter((child) => kindOf(tree, child) !== "comment");
    const value = childByField(tree, pair, "value");
    if (kindOf(tree, pair) !== "initializer_pair" || kindOf(tree, designator) !== "field_designator" || second !== value) return null;
    const at = tree.start[pair] ?? 0;
    const field = textOf(tree, designator).replace(/^\.\s*/, "");
    made.push({ kind: "assign", operator: "=", target: { kind: "member", of: target, field, arrow: false, at }, value: read(value), at, end: tree.end[pair] ?? at });
  }
  return made.length === 0 ? null : made;
}
