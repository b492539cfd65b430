// SPDX-License-Identifier: GPL-2.0-only
import { MarkupKind, ResourceOperationKind } from "vscode-languageserver/node";
import type { InitializeParams } from "vscode-languageserver/node";
import { SHOWS_ANSWERS_OPTION, TRUSTED_OPTION } from "../protocol.ts";

/** What the client can do, as far as it changes what the server does. */
export interface Client {
  /** The client asks for diagnostics; then they are never pushed. */
  readonly pullsDiagnostics: boolean;
  readonly refreshesDiagnostics: boolean;
  readonly answersConfiguration: boolean;
  readonly registersConfiguration: boolean;
  readonly showsRelated: boolean;
  readonly showsCodeDescription: boolean;
  readonly hoverFormat: MarkupKind;
  /** Symbols may have children; otherwise they are a flat list. */
  readonly nestsSymbols: boolean;
  readonly refreshesInlayHints: boolean;
  readonly refreshesLenses: boolean;
  /** The client shows what commands answer; to others it is sent as a message. */
  readonly showsAnswers: boolean;
  /** Number of folding ranges that the client takes. */
  readonly foldingLimit: number;
  /** The client tells of files that change on disk, where it is asked to. */
  readonly watchesFiles: boolean;
  readonly showsProgress: boolean;
  /** Quick fixes may be told as actions with edits; otherwise there are none. */
  readonly showsActions: boolean;
  /** The edit of an action may be asked for when it is chosen. */
  readonly resolvesEdits: boolean;
  /** Edits may say for which version of a document they are. */
  readonly versionsEdits: boolean;
  /** Edits may create files. */
  readonly createsFiles: boolean;
  /** URIs of the folders that are open. */
  readonly folders: readonly string[];
  /** The user trusts what is in the folders. */
  readonly isTrusted: boolean;
  /** What the client said about settings when it started the server. */
  readonly initializationOptions: unknown;
}

function foldersOf({ workspaceFolders, rootUri }: InitializeParams): readonly string[] {
  if (workspaceFolders !== undefined && workspaceFolders !== null) return workspaceFolders.map(({ uri }) => uri);
  return rootUri === null || rootUri === undefined ? [] : [rootUri];
}

const says = (options: unknown, key: string): boolean =>
  typeof options === "object" && options !== null && (options as Record<string, unknown>)[key] === true;

export function clientOf(params: InitializeParams): Client {
  const { capabilities, initializationOptions } = params;
  const { workspace, textDocument } = capabilities;
  const formats = textDocument?.hover?.contentFormat ?? [];
  const diagnostics = textDocument?.publishDiagnostics;
  const pull = textDocument?.diagnostic;
  return {
    pullsDiagnostics: pull !== undefined,
    refreshesDiagnostics: pull !== undefined && workspace?.diagnostics?.refreshSupport === true,
    answersConfiguration: workspace?.configuration === true,
    registersConfiguration: workspace?.didChangeConfiguration?.dynamicRegistration === true,
    // A pull client says these in either place, depending on its version.
    showsRelated: pull?.relatedInformation ?? diagnostics?.relatedInformation ?? false,
    showsCodeDescription: pull?.codeDescriptionSupport ?? diagnostics?.codeDescriptionSupport ?? false,
    hoverFormat: formats.includes(MarkupKind.Markdown) ? MarkupKind.Markdown : MarkupKind.PlainText,
    nestsSymbols: textDocument?.documentSymbol?.hierarchicalDocumentSymbolSupport === true,
    refreshesInlayHints: workspace?.inlayHint?.refreshSupport === true,
    refreshesLenses: workspace?.codeLens?.refreshSupport === true,
    showsAnswers: says(initializationOptions, SHOWS_ANSWERS_OPTION),
    foldingLimit: textDocument?.foldingRange?.rangeLimit ?? 5000,
    watchesFiles: workspace?.didChangeWatchedFiles?.dynamicRegistration === true,
    showsProgress: capabilities.window?.workDoneProgress === true,
    showsActions: textDocument?.codeAction?.codeActionLiteralSupport !== undefined,
    resolvesEdits: textDocument?.codeAction?.resolveSupport?.properties.includes("edit") === true && textDocument.codeAction.dataSupport === true,
    versionsEdits: workspace?.workspaceEdit?.documentChanges === true,
    createsFiles: workspace?.workspaceEdit?.documentChanges === true && workspace.workspaceEdit.resourceOperations?.includes(ResourceOperationKind.Create) === true,
    folders: foldersOf(params),
    isTrusted: says(initializationOptions, TRUSTED_OPTION),
    initializationOptions,
  };
}
