// SPDX-License-Identifier: GPL-2.0-only
import { newRuns } from "../analysis/follow.ts";
import { decodeOutline } from "../analysis/tree-entry.ts";
import { collectBetweenSteps } from "../node/memory.ts";
import { treeText } from "../node/tree-files.ts";
import type { ReviewOptions } from "../review/options.ts";
import { scannerOf, targetOfTree, type ScannedFile } from "../review/scan.ts";
import { collectNativeMemory } from "../syntax/parse.ts";

/** What a thread needs to know of a tree; plain data. */
export interface ScanWorkerData {
  readonly root: string;
  /** Outlines as text: a string costs nothing to hand to a thread. */
  readonly files: readonly { readonly path: string; readonly hash: string; readonly outline: string }[];
  readonly treeRelease: string | null;
  readonly options: ReviewOptions;
}

/** Characters of files that are kept: a tree with its drivers has hundreds of millions. */
const MOST_TEXT = 48 * 1024 * 1024;

/** Reviews files of the tree by path. */
export function scanTaskRunner({ root, files, treeRelease, options }: ScanWorkerData): (path: string) => ScannedFile {
  const indexed = files.flatMap(({ path, hash, outline }) => {
    const decoded = decodeOutline(outline);
    return decoded ? [{ path, hash, outline: decoded }] : [];
  });
  const hashes = new Map(files.map(({ path, hash }) => [path, hash]));
  const texts = new Map<string, string | null>();
  let held = 0;
  const textOf = (path: string): string | null => {
    const known = texts.get(path);
    if (known !== undefined) return known;
    const read = treeText(root, path);
    // What changed behind the index has other functions at other places.
    const text = "text" in read && read.hash === hashes.get(path) ? read.text : null;
    texts.set(path, text);
    held += text?.length ?? 0;
    for (const [oldest, kept] of texts) {
      if (held <= MOST_TEXT || oldest === path) break;
      texts.delete(oldest);
      held -= kept?.length ?? 0;
    }
    return text;
  };
  // All runs are kept until the task ends: contexts hold on to theirs anyway, and one made again takes its memory twice.
  const runs = newRuns({ maxStates: Infinity, onRun: collectBetweenSteps });
  const scanner = scannerOf(indexed, textOf, targetOfTree(options, treeRelease), options, runs);
  return (path) => {
    const scanned = scanner.scan(path);
    collectNativeMemory();
    collectBetweenSteps();
    return scanned;
  };
}
