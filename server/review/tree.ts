// SPDX-License-Identifier: GPL-2.0-only
import type { Cover } from "../patch/cover.ts";
import type { MailMessage, Patch } from "../patch/model.ts";
import type { EarlierPatches } from "../source/earlier-patches.ts";
import { preImagesOf, type PreImage } from "../source/pre-image.ts";
import { isC, type TreeAtHand } from "../source/tree-at-hand.ts";
import type { TargetSettings } from "../source/target.ts";
import type { Problem } from "../text/problem.ts";
import type { PreImageReport } from "./finding.ts";

/** A kernel tree that shows the code around the hunks, and what the patches before made of it. */
export interface ReviewTree {
  readonly at: TreeAtHand;
  readonly earlier: EarlierPatches;
}

/** What a tree shows of a patch. */
export interface SeenInTree {
  readonly preImages: readonly PreImage[];
  readonly reports: readonly PreImageReport[];
  readonly target: Pick<TargetSettings, "treeRelease" | "base">;
}

export function seenInTree(document: string, message: MailMessage, patch: Patch, cover: Cover | null, tree: ReviewTree): SeenInTree {
  const preImages = preImagesOf(document, patch, tree.at, tree.earlier.before(message)).filter(({ file }) => isC(file));
  return {
    preImages,
    reports: preImages.map(({ file, origin, offset, fuzz }) => ({ file: file.newPath ?? file.oldPath, from: origin, offset, fuzz })),
    target: { treeRelease: fitsWorkTree(preImages) ? tree.at.release : null, base: baseOf(message, cover, tree.at) },
  };
}

/** The Makefile of a work tree says nothing about a patch of which not one file applies to it. */
const fitsWorkTree = (preImages: readonly PreImage[]): boolean =>
  preImages.some((one) => one.fitsWorkTree === true) || preImages.every((one) => one.fitsWorkTree === null);

function baseOf(message: MailMessage, cover: Cover | null, tree: TreeAtHand): TargetSettings["base"] {
  const commit = message.base.commit ?? cover?.base.commit ?? null;
  const release = commit === null ? null : tree.releaseOf(commit);
  return commit === null || release === null ? null : { commit, release };
}

/** Of a patch that concerns no rule, where its code came from is nobody's question; a blob that is not what it should be is. */
export function treeProblems({ preImages }: SeenInTree, isConcerned: boolean): readonly Problem[] {
  const problems = preImages.flatMap((one) => one.problems).filter((problem) => isConcerned || problem.code === "preimage-blob");
  // A patch that does not apply does not apply anywhere: one line says so for all of its files.
  return problems.flatMap((problem, index) => {
    const alike = problems.filter(({ code }) => code === problem.code);
    if (alike.length === 1) return [problem];
    return problems.findIndex(({ code }) => code === problem.code) === index ? [{ ...problem, message: `${problem.message}; the same for ${alike.length - 1} more` }] : [];
  });
}
