// SPDX-License-Identifier: GPL-2.0-only
import type { Mask, SyntaxTree } from "./tree.ts";

/** The kind's name; `""` for a node that does not exist, as -1. */
export function kindOf(tree: SyntaxTree, node: number): string {
  return tree.kindNames[tree.kind[node] ?? 0] ?? "";
}

const kindIds = new WeakMap<readonly string[], ReadonlyMap<string, number>>();

/** The number that `tree.kind` holds for nodes of this kind, or -1 where the grammar has no such kind. */
export function kindId(tree: SyntaxTree, name: string): number {
  return indexOf(kindIds, tree.kindNames, name);
}

const fieldIds = new WeakMap<readonly string[], ReadonlyMap<string, number>>();

/** The number that `tree.field` holds for this field, or -1. */
export function fieldId(tree: SyntaxTree, name: string): number {
  return indexOf(fieldIds, tree.fieldNames, name);
}

function indexOf(
  cache: WeakMap<readonly string[], ReadonlyMap<string, number>>,
  names: readonly string[],
  name: string,
): number {
  let index = cache.get(names);
  if (index === undefined) {
    index = new Map(names.map((each, position) => [each, position]));
    cache.set(names, index);
  }
  return index.get(name) ?? -1;
}

/** The node's original text; `""` for -1. */
export function textOf(tree: SyntaxTree, node: number): string {
  return node < 0 ? "" : tree.text.slice(tree.start[node], tree.end[node]);
}

/** The first child held by the field, or -1. */
export function childByField(tree: SyntaxTree, node: number, field: string): number {
  const wanted = fieldId(tree, field);
  if (node < 0 || wanted <= 0) return -1;
  let child = tree.firstChild[node] ?? -1;
  while (child >= 0 && tree.field[child] !== wanted) child = tree.nextSibling[child] ?? -1;
  return child;
}

/** All children in order of text, punctuation and comments included. */
export function childrenOf(tree: SyntaxTree, node: number): readonly number[] {
  const children: number[] = [];
  if (node < 0) return children;
  for (let child = tree.firstChild[node] ?? -1; child >= 0; child = tree.nextSibling[child] ?? -1) {
    children.push(child);
  }
  return children;
}

/** The named children without comments. */
export function namedChildren(tree: SyntaxTree, node: number): readonly number[] {
  const comment = kindId(tree, "comment");
  return childrenOf(tree, node).filter((child) => isNamed(tree, child) && tree.kind[child] !== comment);
}

export function isNamed(tree: SyntaxTree, node: number): boolean {
  return ((tree.flags[node] ?? 0) & 1) !== 0;
}

/** True for an ERROR node itself, not for what contains one. */
export function isError(tree: SyntaxTree, node: number): boolean {
  return ((tree.flags[node] ?? 0) & 2) !== 0;
}

/** True for a token that the parser made up; its range is empty. */
export function isMissing(tree: SyntaxTree, node: number): boolean {
  return ((tree.flags[node] ?? 0) & 4) !== 0;
}

/** The end of the subtree in the numbering of nodes: the nodes of the subtree are `node` up to it, exclusive. */
export function subtreeEnd(tree: SyntaxTree, node: number): number {
  for (let at = node; at >= 0; at = tree.parent[at] ?? -1) {
    const next = tree.nextSibling[at] ?? -1;
    if (next >= 0) return next;
  }
  return tree.size;
}

const lineStartsByTree = new WeakMap<SyntaxTree, Int32Array>();

/** The 0-based row of the node's start. */
export function lineOf(tree: SyntaxTree, node: number): number {
  return lineAt(tree, tree.start[node] ?? 0);
}

/** The 0-based row of an offset. */
export function lineAt(tree: SyntaxTree, offset: number): number {
  let starts = lineStartsByTree.get(tree);
  if (starts === undefined) {
    starts = lineStartsOf(tree.text);
    lineStartsByTree.set(tree, starts);
  }
  return lastNotAbove(starts.length, (index) => starts[index] ?? 0, offset);
}

function lineStartsOf(text: string): Int32Array {
  const starts = [0];
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  return Int32Array.from(starts);
}

/**
 * The mask that begins exactly at the offset, or null. The offset of an iterator's `while_statement`, for example,
 * gives the iterator mask with the macro's name.
 */
export function maskAt(tree: SyntaxTree, start: number): Mask | null {
  const index = lastNotAbove(tree.masks.length, (position) => tree.masks[position]?.start ?? 0, start);
  const mask = tree.masks[index];
  return mask !== undefined && mask.start === start ? mask : null;
}

/** The masks that begin within [start, end), in order. */
export function masksWithin(tree: SyntaxTree, start: number, end: number): readonly Mask[] {
  const first = lastNotAbove(tree.masks.length, (position) => tree.masks[position]?.start ?? 0, start - 1) + 1;
  const found: Mask[] = [];
  for (let index = first; index < tree.masks.length; index++) {
    const mask = tree.masks[index];
    if (mask === undefined || mask.start >= end) break;
    found.push(mask);
  }
  return found;
}

/** The last index of a rising column whose value is at most the limit, or -1. */
function lastNotAbove(length: number, valueAt: (index: number) => number, limit: number): number {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (valueAt(middle) <= limit) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
