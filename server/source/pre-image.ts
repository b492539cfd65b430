// SPDX-License-Identifier: GPL-2.0-only
import type { FileDiff, Patch } from "../patch/model.ts";
import type { Problem } from "../text/problem.ts";
import { applicableHunks, type ApplicableHunk } from "./applicable.ts";
import type { EarlierFile, EarlierFiles } from "./earlier-patches.ts";
import { placeBudget, placeExactly, placeNearby, type Misplaced, type PlaceBudget, type Placement } from "./place-hunks.ts";
import type { TreeAtHand } from "./tree-at-hand.ts";
import { linesOfText, wholeImages, type WholeImages } from "./whole-image.ts";

/**
 * Where the code around the hunks of a file comes from. `blob`: the blob of its `index` line; `series`: an earlier patch;
 * `work-tree`; `applied`: the work tree, which has the patch already; `new-file`: the patch shows all there is;
 * `fragment`: nowhere, the hunks are all there is.
 */
export type PreImageOrigin = "blob" | "series" | "work-tree" | "applied" | "new-file" | "fragment";

export interface PreImage {
  readonly file: FileDiff;
  readonly origin: PreImageOrigin;
  /** Both sides as a whole; null where the hunks are all there is. */
  readonly images: WholeImages | null;
  /** How far from the places of their headers the hunks stand, and how many context lines differ. */
  readonly offset: number;
  readonly fuzz: number;
  /** True where the file of the work tree takes the patch, or has it; null where there is nothing to take it. */
  readonly fitsWorkTree: boolean | null;
  /** What was wrong with a text that was at hand. */
  readonly problems: readonly Problem[];
}

/** A text that takes the hunks. */
interface Fitting {
  readonly lines: readonly string[];
  readonly placement: Placement;
  readonly side: "old" | "new";
}

/** The pre-images of all files of a patch. What the patch makes of them is kept in `earlier` for the patches after it. */
export function preImagesOf(document: string, patch: Patch, tree: TreeAtHand, earlier: EarlierFiles): readonly PreImage[] {
  const counts = new Map<string | null, number>();
  for (const file of patch.files) counts.set(pathOf(file), (counts.get(pathOf(file)) ?? 0) + 1);
  // Two diffs of one file stand on each other, or are two versions: nobody says which.
  const made = patch.files.map((file) => (counts.get(pathOf(file)) === 1 ? preImageOf(document, patch, file, tree, earlier) : fragment(file, [])));
  for (const one of made) remember(patch, one, earlier);
  return made;
}

const pathOf = (file: FileDiff): string | null => file.newPath ?? file.oldPath;

const fragment = (file: FileDiff, problems: readonly Problem[], fitsWorkTree: boolean | null = false): PreImage =>
  ({ file, origin: "fragment", images: null, offset: 0, fuzz: 0, fitsWorkTree, problems });

function preImageOf(document: string, patch: Patch, file: FileDiff, tree: TreeAtHand, earlier: EarlierFiles): PreImage {
  if (file.change === "created") return { ...fragment(file, [], null), origin: "new-file" };
  const hunks = file.change === "deleted" ? null : applicableHunks(patch, file);
  if (hunks === null || file.oldPath === null) return fragment(file, [], file.hunks.length === 0 ? null : false);
  const blob = fromBlob(file, hunks, tree);
  const nearby = fromEarlier(file, hunks, earlier, budgetOf(tree)) ?? fromWorkTree(file, hunks, tree, earlier);
  const found = "fitting" in blob ? blob : nearby;
  const problems = [...("problem" in blob ? [blob.problem] : []), ...("problem" in found && found !== blob ? [found.problem] : [])];
  const fitsWorkTree = "fitting" in nearby && nearby.fitsWorkTree;
  if (!("fitting" in found)) return fragment(file, problems, fitsWorkTree);
  const { lines, placement, side } = found.fitting;
  return {
    file, origin: found.origin, images: wholeImages(document, file, lines, placement, side),
    offset: placement.offset, fuzz: placement.fuzz, fitsWorkTree, problems,
  };
}

const budgets = new WeakMap<TreeAtHand, PlaceBudget>();

/** A tree at hand is that of one document. */
function budgetOf(tree: TreeAtHand): PlaceBudget {
  const known = budgets.get(tree) ?? placeBudget();
  budgets.set(tree, known);
  return known;
}

type Source = { readonly origin: PreImageOrigin; readonly fitting: Fitting; readonly fitsWorkTree: boolean } | { readonly problem: Problem } | { readonly nothing: true };

/** The blob must take the hunks exactly as they are: it is what the patch was made from. */
function fromBlob(file: FileDiff, hunks: readonly ApplicableHunk[], tree: TreeAtHand): Source {
  const name = file.index?.old;
  const blob = name === undefined ? null : tree.blob(name);
  if (blob === null) return { nothing: true };
  if ("reason" in blob) return ignored(file, `${name}: ${blob.reason}`);
  const lines = linesOfText(blob.text);
  const placement = placeExactly(lines, hunks, "old", budgetOf(tree));
  if ("reason" in placement) return ignored(file, `${name} is in the repository, but the hunks do not apply to it`);
  return { origin: "blob", fitting: { lines, placement, side: "old" }, fitsWorkTree: false };
}

