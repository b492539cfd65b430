// SPDX-License-Identifier: GPL-2.0-only
import type { Connection } from "vscode-languageserver/node";
import { readPatches } from "../patch/read.ts";
import { TRUST_GRANTED } from "../protocol.ts";
import type { ReviewTree } from "../review/tree.ts";
import { earlierPatches } from "../source/earlier-patches.ts";
import { questionsOf, type TreeAtHand, type TreeQuestions } from "../source/tree-at-hand.ts";
import type { Client } from "./client.ts";

/** What the kernel tree among the workspace folders answers to questions about a document; null where there is none. */
export type TreeLookup = (folders: readonly string[], uri: string, questions: TreeQuestions, isTrusted: boolean) => Promise<TreeAtHand | null>;

/** Whether the user trusts the workspace. Until the client says so, nobody does. */
export interface Trust {
  readonly isTrusted: () => boolean;
}

/** `onGranted` is called when the user decides to trust the workspace. Trust never ends while the server runs. */
export function trustOf(connection: Connection, client: Client, onGranted: () => void): Trust {
  let isTrusted = client.isTrusted;
  connection.onNotification(TRUST_GRANTED, () => {
    if (isTrusted) return;
    isTrusted = true;
    onGranted();
  });
  return { isTrusted: () => isTrusted };
}

/** The tree around a patch document, or null. */
export type TreeFor = (uri: string, text: string) => Promise<ReviewTree | null>;

export const treeFor = (client: Client, trust: Trust, lookup: TreeLookup | undefined): TreeFor => async (uri, text) => {
  if (lookup === undefined || client.folders.length === 0) return null;
  const at = await lookup(client.folders, uri, questionsOf(readPatches(text), []), trust.isTrusted());
  return at && { at, earlier: earlierPatches() };
};
