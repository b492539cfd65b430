// SPDX-License-Identifier: GPL-2.0-only
import { outlineOfImage } from "../analysis/reading.ts";
import type { Runs } from "../analysis/follow.ts";
import { indexOf, type TreeFile } from "../analysis/tree-index.ts";
import { treeOf } from "../analysis/tree.ts";
import { outlineOf } from "../program/outline.ts";
import type { Cover } from "../patch/cover.ts";
import type { MailMessage, Patch } from "../patch/model.ts";
import type { EarlierFile, EarlierPatches } from "../source/earlier-patches.ts";
import { imageOfFile } from "../source/image.ts";
import { preImagesOf, type PreImage } from "../source/pre-image.ts";
import { isC, type TreeAtHand } from "../source/tree-at-hand.ts";
import type { TargetSettings } from "../source/target.ts";
import type { Problem } from "../text/problem.ts";
import type { PreImageReport } from "./finding.ts";
import { TRIGGER_NAMES, type TreeCallers } from "./subject.ts";

/** A kernel tree that shows the code around the hunks, and what the patches before made of it. */
export interface ReviewTree {
  readonly at: TreeAtHand;
  readonly earlier: EarlierPatches;
  /** The files of the work tree, where it is known who calls whom in them. */
  readonly linked?: LinkedTree | null;
}

/** The files of a work tree with their outlines. */
export interface LinkedTree {
  readonly files: readonly TreeFile[];
  readonly textOf: (path: string) => string | null;
  /** Kept from one patch to the next: most of the tree stays as it is. */
  readonly runs: Runs;
}

/** What a tree shows of a patch. */
export interface SeenInTree {
  readonly preImages: readonly PreImage[];
  readonly reports: readonly PreImageReport[];
  readonly target: Pick<TargetSettings, "treeRelease" | "base">;
  readonly callers: TreeCallers | null;
  /** Files of the tree as it is before the patch; absent where not all of the patch applies to it. */
  readonly treeFile?: (path: string) => string | null;
  /** The pre-images of the same patch with other text: what was made of the files before it counts, not what it made of them. */
  again(document: string, patch: Patch): readonly PreImage[];
}

export function seenInTree(document: string, message: MailMessage, patch: Patch, cover: Cover | null, tree: ReviewTree, first?: MailMessage): SeenInTree {
  const earlier = tree.earlier.before(message, first);
  const before = new Map(earlier.files);
  const preImages = preImagesOf(document, patch, tree.at, earlier).filter(({ file }) => isC(file));
  return {
    preImages,
    reports: preImages.map(({ file, origin, offset, fuzz }) => ({ file: file.newPath ?? file.oldPath, from: origin, offset, fuzz })),
    target: { treeRelease: fitsWorkTree(preImages) ? tree.at.release : null, base: baseOf(message, cover, tree.at) },
    callers: tree.linked && standsOnWorkTree(preImages) ? callersIn(tree.linked, before) : null,
    ...(standsOnWorkTree(preImages) ? { treeFile: treeFiles(tree.at, before) } : {}),
    again: (text, edited) => preImagesOf(text, edited, tree.at, { ...earlier, files: new Map(before) }).filter(({ file }) => isC(file)),
  };
}

/** The files of the work tree, with what patches before made of them. */
const treeFiles = (at: TreeAtHand, before: ReadonlyMap<string, EarlierFile>) => (path: string): string | null => {
  const earlier = before.get(path);
  if (earlier !== undefined) return earlier.kind === "text" ? earlier.lines.join("\n") : null;
  const found = at.file(path);
  return found !== null && "text" in found ? found.text : null;
};

/** The Makefile of a work tree says nothing about a patch of which not one file applies to it. */
const fitsWorkTree = (preImages: readonly PreImage[]): boolean =>
  preImages.some((one) => one.fitsWorkTree === true) || preImages.every((one) => one.fitsWorkTree === null);

/** Callers in other files are those of this patch only where all of it belongs to the same tree. */
const standsOnWorkTree = (preImages: readonly PreImage[]): boolean => preImages.every((one) => one.origin === "new-file" || (one.images !== null && one.fitsWorkTree === true));

/** The work tree with what patches before made of it, and with the images of one side. */
const callersIn = ({ files, textOf, runs }: LinkedTree, before: ReadonlyMap<string, EarlierFile>): TreeCallers => (images, release) => {
  const own = new Map(images.flatMap((image) => (image.path === null ? [] : [[image.path, image] as const])));
  const earlier = new Map([...before].flatMap(([path, file]) => (file.kind === "text" && !own.has(path) && /\.[ch]$/.test(path) ? [[path, file.lines.join("\n")] as const] : [])));
  const others = files.filter(({ path }) => !own.has(path) && !earlier.has(path));
  const index = indexOf([
    ...others,
    ...[...earlier].map(([path, text]) => ({ path, outline: outlineOf(text) })),
    ...[...own].map(([path, image]) => ({ path, outline: outlineOfImage(image) })),
  ]);
  const text = (path: string): string | null => own.get(path)?.text ?? earlier.get(path) ?? textOf(path);
  return treeOf(index, text, release, TRIGGER_NAMES, { runs, imageOf: (path, code) => own.get(path) ?? imageOfFile(path, code) }).follow;
};

function baseOf(message: MailMessage, cover: Cover | null, tree: TreeAtHand): TargetSettings["base"] {
  const commit = message.base.commit ?? cover?.base.commit ?? null;
  const release = commit === null ? null : tree.releaseOf(commit);
  return commit === null || release === null ? null : { commit, release };
}

/** Of a patch that concerns no rule, where its code came from is nobody's question; a blob that is not what it should be is. */
export function treeProblems({ preImages }: SeenInTree, isConcerned: boolean): readonly Problem[] {
  const problems = preImages.flatMap((one) => one.problems).filter((problem) => isConcerned || problem.code === "preimage-blob");
  // A patch that does not apply does not apply anywhere: one line says so for all of its files.
  const alike = new Map<string, Problem[]>();
  for (const problem of problems) {
    const list = alike.get(problem.code) ?? [];
    alike.set(problem.code, list);
    list.push(problem);
  }
  return [...alike.values()].flatMap(([first, ...more]) => (first === undefined ? [] : [more.length === 0 ? first : { ...first, message: `${first.message}; the same for ${more.length} more` }]));
}
