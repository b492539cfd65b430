// SPDX-License-Identifier: GPL-2.0-only
import { createHash } from "node:crypto";
import type { Dirent } from "node:fs";
import { lstatSync, readFileSync, readdirSync, realpathSync, statSync } from "node:fs";
import { join, posix, sep } from "node:path";
import { failureReason } from "./failure.ts";

/** Larger files are not read: the largest file that people write has a tenth of it. */
const MAX_BYTES = 2 * 1024 * 1024;

/** Deeper folders are not entered. */
const MAX_DEPTH = 16;

/** C files of a tree, and what could not be listed. */
export interface TreeListing {
  /** Paths from the root, with `/`, ordered by code units, each once. */
  readonly paths: readonly string[];
  readonly problems: readonly { readonly path: string; readonly reason: string }[];
}

/** The real path of a tree's root. Fails as `fs` does. */
export const treeRoot = (directory: string): string => realpathSync(directory);

/** Lists the C files under some paths of a tree. Links are followed to files inside of the tree, never out of it. */
export function treeFiles(root: string, wanted: readonly string[], isOptional = false): TreeListing {
  const paths = new Set<string>();
  const problems: { path: string; reason: string }[] = [];
  for (const path of wanted) {
    const normal = posix.normalize(path.split(sep).join("/")).replace(/\/+$/, "");
    try {
      const kind = kindInside(root, normal);
      if (kind === "outside") problems.push({ path, reason: "outside of the tree" });
      else if (kind === "file") paths.add(normal);
      else list(root, normal === "." ? "" : normal, 0, paths);
    } catch (error) {
      if (!isOptional) problems.push({ path, reason: failureReason(error) });
    }
  }
  return { paths: [...paths].toSorted(), problems };
}

/** True where the tree has a folder of that path. */
export function hasFolder(root: string, path: string): boolean {
  try {
    return kindInside(root, path) === "folder";
  } catch {
    return false;
  }
}

function kindInside(root: string, path: string): "file" | "folder" | "outside" {
  const real = realpathSync(join(root, path));
  if (real !== root && !real.startsWith(root.endsWith(sep) ? root : root + sep)) return "outside";
  return statSync(real).isDirectory() ? "folder" : "file";
}

function list(root: string, folder: string, depth: number, found: Set<string>): void {
  let entries: Dirent[];
  try {
    entries = readdirSync(join(root, folder), { withFileTypes: true });
  } catch (error) {
    // A folder below that may not be read costs that folder only.
    if (depth === 0) throw error;
    return;
  }
  for (const entry of entries) {
    if (entry.name.startsWith(".")) continue;
    const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
    if (entry.isDirectory()) {
      if (depth < MAX_DEPTH) list(root, path, depth + 1, found);
    } else if (/\.[ch]$/.test(entry.name) && isFileInside(root, path, entry)) found.add(path);
  }
}

function isFileInside(root: string, path: string, entry: Dirent): boolean {
  if (entry.isFile()) return true;
  try {
    return entry.isSymbolicLink() && kindInside(root, path) === "file";
  } catch {
    return false;
  }
}

export interface TreeText {
  readonly text: string;
  /** SHA-256 of the bytes, in hex. */
  readonly hash: string;
}

/** The text of one file of the tree, or why there is none. */
export function treeText(root: string, path: string): TreeText | { readonly reason: string } {
  try {
    const name = join(root, path);
    if (lstatSync(name).isSymbolicLink() && kindInside(root, path) !== "file") return { reason: "outside of the tree" };
    if (statSync(name).size > MAX_BYTES) return { reason: "C file larger than 2 MiB: not reviewed" };
    const bytes = readFileSync(name);
    return { text: decoded(bytes), hash: createHash("sha256").update(bytes).digest("hex") };
  } catch (error) {
    return { reason: failureReason(error) };
  }
}

function decoded(bytes: Buffer): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return bytes.toString("latin1");
  }
}
