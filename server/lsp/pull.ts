// SPDX-License-Identifier: GPL-2.0-only
import { createHash } from "node:crypto";
import { DocumentDiagnosticReportKind, LSPErrorCodes, ResponseError } from "vscode-languageserver/node";
import type { Connection, Diagnostic } from "vscode-languageserver/node";
import type { Client } from "./client.ts";
import { diagnosticsOf } from "./diagnostic.ts";
import type { RuleUrl } from "./diagnostic.ts";
import type { ReviewCache } from "./review-cache.ts";

/** Equal for equal diagnostics, whatever document version or server process they came from. */
const resultIdOf = (items: readonly Diagnostic[]): string =>
  createHash("sha256").update(JSON.stringify(items)).digest("hex").slice(0, 16);

/** Diagnostics for clients that ask. Gives what to do when settings changed. */
export function answerDiagnosticRequests(
  connection: Connection,
  reviews: ReviewCache,
  client: Client,
  ruleUrl: RuleUrl,
  log: (message: string) => void,
): () => void {
  connection.languages.diagnostics.on(async ({ textDocument, previousResultId }, token) => {
    const reviewed = await reviews.of(textDocument.uri, token);
    if (token.isCancellationRequested) return new ResponseError(LSPErrorCodes.RequestCancelled, "cancelled");
    const items = reviewed === null ? [] : diagnosticsOf(reviewed, client, ruleUrl);
    const resultId = resultIdOf(items);
    return resultId === previousResultId
      ? { kind: DocumentDiagnosticReportKind.Unchanged, resultId }
      : { kind: DocumentDiagnosticReportKind.Full, resultId, items };
  });
  return () => {
    if (!client.refreshesDiagnostics) return;
    connection.languages.diagnostics.refresh().catch((error: unknown) => log(`diagnostics not refreshed: ${String(error)}`));
  };
}
