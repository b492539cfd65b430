// SPDX-License-Identifier: GPL-2.0-only
import type { Value } from "../program/code.ts";
import type { BoundEffect, EffectProgram, ProgramNode } from "../program/program.ts";
import { namesIn, render } from "../program/render.ts";

/*
 * Whose i_mmap_rwsem a lock call means. Only `vma->vm_file->f_mapping` says it; any other text may be the mapping of the
 * VMA that is walked.
 */

/** The VMA that a walk names, directly or through its mm; null: none. */
export const vmaOfWalk = ({ vma, mm }: BoundEffect & { kind: "hugetlbWalk" }): string | null =>
  vma ? render(vma) : mm?.kind === "member" && mm.field === "vm_mm" ? render(mm.of) : null;

/** True where the mapping is that of a VMA with another name. `alsoNamed`: other names of the VMA; null: any. */
export function isOtherMapping(mapping: string, vma: string | null, alsoNamed: ReadonlySet<string> | null): boolean {
  const owner = /^(.+?)->vm_file->f_mapping$/.exec(mapping)?.[1];
  return owner !== undefined && vma !== null && alsoNamed !== null && owner !== vma && !alsoNamed.has(owner);
}

const FROM_TREE = /^(?:vma_interval_tree_|anon_vma_interval_tree_)/;

/**
 * Other names that a VMA may have: what it is copied from or to, or compared with, in any order. null where it was found in the tree of a
 * mapping, so that the lock of the mapping is the lock of every VMA in it.
 */
export function namesOfVma(program: EffectProgram, vma: string): ReadonlySet<string> | null {
  const names = new Set([vma]);
  for (let size = 0; size !== names.size; ) {
    size = names.size;
    for (const node of program.nodes) {
      const pair = madeEqual(node);
      if (!pair) continue;
      const [target, value] = pair;
      if (names.has(target)) names.add(value);
      else if (names.has(value)) names.add(target);
    }
  }
  const fromTree = program.nodes.some(
    (node) =>
      (node.kind === "call" && FROM_TREE.test(node.name) && [...node.args.flatMap((arg) => namesIn(arg)), node.result ?? ""].some((name) => names.has(name))) ||
      (node.kind === "assign" && node.value?.kind === "call" && FROM_TREE.test(node.value.name) && names.has(render(node.target))) ||
      (node.kind === "choice" && FROM_TREE.test(node.text) && turnsOf(program, node.at).some((name) => names.has(name))),
  );
  return fromTree ? null : names;
}

/** Two places that are the same behind the node, at least on one path; null: none. */
function madeEqual(node: ProgramNode): readonly [string, string] | null {
  if (node.kind === "assign") return node.value === null ? null : [render(node.target), render(node.value)];
  if (node.kind !== "branch" || node.condition.kind !== "binary" || !/^[!=]=$/.test(node.condition.operator)) return null;
  const { left, right } = node.condition;
  return isPlace(left) && isPlace(right) ? [render(left), render(right)] : null;
}

const isPlace = ({ kind }: Value): boolean => kind === "name" || kind === "member";

/** Variables that the loop at this place sets anew in every turn. */
const turnsOf = (program: EffectProgram, at: number): string[] =>
  program.nodes.flatMap((node) => (node.kind === "assign" && node.value === null && node.at === at ? [render(node.target)] : []));
