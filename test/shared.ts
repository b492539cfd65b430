// SPDX-License-Identifier: GPL-2.0-only
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

const SHARED = join(import.meta.dirname, "../../shared");

/** A file of the folder that lies beside the checkout in the developers' and CI's places, or null for everyone else. */
export function sharedFile(path: string): string | null {
  const full = join(SHARED, path);
  return existsSync(full) ? readFileSync(full, "utf8") : null;
}

/** What a test says when it is skipped for want of that folder. */
export const WITHOUT_SHARED = "skipped: ../shared is not beside this checkout";
