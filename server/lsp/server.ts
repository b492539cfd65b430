// SPDX-License-Identifier: GPL-2.0-only
import {
  DidChangeConfigurationNotification,
  PositionEncodingKind,
  TextDocumentSyncKind,
  TextDocuments,
} from "vscode-languageserver/node";
import type { Connection, InitializeResult } from "vscode-languageserver/node";
import { TextDocument } from "vscode-languageserver-textdocument";
import { COMMANDS, SECTION } from "../protocol.ts";
import { VERSION } from "../report/version.ts";
import { clientOf } from "./client.ts";
import { ACTION_KINDS, answerActionRequests } from "./code-action.ts";
import type { Client } from "./client.ts";
import { configured } from "./configured.ts";
import { createConfigurations } from "./configurations.ts";
import type { ConfigurationText } from "./configurations.ts";
import { answerLensRequests } from "./code-lens.ts";
import type { RuleUrl } from "./diagnostic.ts";
import { answerLinkRequests } from "./document-link.ts";
import type { CommitLookup } from "./document-link.ts";
import { answerSymbolRequests } from "./document-symbol.ts";
import { answerFoldingRequests } from "./folding-range.ts";
import { createHeldCache } from "./held-cache.ts";
import type { HeldFunction } from "./held-cache.ts";
import { answerHoverRequests } from "./hover.ts";
import type { RuleOf } from "./hover.ts";
import { ignoreActions } from "./ignore-action.ts";
import { answerInlayHintRequests } from "./inlay-hint.ts";
import { answerDiagnosticRequests } from "./pull.ts";
import { pushDiagnostics } from "./push.ts";
import { createReadingCache } from "./reading-cache.ts";
import { createReviewCache } from "./review-cache.ts";
import { reviewerHere } from "./reviewer.ts";
import type { Reviewer, ReviewFunction, TreeLookup } from "./reviewer.ts";
import { createSettings } from "./settings.ts";
import { createTreeCache } from "./tree-cache.ts";
import { trustOf } from "./trust.ts";
import type { WorkspaceTrees } from "./workspace-tree.ts";

/** What the server shows and does not know itself. */
export interface ServerParts {
  /** Reviews in this thread, where there is no `reviewer`. */
  readonly review: ReviewFunction;
  /** Reviews elsewhere, so that other requests are answered meanwhile. It looks at trees itself. */
  readonly reviewer?: Reviewer;
  readonly ruleOf: RuleOf;
  readonly ruleUrl: RuleUrl;
  /** Where absent, nothing is said about what is held. */
  readonly held?: HeldFunction;
  /** Where absent, `Fixes:` trailers are no links. */
  readonly commits?: CommitLookup;
  /** Where absent, patches are reviewed from their hunks alone. */
  readonly tree?: TreeLookup;
  /** Where absent, a C file is reviewed without the callers that it has in other files. */
  readonly trees?: WorkspaceTrees;
  /** Where absent, no configuration is read. */
  readonly configuration?: ConfigurationText;
  /** How long a client that does not ask waits for diagnostics after the last keystroke. Default 200. */
  readonly debounceMs?: number;
}

const initializeResult = (client: Client, parts: ServerParts): InitializeResult => ({
  serverInfo: { name: SECTION, version: VERSION },
  capabilities: {
    positionEncoding: PositionEncodingKind.UTF16,
    textDocumentSync: { openClose: true, change: TextDocumentSyncKind.Incremental, ...(parts.trees ? { save: true } : {}) },
    hoverProvider: true,
    documentSymbolProvider: { label: "Patchwalk" },
    foldingRangeProvider: true,
    documentLinkProvider: {},
    codeLensProvider: { resolveProvider: true },
    executeCommandProvider: { commands: [...COMMANDS] },
    ...(client.showsActions ? { codeActionProvider: { codeActionKinds: [...ACTION_KINDS], resolveProvider: client.resolvesEdits } } : {}),
    ...(parts.held === undefined ? {} : { inlayHintProvider: true }),
    ...(client.pullsDiagnostics
      ? { diagnosticProvider: { identifier: SECTION, interFileDependencies: parts.trees !== undefined, workspaceDiagnostics: false } }
      : {}),
  },
});

