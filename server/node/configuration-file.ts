// SPDX-License-Identifier: GPL-2.0-only
import { lstatSync, realpathSync, type Stats } from "node:fs";
import { dirname, join } from "node:path";
import { CONFIGURATION_NAME } from "../review/configuration/configuration.ts";
import { readRegularFile } from "./regular-file.ts";

/** A configuration file, or why it is not used. */
export type FoundConfiguration = { readonly path: string; readonly text: string } | { readonly path: string; readonly reason: string };

/** More is not read; the reader refuses it with a sentence. */
const MAX_BYTES = 4 * 1024 * 1024;

/** Folders between a file and the one that has its configuration. */
const MAX_DEPTH = 64;

/**
 * The configuration for what lies in a folder: the file in it, or in the nearest folder above, up to the top of the Git
 * repository, or of the file system where there is none. A link is not followed, and a file that belongs to somebody else than
 * the folder, the user and root is not read: what is found on the way up is not what the user named.
 */
export function findConfiguration(folder: string): FoundConfiguration | null {
  let at: string;
  try {
    at = realpathSync(folder);
  } catch {
    // Whoever reads the folder says so.
    return null;
  }
  const owner = lstatSync(at, { throwIfNoEntry: false })?.uid;
  for (let depth = 0; depth < MAX_DEPTH; depth++) {
    const path = join(at, CONFIGURATION_NAME);
    const found = lstatQuietly(path);
    if (found) return refusal(found, owner) === null ? readRegular(path, false) : { path, reason: refusal(found, owner) ?? "" };
    if (lstatQuietly(join(at, ".git")) || dirname(at) === at) return null;
    at = dirname(at);
  }
  return null;
}

const lstatQuietly = (path: string): Stats | null => {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) ?? null;
  } catch {
    return null;
  }
};

/** The configuration with this name, for an editor, which knows where to look; null where there is none. */
export function configurationAt(path: string): FoundConfiguration | null {
  const found = lstatQuietly(path);
  if (!found) return null;
  const reason = found.isSymbolicLink() ? "not used, because it is a link" : found.isFile() ? null : "not used, because it is no file";
  return reason === null ? readRegular(path, false) : { path, reason };
}

function refusal(found: Stats, owner: number | undefined): string | null {
  if (found.isSymbolicLink()) return "not used, because it is a link: name it with --config-file";
  if (!found.isFile()) return "not used, because it is no file";
  const mine = process.getuid?.();
  const isForeign = mine !== undefined && ![0, mine, owner].includes(found.uid);
  return isForeign ? "not used, because it belongs to another user: name it with --config-file" : null;
}

/** The text of a configuration file that the user named; a link is followed then. */
export const readConfigurationFile = (path: string): FoundConfiguration => readRegular(path, true);

function readRegular(path: string, followsLinks: boolean): FoundConfiguration {
  const read = readRegularFile(path, { maxBytes: MAX_BYTES, followsLinks });
  return "text" in read ? { path, text: read.text } : { path, reason: read.reason };
}
