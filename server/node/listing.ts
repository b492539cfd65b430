// SPDX-License-Identifier: GPL-2.0-only
import type { Dirent } from "node:fs";
import { readdir, realpath, stat } from "node:fs/promises";
import { join, sep } from "node:path";

/** What a directory is searched for. A maildir's mails have no ending; they are taken as they are. */
const ENDINGS = /\.(?:patch|diff|mbox|mbx|cover|eml|txt|c)$/;

/** Deeper folders are not entered. */
const MAX_DEPTH = 16;

/** By code units, so that the order is the same on every machine. */
const byName = (a: Dirent, b: Dirent): number => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);

/** A link counts as the file that it leads to, if that is inside `root`; folders behind links are not entered. */
async function isLintable(path: string, entry: Dirent, root: string): Promise<boolean> {
  if (entry.isFile()) return true;
  if (!entry.isSymbolicLink()) return false;
  try {
    const target = await realpath(path);
    return target.startsWith(root + sep) && (await stat(target)).isFile();
  } catch {
    return false;
  }
}

async function collect(directory: string, root: string, depth: number, anyName: boolean, found: string[]): Promise<void> {
  const entries = await readdir(directory, { withFileTypes: true });
  entries.sort(byName);
  const folders = new Set(entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name));
  const isMaildir = folders.has("cur") && folders.has("new");
  for (const entry of entries) {
    if (entry.name.startsWith(".")) continue;
    const path = join(directory, entry.name);
    if (entry.isDirectory()) {
      const mails = isMaildir && (entry.name === "cur" || entry.name === "new");
      const skipped = entry.name === "node_modules" || (isMaildir && entry.name === "tmp");
      // A folder below that may not be read costs that folder only.
      if (!skipped && depth < MAX_DEPTH) await collect(path, root, depth + 1, mails, found).catch(() => undefined);
    } else if ((anyName || ENDINGS.test(entry.name)) && await isLintable(path, entry, root)) {
      found.push(path);
    }
  }
}

/**
 * The patches, mails and C files in a directory and below, ordered by name, as paths that begin with `directory`.
 * Symbolic links never lead out of it. Fails as `fs` does where the directory itself cannot be read.
 */
export async function lintableFiles(directory: string): Promise<string[]> {
  const found: string[] = [];
  await collect(directory, await realpath(directory), 0, false, found);
  return found;
}