/** A client that went away while something was on its way is no failure, and there is nobody to tell. */
const logTo = (connection: Connection) => (message: string): void => {
  try {
    connection.console.error(message);
  } catch {
    // The connection is closed.
  }
};

/** Serves one client over `connection` until that ends. Features start when the client has said what it can do. */
export function startServer(connection: Connection, parts: ServerParts): void {
  const documents = new TextDocuments(TextDocument);

  connection.onInitialize((params) => {
    const client = clientOf(params);
    startFeatures(connection, documents, client, parts);
    return initializeResult(client, parts);
  });
  documents.listen(connection);
  connection.listen();
}

function startFeatures(
  connection: Connection,
  documents: TextDocuments<TextDocument>,
  client: Client,
  parts: ServerParts,
): void {
  const log = logTo(connection);
  const trust = trustOf(connection, client, () => {
    reviews.forgetAll();
    configurations.trusted();
    refresh();
  });
  const configurations = createConfigurations(connection, documents, client, trust, parts.configuration ?? null, () => refresh(), parts.debounceMs ?? 200, log);
  const settings = configured(createSettings(connection, client), configurations);
  const trees = parts.trees ? createTreeCache(connection, documents, client, parts.trees, () => refresh(), parts.debounceMs ?? 200, log) : null;
  const reviewer = parts.reviewer ?? reviewerHere(parts.review, parts.tree);
  const reviews = createReviewCache(documents, settings, reviewer, client, trust, trees, log);
  const refreshDiagnostics = client.pullsDiagnostics
    ? answerDiagnosticRequests(connection, reviews, client, parts.ruleUrl, log)
    : pushDiagnostics(connection, documents, reviews, client, parts.ruleUrl, parts.debounceMs ?? 200, log);
  const refreshLenses = answerLensRequests(connection, reviews, client, log);
  const refresh = (): void => {
    refreshDiagnostics();
    refreshLenses();
  };
  const held = createHeldCache(documents, settings, parts.held ?? null, log);
  answerHoverRequests(connection, documents, reviews, held, client, parts.ruleOf);
  if (parts.held !== undefined) answerInlayHintRequests(connection, documents, held, settings);
  const readings = createReadingCache(documents);
  if (client.showsActions) answerActionRequests(connection, documents, reviews, client, ignoreActions(documents, configurations, readings, client));
  answerSymbolRequests(connection, readings, client);
  answerFoldingRequests(connection, readings, client);
  answerLinkRequests(connection, readings, client.folders, trust, parts.commits);

  connection.onDidChangeWatchedFiles(({ changes }) => {
    const uris = changes.map(({ uri }) => uri);
    trees?.filesChanged(uris);
    configurations.filesChanged(uris);
  });
  connection.onShutdown(async () => {
    configurations.close();
    await Promise.all([reviewer.dispose(), trees?.close()]);
  });
  documents.onDidClose(({ document }) => {
    reviews.forget(document.uri);
    held.forget(document.uri);
    readings.forget(document.uri);
    settings.forget(document.uri);
  });
  connection.onDidChangeConfiguration((change) => {
    settings.change(change.settings);
    refresh();
    if (client.refreshesInlayHints && parts.held !== undefined) connection.languages.inlayHint.refresh().catch((error: unknown) => log(`inlay hints are not refreshed: ${String(error)}`));
  });
  connection.onInitialized(() => {
    configurations.watch();
    if (client.answersConfiguration && client.registersConfiguration) {
      connection.client.register(DidChangeConfigurationNotification.type, { section: SECTION })
        .catch((error: unknown) => log(`settings are not watched: ${String(error)}`));
    }
  });
}
