// SPDX-License-Identifier: GPL-2.0-only
import { languages, workspace } from "vscode";
import type { Disposable, TextDocument } from "vscode";
import { looksLikePatch } from "./patch-text.ts";

/**
 * Mails saved from an archive or a mail program end in `.txt`, `.eml` or nothing. Those that are about a patch are
 * shown as `diff`, once: who then picks another language for the document keeps it.
 */
export function recognizePatchMails(): Disposable {
  const seen = new Set<string>();

  function recognize(document: TextDocument): void {
    const uri = document.uri.toString();
    if (document.languageId !== "plaintext" || document.uri.scheme === "git" || seen.has(uri)) return;
    if (!looksLikePatch(document.lineCount, (index) => document.lineAt(index).text)) return;
    seen.add(uri);
    // A document that was closed in the meantime is the only way for this to fail.
    languages.setTextDocumentLanguage(document, "diff").then(undefined, () => {});
  }

  workspace.textDocuments.forEach(recognize);
  return workspace.onDidOpenTextDocument(recognize);
}
