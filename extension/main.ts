// SPDX-License-Identifier: GPL-2.0-only
import { commands, languages, window, workspace } from "vscode";
import type { Disposable, ExtensionContext, TextDocument } from "vscode";
import type { LanguageClient } from "vscode-languageclient/node";
import { TRUST_GRANTED } from "../server/protocol.ts";
import { answerDocuments } from "./answers.ts";
import { createClient } from "./client.ts";
import { recognizePatchMails } from "./plain-text.ts";
import { documentSelector } from "./selector.ts";

let client: LanguageClient | undefined;

export function activate(context: ExtensionContext): void {
  const log = window.createOutputChannel("Patchwalk", { log: true });
  const created = createClient(context.asAbsolutePath("dist/server.cjs"), log);
  client = created;
  const attempt = (action: () => Promise<void>): Promise<void> =>
    action().catch((error: unknown) => log.error(error instanceof Error ? error : String(error)));
  context.subscriptions.push(
    log,
    recognizePatchMails(),
    answerDocuments(),
    workspace.onDidGrantWorkspaceTrust(() => {
      if (created.isRunning()) void attempt(() => created.sendNotification(TRUST_GRANTED));
    }),
    onFirstRelevantDocument(() => void attempt(() => created.start())),
    commands.registerCommand("patchwalk.restartServer", () => attempt(() => created.restart())),
    commands.registerCommand("patchwalk.showOutput", () => log.show()),
  );
}

export function deactivate(): Promise<void> | undefined {
  return client?.stop();
}

/** Plain text and any C file activate the extension; a server process is worth its memory only for ours. */
function onFirstRelevantDocument(action: () => void): Disposable {
  let done = false;
  const check = (document: TextDocument): void => {
    if (done || languages.match(documentSelector, document) === 0) return;
    done = true;
    action();
  };
  workspace.textDocuments.forEach(check);
  return workspace.onDidOpenTextDocument(check);
}
