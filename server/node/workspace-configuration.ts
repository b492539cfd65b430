// SPDX-License-Identifier: GPL-2.0-only
import { fileURLToPath } from "node:url";
import { configurationAt } from "./configuration-file.ts";

/** The text of a configuration in a workspace, or why it is not used; null where there is none. Never rejects. */
export function workspaceConfiguration(uri: string): Promise<{ readonly text: string } | { readonly reason: string } | null> {
  try {
    return Promise.resolve(uri.startsWith("file:") ? configurationAt(fileURLToPath(uri)) : null);
  } catch {
    // A URI that is none of a file on this machine.
    return Promise.resolve(null);
  }
}
