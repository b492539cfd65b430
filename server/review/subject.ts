// SPDX-License-Identifier: GPL-2.0-only
import { leadsToCall, touchedFunctions } from "../analysis/reading.ts";
import type { Follower } from "../analysis/follow.ts";
import { unitOf, type Unit } from "../analysis/unit.ts";
import { frameFor } from "../kernel/frames.ts";
import { namesWithEffect } from "../kernel/facts.ts";
import type { Release } from "../kernel/release.ts";
import type { Target } from "../kernel/target.ts";
import { readSubjectTag } from "../mail/subject-tag.ts";
import { commitMessage } from "../patch/commit-message.ts";
import type { FileDiff, Patch } from "../patch/model.ts";
import { RULES } from "../rules/registry.ts";
import type { PatchFacts, Subject } from "../rules/rule.ts";
import { addedComments } from "../source/added-comments.ts";
import { imageOfDiff, imageOfFile, type Image } from "../source/image.ts";
import type { PreImage } from "../source/pre-image.ts";
import type { SeriesView } from "../source/series-code.ts";
import { wordsOf } from "../source/series-definitions.ts";
import type { ShownHunk } from "../source/shown.ts";
import type { DecidedTarget } from "../source/target.ts";
import type { WholeImages } from "../source/whole-image.ts";
import { isC } from "../source/tree-at-hand.ts";

/** Goes up to callers in the files of a tree, of which the images take the place. */
export type TreeCallers = (images: readonly Image[], release: Release) => Follower["follow"];

/** Calls that some rule asks about: text without any of them needs no parsing. */
export const TRIGGER_NAMES: ReadonlySet<string> = new Set(RULES.flatMap((rule) => rule.effects.flatMap((kind) => [...namesWithEffect(kind)])));

const TRIGGERS = new RegExp(`\\b(?:${[...TRIGGER_NAMES].join("|")})\\b`);

/** Words of the lines of a patch, wherever the rest of their files comes from. */
const WORDS = new RegExp(`\\b(?:${[...new Set(RULES.flatMap((rule) => rule.words ?? []))].join("|")})\\b`);

/** One side of the C files that a patch touches, as far as the patch shows it. */
export const imagesOf = (document: string, patch: Patch, side: "old" | "new", release: Release): Image[] =>
  patch.files.filter(isC).map((file) => imageOfDiff(document, file, side, (name) => frameFor(name, release))).filter((image) => image.text !== "");

/** What is known of a patch besides its text. */
export interface Surroundings extends Pick<PatchFacts, "treeFile"> {
  /** What a tree at hand shows of its files. */
  readonly preImages?: readonly PreImage[];
  /** The rest of the tree, where it is known who calls whom. */
  readonly callers?: TreeCallers | null;
  /** What the patches before it in its series show. */
  readonly series?: SeriesView | null;
}

/** Both sides of a patch, lowered; null where nothing in it concerns a rule. */
export function subjectOf(document: string, patch: Patch, { target, decidedBy }: Pick<DecidedTarget, "target" | "decidedBy">, { preImages = [], callers = null, treeFile, series = null }: Surroundings = {}): Subject | null {
  const files = patch.files.filter(isC);
  const wholes = new Map(preImages.flatMap(({ file, images }) => (images === null ? [] : [[file, series ? writtenBySeries(images, file, series) : images] as const])));
  const sides = [...wholes.values()].flatMap((images) => [images.old, images.new]);
  const touched = new Set(sides.flatMap((image) => touchedFunctions(image).map(({ name }) => name)));
  const fragments = files.filter((file) => !wholes.has(file)).map((file) => ({ file, hunks: shownOf(file, series) }));
  const elsewhere = elsewhereIn(patch, new Set(wholes.keys()), series);
  const frames = (name: string) => frameFor(name, target.release);
  const images = (side: "old" | "new"): Image[] => [
    ...files.map((file) => wholes.get(file)?.[side] ?? imageOfDiff(document, file, side, frames, fragments.find((one) => one.file === file)?.hunks)),
    ...elsewhere.map(({ path, hunks }) => imageOfDiff(document, { oldPath: path, newPath: path, hunks: [] }, side, frames, hunks)),
  ].filter((image) => image.text !== "");
  const unit = (side: "old" | "new"): Unit => {
    const made = unitOf(images(side), target.release, touched);
    return callers ? { ...made, follow: callers(made.images, target.release) } : made;
  };
  const own = files.flatMap((file) => file.hunks);
  const said = { message: commitMessage(patch), comments: files.flatMap(addedComments) };
  const isConcerned =
    TRIGGERS.test(textOf([...fragments, ...elsewhere].flatMap(({ hunks }) => hunks))) || WORDS.test(textOf(own)) ||
    sides.some((image) => leadsToCall(image, touched, TRIGGER_NAMES)) || RULES.some((rule) => rule.wantsToSee?.(said) === true);
  if (!isConcerned) return null;
  const facts: PatchFacts = { ...extentOf(document, patch), ...said, namesRelease: decidedBy !== "date" && decidedBy !== "default", ...(treeFile ? { treeFile } : {}) };
  return { target, unit: unit("new"), old: unit("old"), patch: facts };
}

