// SPDX-License-Identifier: GPL-2.0-only
import { CodeActionKind } from "vscode-languageserver/node";
import type { CodeAction, Diagnostic, TextDocuments, TextEdit, WorkspaceEdit } from "vscode-languageserver/node";
import { TextDocument } from "vscode-languageserver-textdocument";
import { commentaryOf } from "../patch/commentary.ts";
import { visibleLine } from "../report/visible.ts";
import { rules } from "../review/catalogue.ts";
import { CONFIGURATION_NAME } from "../review/configuration/configuration.ts";
import { suppressionEdits } from "../review/configuration/edit.ts";
import type { Finding } from "../review/finding.ts";
import { suppressionLine } from "../review/suppression/mail-suppressions.ts";
import { lineIndex } from "../text/line-index.ts";
import type { Client } from "./client.ts";
import { fileOf } from "./configured.ts";
import type { Configurations } from "./configurations.ts";
import type { ReadingCache } from "./reading-cache.ts";
import type { ReviewedDocument } from "./review-cache.ts";

/** Offers to say that a finding is none, in the configuration of the workspace or in the mail. The reason is left to the user. */
export type IgnoreActions = (finding: Finding, reviewed: ReviewedDocument, diagnostics: readonly Diagnostic[]) => Promise<readonly CodeAction[]>;

export function ignoreActions(documents: TextDocuments<TextDocument>, configurations: Configurations, readings: ReadingCache, client: Client): IgnoreActions {
  async function inConfiguration(finding: Finding, reviewed: ReviewedDocument): Promise<WorkspaceEdit | null> {
    const loaded = await configurations.of(reviewed.document.uri);
    const uri = loaded?.uri ?? configurations.placeFor(reviewed.document.uri);
    if (uri === null || (loaded !== null && loaded.text === null)) return null;
    const text = loaded?.text ?? "";
    const edits = suppressionEdits(text, finding, fileOf(reviewed, uri)(finding), rules().map(({ id }) => id));
    if (edits === null) return null;
    const target = TextDocument.create(uri, "json", 0, text);
    const changes = edits.map(({ offset, length, content }): TextEdit => ({ range: { start: target.positionAt(offset), end: target.positionAt(offset + length) }, newText: content }));
    const ofFile = { textDocument: { uri, version: documents.get(uri)?.version ?? null }, edits: changes };
    if (loaded !== null) return client.versionsEdits ? { documentChanges: [ofFile] } : { changes: { [uri]: changes } };
    return client.createsFiles ? { documentChanges: [{ kind: "create", uri, options: { ignoreIfExists: true } }, ofFile] } : null;
  }

  /** Only where the mail stands in the document as it was sent: what is encoded or quoted has no place for a line. */
  function inMail(finding: Finding, { document, version }: ReviewedDocument): WorkspaceEdit | null {
    const reading = readings.of(document.uri);
    const line = finding.location.patchLine;
    const patch = reading?.patches.find((one) => one.form === "mail" && one.startLine <= line && line <= one.endLine);
    if (!reading || !patch) return null;
    const { separator } = commentaryOf(reading.text, lineIndex(reading.text), patch);
    if (separator === null || document.getText({ start: { line: separator - 1, character: 0 }, end: { line: separator, character: 0 } }).trimEnd() !== "---") return null;
    const at = { line: separator, character: 0 };
    const edit: TextEdit = { range: { start: at, end: at }, newText: `${suppressionLine(finding.ruleId, finding.function)}${document.getText().includes("\r\n") ? "\r\n" : "\n"}` };
    return client.versionsEdits ? { documentChanges: [{ textDocument: { uri: document.uri, version }, edits: [edit] }] } : { changes: { [document.uri]: [edit] } };
  }

  return async (finding, reviewed, diagnostics) => {
    const ignored = diagnostics.filter((one) => one.data === finding.fingerprint);
    const action = (where: string, edit: WorkspaceEdit | null): CodeAction[] => (edit === null ? [] : [{
      title: `Ignore ${finding.ruleId}${finding.function === null ? "" : ` in ${visibleLine(finding.function)}()`} with a reason ... (${where})`,
      kind: CodeActionKind.QuickFix, edit,
      ...(ignored.length === 0 ? {} : { diagnostics: ignored }),
    }]);
    return [...action(CONFIGURATION_NAME, await inConfiguration(finding, reviewed)), ...action("below the --- of this mail", reviewed.kind === "patch" ? inMail(finding, reviewed) : null)];
  };
}
