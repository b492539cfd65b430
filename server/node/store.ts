// SPDX-License-Identifier: GPL-2.0-only
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { failureReason } from "./failure.ts";

/** Texts under names, kept on disk between runs. What is damaged counts as absent. */
export interface Store {
  /** The text, or null where there is none or it is not what was written. */
  read(name: string): string | null;
  /** Keeps a text; a store that cannot be written goes on without. */
  write(name: string, text: string): void;
  /** Why nothing can be kept, once it is known; null as long as writing works. */
  failure(): string | null;
}

/** Keeps nothing. */
export const NO_STORE: Store = { read: () => null, write: () => undefined, failure: () => null };

const sum = (text: string): string => createHash("sha256").update(text).digest("hex");

const HEAD = "patchwalk-store 1 ";

let written = 0;

/**
 * One file for each name (letters, digits, `-` and `.`). Files are written aside and renamed, so that whoever reads at
 * the same time sees the old text or the new one; each begins with a checksum, so that a damaged one is seen.
 */
export function folderStore(folder: string): Store {
  let failure: string | null = null;
  let isMade = false;
  return {
    read(name) {
      try {
        const whole = readFileSync(join(folder, name), "utf8");
        const line = whole.indexOf("\n");
        const text = whole.slice(line + 1);
        return line > 0 && whole.slice(0, line) === HEAD + sum(text) ? text : null;
      } catch {
        return null;
      }
    },
    write(name, text) {
      if (failure !== null) return;
      const temporary = join(folder, `.${name}.${process.pid}.${written++}`);
      try {
        if (!isMade) mkdirSync(folder, { recursive: true, mode: 0o700 });
        isMade = true;
        writeFileSync(temporary, `${HEAD}${sum(text)}\n${text}`, { mode: 0o600 });
        renameSync(temporary, join(folder, name));
      } catch (error) {
        failure = failureReason(error);
        removeQuietly(temporary);
      }
    },
    failure: () => failure,
  };
}

function removeQuietly(file: string): void {
  try {
    rmSync(file, { force: true });
  } catch {
    // Where nothing could be written there is nothing to remove.
  }
}

/** Folder of the store for one tree: outside of the tree, below the user's cache folder. */
export function storeFolder(root: string, env: Readonly<Record<string, string | undefined>>): string | null {
  const base = env.XDG_CACHE_HOME?.startsWith("/") ? env.XDG_CACHE_HOME : env.HOME ? join(env.HOME, ".cache") : null;
  return base === null ? null : join(base, "patchwalk", sum(root).slice(0, 24));
}
