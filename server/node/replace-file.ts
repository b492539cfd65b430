// SPDX-License-Identifier: GPL-2.0-only
import { closeSync, fchmodSync, fsyncSync, openSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { failureReason } from "./failure.ts";

let written = 0;

/**
 * Gives a file new content in one step: whoever reads at the same time, and whoever comes after a crash, sees the old one or
 * the new one. A link stays and its file changes; the mode stays. Null, or why it could not be done.
 */
export function replaceFile(path: string, content: string): string | null {
  let temporary: string | null = null;
  try {
    const target = targetOf(path);
    const mode = statSync(target, { throwIfNoEntry: false })?.mode;
    const aside = join(dirname(target), `.patchwalk-${process.pid}-${written++}`);
    const file = openSync(aside, "wx", 0o666);
    temporary = aside;
    try {
      if (mode !== undefined) fchmodSync(file, mode & 0o777);
      writeFileSync(file, content);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(aside, target);
    return null;
  } catch (error) {
    if (temporary !== null) rmSync(temporary, { force: true });
    return failureReason(error);
  }
}

function targetOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
