// SPDX-License-Identifier: GPL-2.0-only
import { presences } from "../kernel/api/presence.ts";
import { PREREQUISITES } from "../kernel/prerequisites.ts";
import type { Cover } from "../patch/cover.ts";
import type { FileDiff, PatchDocument } from "../patch/model.ts";

/** A text of the tree, or why it cannot be had; null where the tree has nothing of that name. */
export type Found = { readonly text: string } | { readonly reason: string } | null;

/** A kernel tree as far as the review of one document asks about it; read before the review begins, which is pure. */
export interface TreeAtHand {
  /** Release that the Makefile of the work tree names; null where there is none. */
  readonly release: string | null;
  /** The blob with this abbreviated name. */
  blob(name: string): Found;
  /** A file of the work tree. */
  file(path: string): Found;
  /** Release that the Makefile of a commit names; null where the tree does not know the commit. */
  releaseOf(commit: string): string | null;
}

/** What a review will ask of a tree. */
export interface TreeQuestions {
  readonly blobs: readonly string[];
  readonly paths: readonly string[];
  readonly commits: readonly string[];
}

/** A patch of more files is no patch that people review. */
const MAX_FILES = 2000;

const isBlobName = (name: string): boolean => /^[0-9a-f]{7,64}$/.test(name) && !/^0+$/.test(name);

/** What the review of a document will ask, by the files that it changes and the commits that it names. */
export function questionsOf({ messages, patches }: PatchDocument, covers: readonly Cover[]): TreeQuestions {
  const files = patches.flatMap((patch) => patch.files).filter((file) => isC(file) && file.change !== "created" && file.hunks.length > 0).slice(0, MAX_FILES);
  const commits = [...covers.map(({ base }) => base.commit), ...messages.map(({ base }) => base.commit)];
  return {
    blobs: distinct(files.map(({ index }) => (index !== null && isBlobName(index.old) ? index.old : null))),
    paths: distinct([...files.flatMap(({ oldPath, newPath }) => [oldPath, newPath]), ...witnessesOf(files)]),
    commits: distinct(commits).slice(0, MAX_FILES),
  };
}

/** Files that tell whether the tree has what lines that the patch adds need. */
function witnessesOf(files: readonly FileDiff[]): readonly string[] {
  const words = new Set(files.flatMap(({ hunks }) => hunks.flatMap(({ lines }) => lines.flatMap(({ kind, text }) => (kind === "added" ? (text.match(/\b[A-Za-z_]\w+/g) ?? []) : [])))));
  return [
    ...presences.flatMap(({ name, headers }) => (words.has(name) ? headers : [])),
    ...PREREQUISITES.flatMap(({ word, evidence }) => (words.has(word) ? [evidence.path] : [])),
  ];
}

const distinct = (names: readonly (string | null)[]): string[] => [...new Set(names.filter((name) => name !== null))];

/** Nothing else is analyzed. A fragment whose file is not known may be C. */
export function isC({ oldPath, newPath }: FileDiff): boolean {
  const path = newPath ?? oldPath;
  return path === null || /\.[ch]$/.test(path);
}
