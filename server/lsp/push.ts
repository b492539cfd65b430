// SPDX-License-Identifier: GPL-2.0-only
import type { Connection, TextDocuments } from "vscode-languageserver/node";
import type { TextDocument } from "vscode-languageserver-textdocument";
import type { Client } from "./client.ts";
import { diagnosticsOf } from "./diagnostic.ts";
import type { RuleUrl } from "./diagnostic.ts";
import type { ReviewCache } from "./review-cache.ts";
import { isConfiguration } from "./text.ts";

/** Diagnostics for clients that do not ask. Gives what to do when settings changed. */
export function pushDiagnostics(
  connection: Connection,
  documents: TextDocuments<TextDocument>,
  reviews: ReviewCache,
  client: Client,
  ruleUrl: RuleUrl,
  debounceMs: number,
  log: (message: string) => void,
): () => void {
  const waiting = new Map<string, NodeJS.Timeout>();

  async function publish(uri: string): Promise<void> {
    const reviewed = await reviews.of(uri, null);
    // What changed or closed meanwhile has been scheduled or cleared already.
    if (reviewed === null || documents.get(uri)?.version !== reviewed.version) return;
    const diagnostics = diagnosticsOf(reviewed, client, ruleUrl);
    await connection.sendDiagnostics({ uri, version: reviewed.version, diagnostics });
  }

  function schedule(uri: string, delayMs: number): void {
    // What is wrong with a configuration is told whether it is open or not.
    if (isConfiguration(uri)) return;
    clearTimeout(waiting.get(uri));
    waiting.set(uri, setTimeout(() => {
      waiting.delete(uri);
      publish(uri).catch((error: unknown) => log(`diagnostics of ${uri}: ${String(error)}`));
    }, delayMs));
  }

  const opened = new Set<string>();
  documents.onDidOpen(({ document }) => {
    opened.add(document.uri);
    schedule(document.uri, 0);
  });
  documents.onDidChangeContent(({ document }) => {
    // The library reports the opening as a change too.
    if (!opened.delete(document.uri)) schedule(document.uri, debounceMs);
  });
  documents.onDidClose(({ document }) => {
    clearTimeout(waiting.get(document.uri));
    waiting.delete(document.uri);
    opened.delete(document.uri);
    if (isConfiguration(document.uri)) return;
    connection.sendDiagnostics({ uri: document.uri, diagnostics: [] })
      .catch((error: unknown) => log(`diagnostics of ${document.uri}: ${String(error)}`));
  });
  return () => documents.keys().forEach((uri) => schedule(uri, 0));
}
