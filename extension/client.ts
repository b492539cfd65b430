// SPDX-License-Identifier: GPL-2.0-only
import { LanguageClient, TransportKind } from "vscode-languageclient/node";
import type { LanguageClientOptions, ServerOptions } from "vscode-languageclient/node";
import { workspace } from "vscode";
import type { LogOutputChannel } from "vscode";
import { SECTION, SHOWS_ANSWERS_OPTION, TRUSTED_OPTION } from "../server/protocol.ts";
import { runCommand } from "./answers.ts";
import { documentSelector } from "./selector.ts";

/**
 * The client of the language server in `serverModule`, which runs on the Node of the extension host. The server
 * registers for changes of the settings by itself and asks for them by resource.
 */
export function createClient(serverModule: string, log: LogOutputChannel): LanguageClient {
  const server: ServerOptions = { module: serverModule, transport: TransportKind.ipc };
  const options: LanguageClientOptions = {
    documentSelector: documentSelector.map((filter) => ({ ...filter })),
    outputChannel: log,
    diagnosticCollectionName: SECTION,
    initializationOptions: () => ({ [TRUSTED_OPTION]: workspace.isTrusted, [SHOWS_ANSWERS_OPTION]: true }),
    middleware: { executeCommand: runCommand },
  };
  return new LanguageClient(SECTION, "Patchwalk", server, options);
}
