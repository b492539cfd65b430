// SPDX-License-Identifier: GPL-2.0-only
import { createHash } from "node:crypto";
import { availableParallelism } from "node:os";
import { resolve, sep } from "node:path";
import { newRuns } from "../analysis/follow.ts";
import { decodeOutline, encodeOutline, OUTLINE_FORM } from "../analysis/tree-entry.ts";
import { LINKING_HEADERS, SCANNED_PATHS } from "../kernel/tree-paths.ts";
import { failureReason } from "../node/failure.ts";
import { folderStore, NO_STORE, storeFolder, type Store } from "../node/store.ts";
import { treeFiles, treeRoot, treeText } from "../node/tree-files.ts";
import { outlineOf, type Outline } from "../program/outline.ts";
import { visibleLine, visiblePath } from "../report/visible.ts";
import { RULESET, VERSION } from "../report/version.ts";
import type { Finding, Review } from "../review/finding.ts";
import type { LinkedTree } from "../review/tree.ts";
import { releaseOfMakefile } from "../source/tree-release.ts";
import type { CliIo } from "./io.ts";
import type { Progress } from "./progress.ts";

export interface TreeArguments {
  readonly tree: string;
  /** Files and folders of the tree to work on; empty: the usual ones. */
  readonly paths: readonly string[];
  /** Folder of the store, or null for the usual one. */
  readonly cache: string | null;
  readonly useCache: boolean;
  readonly jobs: number | null;
}

/** What reading a tree needs of the world. */
export type TreeIo = Pick<CliIo, "env" | "now" | "signal"> & { readonly stderr: { write(text: string): unknown } };

/** A tree with the outlines of its files. */
export interface OpenTree {
  readonly root: string;
  readonly release: string | null;
  readonly files: readonly { readonly path: string; readonly hash: string; readonly outline: string }[];
  /** The files that were asked for; the others are there for their callers. */
  readonly wanted: readonly string[];
  readonly store: Store;
  /** Files whose outline was found in the store. */
  readonly fromStore: number;
  readonly problems: readonly { readonly path: string; readonly reason: string }[];
}

/** More threads than this do not pay: the largest file decides. */
const MOST_JOBS = 4;

export const jobsOf = (jobs: number | null): number => jobs ?? Math.min(MOST_JOBS, availableParallelism());

/** Paths as the tree knows them: given from its root, or from the current folder. */
const insideTree = (root: string, tree: string, path: string): string => {
  const absolute = resolve(tree, path);
  return absolute === root || absolute.startsWith(root + sep) ? absolute.slice(root.length + 1) || "." : path;
};

/** Reads and indexes a tree; a reason where there is no tree. Throws the signal's reason when it is aborted. */
export async function openTree(args: TreeArguments, io: TreeIo, progress: Progress): Promise<OpenTree | { readonly reason: string }> {
  let root: string;
  try {
    root = treeRoot(args.tree);
  } catch (error) {
    return { reason: failureReason(error) };
  }
  const asked = args.paths.map((path) => insideTree(root, root, path));
  const listed = asked.length > 0 ? treeFiles(root, asked) : treeFiles(root, SCANNED_PATHS, true);
  const linking = treeFiles(root, [...SCANNED_PATHS, ...LINKING_HEADERS], true);
  const wanted = new Set(listed.paths);
  const store = storeOf(args, root, io);
  const problems = [...listed.problems];
  const files: { path: string; hash: string; outline: string }[] = [];
  let fromStore = 0;
  let turn = io.now();
  for (const path of [...new Set([...listed.paths, ...linking.paths])].toSorted()) {
    const read = treeText(root, path);
    if ("reason" in read) {
      problems.push({ path, reason: read.reason });
      wanted.delete(path);
      continue;
    }
    const name = `outline-${OUTLINE_FORM}-${RULESET}-${read.hash}`;
    const kept = store.read(name);
    const isKept = kept !== null && decodeOutline(kept) !== null;
    if (isKept) fromStore++;
    const outline = isKept ? kept : encodeOutline(outlineOf(read.text));
    if (!isKept) store.write(name, outline);
    files.push({ path, hash: read.hash, outline });
    progress.step(files.length);
    if (io.now() - turn > 50) {
      await new Promise((done) => setImmediate(done));
      turn = io.now();
    }
    io.signal?.throwIfAborted();
  }
  if (store.failure() !== null) io.stderr.write(`patchwalk: nothing is kept for the next run: ${visibleLine(store.failure() ?? "")}\n`);
  const makefile = treeText(root, "Makefile");
  const release = "text" in makefile ? releaseOfMakefile(makefile.text) : null;
  return { root, release, files, wanted: [...wanted], store, fromStore, problems };
}

