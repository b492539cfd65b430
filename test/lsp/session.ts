// SPDX-License-Identifier: GPL-2.0-only
import { PassThrough } from "node:stream";
import { onTestFinished } from "vitest";
import {
  createConnection,
  createProtocolConnection,
  DidChangeTextDocumentNotification,
  DidCloseTextDocumentNotification,
  DidOpenTextDocumentNotification,
  DocumentDiagnosticRequest,
  HoverRequest,
  InitializedNotification,
  InitializeRequest,
  ProposedFeatures,
  PublishDiagnosticsNotification,
  StreamMessageReader,
  StreamMessageWriter,
} from "vscode-languageserver/node";
import type {
  ClientCapabilities,
  DocumentDiagnosticReport,
  Hover,
  InitializeResult,
  ProtocolConnection,
  PublishDiagnosticsParams,
} from "vscode-languageserver/node";
import { startServer } from "../../server/lsp/server.ts";
import type { ServerParts } from "../../server/lsp/server.ts";

/** A client in this process, connected to a server in this process. */
export interface Session {
  readonly client: ProtocolConnection;
  readonly initialized: InitializeResult;
  readonly published: readonly PublishDiagnosticsParams[];
  /** Resolves with the notification of this number, counted from 0, once it is there. */
  readonly publication: (index: number) => Promise<PublishDiagnosticsParams>;
  readonly open: (uri: string, text: string, languageId?: string) => Promise<void>;
  /** Replaces the first occurrence of `from` on a line (0-based). */
  readonly edit: (uri: string, version: number, line: number, character: number, length: number, text: string) => Promise<void>;
  readonly close: (uri: string) => Promise<void>;
  readonly pull: (uri: string, previousResultId?: string) => Promise<DocumentDiagnosticReport>;
  readonly hover: (uri: string, line: number, character: number) => Promise<Hover | null>;
}

export interface SessionOptions {
  readonly parts: ServerParts;
  readonly capabilities?: ClientCapabilities;
  readonly initializationOptions?: unknown;
  /** URIs of the workspace folders. */
  readonly folders?: readonly string[];
  /** Handlers of requests from the server; registered before the first message. */
  readonly prepare?: (client: ProtocolConnection) => void;
}

export async function startSession(options: SessionOptions): Promise<Session> {
  const toServer = new PassThrough();
  const toClient = new PassThrough();
  const server = createConnection(ProposedFeatures.all, new StreamMessageReader(toServer), new StreamMessageWriter(toClient));
  startServer(server, options.parts);

  const client = createProtocolConnection(new StreamMessageReader(toClient), new StreamMessageWriter(toServer));
  onTestFinished(() => {
    client.dispose();
    server.dispose();
  });
  const published: PublishDiagnosticsParams[] = [];
  const waiting = new Map<number, (params: PublishDiagnosticsParams) => void>();
  client.onNotification(PublishDiagnosticsNotification.type, (params) => {
    waiting.get(published.length)?.(params);
    published.push(params);
  });
  options.prepare?.(client);
  client.listen();
  const initialized = await client.sendRequest(InitializeRequest.type, {
    processId: null,
    rootUri: null,
    workspaceFolders: options.folders?.map((uri) => ({ uri, name: uri })) ?? null,
    capabilities: options.capabilities ?? {},
    initializationOptions: options.initializationOptions,
  });
  await client.sendNotification(InitializedNotification.type, {});

  return {
    client,
    initialized,
    published,
    publication: (index) => {
      const there = published[index];
      return there === undefined ? new Promise((resolve) => waiting.set(index, resolve)) : Promise.resolve(there);
    },
    open: (uri, text, languageId = "diff") =>
      client.sendNotification(DidOpenTextDocumentNotification.type, { textDocument: { uri, languageId, version: 1, text } }),
    edit: (uri, version, line, character, length, text) =>
      client.sendNotification(DidChangeTextDocumentNotification.type, {
        textDocument: { uri, version },
        contentChanges: [{ range: { start: { line, character }, end: { line, character: character + length } }, text }],
      }),
    close: (uri) => client.sendNotification(DidCloseTextDocumentNotification.type, { textDocument: { uri } }),
    pull: (uri, previousResultId) =>
      client.sendRequest(DocumentDiagnosticRequest.type, { textDocument: { uri }, ...(previousResultId === undefined ? {} : { previousResultId }) }),
    hover: (uri, line, character) =>
      client.sendRequest(HoverRequest.type, { textDocument: { uri }, position: { line, character } }),
  };
}