const textOf = (hunks: readonly ShownHunk[]): string => hunks.flatMap((hunk) => hunk.lines.map((line) => line.text)).join("\n");

/** The hunks of a file with what its series knows of their functions, and of functions and macros that they use. */
function shownOf(file: FileDiff, series: SeriesView | null): readonly ShownHunk[] {
  if (series === null) return file.hunks;
  const shown = [...series.hunksOf(file)];
  const left = new Set(series.definitions);
  // What is used by what is used is used.
  for (const { lines } of shown) {
    const words = new Set(wordsOf(lines.map(({ text }) => text)));
    for (const one of left) {
      if (!words.has(one.name)) continue;
      left.delete(one);
      shown.push(one.hunk);
    }
  }
  return shown;
}

/** Functions of the series that files use of which the whole is at hand, and that are in none of them. */
function elsewhereIn({ files }: Patch, wholes: ReadonlySet<FileDiff>, series: SeriesView | null): readonly { readonly path: string; readonly hunks: readonly ShownHunk[] }[] {
  if (wholes.size === 0) return [];
  const paths = new Set(files.flatMap(({ oldPath, newPath }) => [oldPath, newPath]));
  const others = series?.definitions.filter(({ path }) => !paths.has(path)) ?? [];
  return [...new Set(others.map(({ path }) => path))].map((path) => ({ path, hunks: others.filter((one) => one.path === path).map(({ hunk }) => hunk) }));
}

/** The sides of a whole file, of which lines name the mails that wrote them. */
function writtenBySeries(images: WholeImages, { oldPath }: FileDiff, series: SeriesView): WholeImages {
  const named = (image: Image): Image => {
    const texts = image.text.split("\n");
    return {
      ...image,
      lines: image.lines.map((line, row) => {
        const from = line.line === null && oldPath !== null && line.oldLine !== null ? series.writtenAt(oldPath, line.oldLine, texts[row] ?? "") : null;
        return from === null ? line : { ...line, from };
      }),
    };
  };
  return { ...images, old: named(images.old), new: named(images.new) };
}

/** A bare diff may be a part of anything; a quote is the whole patch where the diffstat counts as many files. */
function extentOf(document: string, { files, subject, form, startLine, endLine }: Patch): Pick<PatchFacts, "files" | "isWhole"> {
  const counted = /\b(\d+) files? changed\b/.exec(document.split("\n").slice(startLine - 1, endLine).join("\n"))?.[1];
  const isAll = counted === undefined ? form === "mail" || form === "archive" : Number(counted) === files.length;
  return {
    files: files.flatMap((file) => file.newPath ?? file.oldPath ?? []),
    isWhole: isAll && form !== "diff" && (readSubjectTag(subject)?.total ?? 1) <= 1,
  };
}

/** True where a text has a call that some rule asks about. */
export const concernsRules = (text: string): boolean => TRIGGERS.test(text);

/** A C file as it stands. */
export const subjectOfFile = (path: string, text: string, target: Target): Subject | null =>
  TRIGGERS.test(text) ? wholeFile(path, text, target) : null;

/** As above, whatever the text has in it. */
export const wholeFile = (path: string, text: string, target: Target): Subject => ({ target, unit: unitOf([imageOfFile(path, text)], target.release), old: null });
