// SPDX-License-Identifier: GPL-2.0-only
import { lstatSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { TreeAtHand, TreeQuestions } from "../source/tree-at-hand.ts";
import { openKernelTree, readKernelTree, workTreeRelease, type KernelTree } from "./kernel-tree.ts";

function folderOf(uri: string): string | null {
  try {
    return uri.startsWith("file:") ? fileURLToPath(uri) : null;
  } catch {
    return null;
  }
}

/** A Makefile that names a release, and memory management. */
const isKernel = (tree: KernelTree): boolean =>
  workTreeRelease(tree) !== null && lstatSync(join(tree.root, "mm"), { throwIfNoEntry: false })?.isDirectory() === true;

/** The folder that holds the document comes first: a workspace may have several kernels. */
const nearestFirst = (folders: readonly string[], uri: string): readonly string[] =>
  folders.toSorted((a, b) => Number(uri.startsWith(`${b.replace(/\/$/, "")}/`)) - Number(uri.startsWith(`${a.replace(/\/$/, "")}/`)));

/**
 * What the kernel tree among the workspace folders (URIs) answers to the questions of a document; null where no folder is one.
 * Git is asked in a trusted workspace only; elsewhere files of the folder are read and nothing is run. Never rejects.
 */
export async function workspaceTree(folders: readonly string[], uri: string, questions: TreeQuestions, isTrusted: boolean): Promise<TreeAtHand | null> {
  for (const folder of nearestFirst(folders, uri)) {
    const path = folderOf(folder);
    const tree = path === null ? null : openKernelTree(path, isTrusted);
    if (tree === null || "reason" in tree || !tree.hasWorkTree || !isKernel(tree)) continue;
    return readKernelTree(tree, questions);
  }
  return null;
}
