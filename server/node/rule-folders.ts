// SPDX-License-Identifier: GPL-2.0-only
import { existsSync } from "node:fs";
import { fileURLToPath, pathToFileURL } from "node:url";
import { join } from "node:path";

/**
 * Where the pages of the rules may be, seen from a program file: beside the bundle, in the checkout of a bundle in
 * `dist/`, and in the checkout of `server/<room>/<file>`.
 */
export const ruleFolders = (programUrl: string): string[] =>
  ["./docs/rules/", "../docs/rules/", "../../docs/rules/"].map((path) => fileURLToPath(new URL(path, programUrl)));

/** Address of a rule's page on this machine, or null where it is not installed. `ruleId` is from the catalogue. */
export function rulePage(ruleId: string, folders: readonly string[]): string | null {
  const path = folders.map((folder) => join(folder, `${ruleId}.md`)).find((candidate) => existsSync(candidate));
  return path === undefined ? null : pathToFileURL(path).href;
}
