// SPDX-License-Identifier: GPL-2.0-only
import { openKernelTree, readKernelTree } from "../node/kernel-tree.ts";
import type { Cover } from "../patch/cover.ts";
import { readPatches } from "../patch/read.ts";
import type { ReviewTree } from "../review/tree.ts";
import { earlierPatches } from "../source/earlier-patches.ts";
import { questionsOf } from "../source/tree-at-hand.ts";

/** The tree of `--tree`, for one document after the other. */
export interface LintTree {
  /** What the review of a document will ask of the tree. */
  read(text: string, covers: readonly Cover[]): Promise<ReviewTree>;
  /** Another file begins. */
  nextDocument(): void;
}

/** Opens the tree of `--tree`: a work tree, a repository, or both. */
export function openLintTree(directory: string): LintTree | { readonly reason: string } {
  const tree = openKernelTree(directory, true);
  if ("reason" in tree) return tree;
  const earlier = earlierPatches();
  return {
    nextDocument: () => earlier.nextDocument(),
    read: async (text, covers) => ({ at: await readKernelTree(tree, questionsOf(readPatches(text), covers)), earlier }),
  };
}
