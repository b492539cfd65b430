// SPDX-License-Identifier: GPL-2.0-only
import { LanguageClient, TransportKind } from "vscode-languageclient/node";
import type { LanguageClientOptions, ServerOptions } from "vscode-languageclient/node";
import type { LogOutputChannel } from "vscode";
import { documentSelector } from "./selector.ts";

/** The prefix of the settings and the name under which the Problems panel collects. */
const SECTION = "patchwalk";

/** The client of the language server in `serverModule`, which runs on the Node of the extension host. */
export function createClient(serverModule: string, log: LogOutputChannel): LanguageClient {
  const server: ServerOptions = { module: serverModule, transport: TransportKind.ipc };
  const options: LanguageClientOptions = {
    documentSelector: documentSelector.map((filter) => ({ ...filter })),
    outputChannel: log,
    diagnosticCollectionName: SECTION,
    synchronize: { configurationSection: SECTION },
  };
  return new LanguageClient(SECTION, "Patchwalk", server, options);
}
