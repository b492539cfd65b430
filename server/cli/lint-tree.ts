// SPDX-License-Identifier: GPL-2.0-only
import { openKernelTree, readKernelTree, workTreeRelease } from "../node/kernel-tree.ts";
import type { Cover } from "../patch/cover.ts";
import { readPatches } from "../patch/read.ts";
import type { LinkedTree, ReviewTree } from "../review/tree.ts";
import { earlierPatches } from "../source/earlier-patches.ts";
import { questionsOf } from "../source/tree-at-hand.ts";
import type { CliIo } from "./io.ts";
import { keptIndex } from "./tree.ts";

/** The tree of `--tree`, for one document after the other. */
export interface LintTree {
  /** What the review of a document will ask of the tree. */
  read(text: string, covers: readonly Cover[]): Promise<ReviewTree>;
  /** Another file begins. */
  nextDocument(): void;
}

/** Opens the tree of `--tree`: a work tree, a repository, or both. */
export function openLintTree(directory: string, io: CliIo): LintTree | { readonly reason: string } {
  const tree = openKernelTree(directory, true);
  if ("reason" in tree) return tree;
  if (tree.repository === null && workTreeRelease(tree) === null) return { reason: "neither a kernel work tree nor a Git repository" };
  const earlier = earlierPatches();
  let linked: LinkedTree | null | undefined;
  return {
    nextDocument: () => earlier.nextDocument(),
    async read(text, covers) {
      if (linked === undefined) linked = tree.hasWorkTree ? keptIndex(tree.root, io) : null;
      return { at: await readKernelTree(tree, questionsOf(readPatches(text), covers)), earlier, linked };
    },
  };
}