/**
 * The C files of a tree with their outlines, where an index of it is kept: most of the outlines are, and those of the files that
 * changed since are made again. null where none is kept; nothing is written.
 */
export function keptIndex(root: string, io: CliIo): LinkedTree | null {
  const folder = storeFolder(root, io.env);
  if (folder === null) return null;
  const store = folderStore(folder);
  const texts = new Map<string, string>();
  const files: { path: string; outline: Outline | null }[] = [];
  for (const path of treeFiles(root, [...SCANNED_PATHS, ...LINKING_HEADERS], true).paths) {
    const read = treeText(root, path);
    if ("reason" in read) continue;
    const kept = store.read(`outline-${OUTLINE_FORM}-${RULESET}-${read.hash}`);
    files.push({ path, outline: kept === null ? null : decodeOutline(kept) });
    texts.set(path, read.text);
  }
  if (files.filter(({ outline }) => outline !== null).length * 2 <= files.length) return null;
  return {
    files: files.map(({ path, outline }) => ({ path, outline: outline ?? outlineOf(texts.get(path) ?? "") })),
    textOf: (path) => texts.get(path) ?? null,
    runs: newRuns(),
  };
}

function storeOf(args: TreeArguments, root: string, io: TreeIo): Store {
  const folder = args.useCache ? (args.cache ?? storeFolder(root, io.env)) : null;
  return folder === null ? NO_STORE : folderStore(resolve(folder));
}

/** Name under which the review of a file is kept. Whatever could change the review and is no file of the tree is in it. */
export const reviewName = (path: string, hash: string, rest: unknown, io: CliIo): string =>
  `review-${createHash("sha256").update(JSON.stringify([VERSION, RULESET, io.build ?? "", path, hash, rest])).digest("hex")}`;

/** A path of the tree as the user would write it. */
export const shownPath = (tree: string, path: string): string => {
  const base = tree.replace(/\/+$/, "");
  return tree === "." || tree === "./" ? path : `${base === "" && tree !== "" ? "" : base}/${path}`;
};

/** Places in other files, named as the user named the tree. */
export function withShownPaths(review: Review, tree: string): Review {
  const shown = (findings: readonly Finding[]): readonly Finding[] => findings.map((finding) => ({
    ...finding,
    related: finding.related.map((related) => (related.path === undefined ? related : { ...related, path: shownPath(tree, related.path) })),
  }));
  const { aside, suppressed } = review;
  return {
    ...review, findings: shown(review.findings),
    ...(suppressed === undefined ? {} : { suppressed: suppressed.flatMap((one) => shown([one.finding]).map((finding) => ({ ...one, finding }))) }),
    ...(aside === undefined ? {} : { aside: { refuted: shown(aside.refuted), fixed: shown(aside.fixed) } }),
  };
}

/** One line for each file that could not be used. */
export function complainAboutTree(tree: string, problems: OpenTree["problems"], io: CliIo): void {
  for (const { path, reason } of problems) io.stderr.write(`${visiblePath(shownPath(tree, path))}: ${visibleLine(reason)}\n`);
}