const ignored = (file: FileDiff, what: string): Source => ({ problem: { code: "preimage-blob", message: `the blob of the index line was ignored: ${what}`, line: file.line } });

/** The file as patches before this one left it; null where they did not touch it, or are not known to be of one series. */
function fromEarlier(file: FileDiff, hunks: readonly ApplicableHunk[], earlier: EarlierFiles, budget: PlaceBudget): Source | null {
  const known = earlier.files.get(file.oldPath ?? "");
  if (known === undefined || known.kind === "lost") return null;
  const fitting = fitInto(known.lines, hunks, budget);
  if ("side" in fitting) return { origin: "series", fitting, fitsWorkTree: known.fitsWorkTree };
  return earlier.isSeries ? misplaced(file, fitting, "what the patches before made of it") : null;
}

function fromWorkTree(file: FileDiff, hunks: readonly ApplicableHunk[], tree: TreeAtHand, earlier: EarlierFiles): Source {
  const isBehind = earlier.isIncomplete || earlier.files.get(file.oldPath ?? "")?.kind === "lost";
  const path = [file.oldPath, file.newPath].find((one) => one !== null && tree.file(one) !== null) ?? null;
  const found = path === null ? null : tree.file(path);
  if (found === null) return { nothing: true };
  if ("reason" in found) return { problem: { code: "preimage-tree", message: `${path} of the tree was not read: ${found.reason}`, line: file.line } };
  const fitting = fitInto(linesOfText(found.text), hunks, budgetOf(tree));
  if (!("side" in fitting)) return misplaced(file, fitting, "the tree");
  // A renamed file stands under its old name before the patch and under its new one after it.
  if (file.oldPath !== file.newPath && path !== (fitting.side === "old" ? file.oldPath : file.newPath)) return { nothing: true };
  if (isBehind && fitting.side === "old") {
    return { problem: { code: "preimage-series", message: `patches before this one change what it applies to, and the tree does not have them: ${path} was reviewed from its hunks alone`, line: file.line } };
  }
  return { origin: fitting.side === "old" ? "work-tree" : "applied", fitting, fitsWorkTree: true };
}

function misplaced(file: FileDiff, { reason, line }: Misplaced, where: string): Source {
  const why = { absent: "does not apply to", ambiguous: "applies at more than one place to", "too-long": "is too long to be looked for in" }[reason];
  return { problem: { code: "preimage-not-applied", message: `this hunk ${why} ${where}: ${pathOf(file) ?? "the file"} was reviewed from its hunks alone`, line } };
}

/** Where the hunks stand in a text that has one side of them or the other; a text that may have both has neither for sure. */
function fitInto(lines: readonly string[], hunks: readonly ApplicableHunk[], budget: PlaceBudget): Fitting | Misplaced {
  const forward = placeNearby(lines, hunks, "old", 0, budget);
  const backward = placeNearby(lines, hunks, "new", 0, budget);
  const fits = (placement: Placement | Misplaced): placement is Placement => !("reason" in placement);
  const fitting = (placement: Placement, side: "old" | "new"): Fitting => ({ lines, placement, side });
  if (fits(forward) && fits(backward)) {
    if ((forward.offset === 0) !== (backward.offset === 0)) return forward.offset === 0 ? fitting(forward, "old") : fitting(backward, "new");
    return { reason: "ambiguous", line: hunks[0]?.hunk.line ?? 1 };
  }
  if (fits(forward)) return fitting(forward, "old");
  if (fits(backward)) return fitting(backward, "new");
  const loose = placeNearby(lines, hunks, "old", 2, budget);
  if (!fits(loose)) return loose;
  return fits(placeNearby(lines, hunks, "new", 2, budget)) ? { reason: "ambiguous", line: hunks[0]?.hunk.line ?? 1 } : fitting(loose, "old");
}

/** Keeps what the patch makes of a file. */
function remember(patch: Patch, { file, images, fitsWorkTree }: PreImage, { files, isSeries }: EarlierFiles): void {
  const path = file.newPath;
  if (path === null) return void (file.oldPath !== null && files.set(file.oldPath, { kind: "lost" }));
  const lines = images?.newLines ?? (file.change === "created" ? applicableHunks(patch, file)?.[0]?.new : undefined);
  if (lines !== undefined) files.set(path, { kind: "text", lines, fitsWorkTree: fitsWorkTree !== false } satisfies EarlierFile);
  // A patch without numbers that does not fit says nothing about the next one.
  else if (isSeries && file.hunks.length > 0) files.set(path, { kind: "lost" });
}
