// SPDX-License-Identifier: GPL-2.0-only
import { fileURLToPath } from "node:url";
import { catFile, repositoryAt } from "./git.ts";

/** Ids that one question may hold; a mail names a few. */
const MAX_IDS = 200;
const LIMITS = { maxBytes: 64 * 1024, timeoutMs: 3000 };

function folderOf(uri: string): string | null {
  try {
    return uri.startsWith("file:") ? fileURLToPath(uri) : null;
  } catch {
    return null;
  }
}

/**
 * The full names of the commits that the abbreviated names `ids` (7 to 40 hexadecimal digits) have in the repositories at
 * `folders` (file URIs; a repository around a folder does not count). Names that no repository knows, that are ambiguous, or
 * that are no commit are left out. Never rejects.
 */
export async function commitsIn(folders: readonly string[], ids: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  const asked = [...new Set(ids)].filter((id) => /^[0-9a-f]{7,40}$/.test(id)).slice(0, MAX_IDS);
  for (const uri of folders) {
    const folder = folderOf(uri);
    const open = asked.filter((id) => !found.has(id));
    const repository = folder === null ? null : repositoryAt(folder);
    if (repository === null || open.length === 0) continue;
    const asking = open.map((id) => `${id}^{commit}\n`).join("");
    const answer = await catFile(repository, "--batch-check=%(objectname) %(objecttype)", asking, LIMITS);
    const answers = answer === null ? [] : answer.toString("latin1").split("\n");
    for (const [index, id] of open.entries()) {
      const name = /^([0-9a-f]{40}) commit$/.exec(answers[index] ?? "")?.[1];
      if (name?.startsWith(id) === true) found.set(id, name);
    }
  }
  return found;
}
