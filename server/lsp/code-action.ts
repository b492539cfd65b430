// SPDX-License-Identifier: GPL-2.0-only
import { CodeActionKind, CodeActionTriggerKind } from "vscode-languageserver/node";
import type { CodeAction, CodeActionParams, Connection, Range, TextDocuments, TextEdit, WorkspaceEdit } from "vscode-languageserver/node";
import type { TextDocument } from "vscode-languageserver-textdocument";
import { fixText } from "../report/fix.ts";
import type { DocumentEdit, Finding, VerifiedFix } from "../review/finding.ts";
import type { Client } from "./client.ts";
import type { IgnoreActions } from "./ignore-action.ts";
import { findingRange } from "./range.ts";
import type { FindingPlace, FixedFindings, ReviewCache } from "./review-cache.ts";

export const ACTION_KINDS = [CodeActionKind.QuickFix] as const;

/** More findings under one selection are not looked at: each costs a review. */
const MOST_FINDINGS = 4;

/** Longer documents (UTF-16 units) are reviewed again only for a user who opens the menu. */
const MOST_UNASKED = 64 * 1024;

/** What an action needs to be resolved. */
interface ActionData {
  readonly uri: string;
  readonly version: number;
  readonly finding: FindingPlace;
  readonly index: number;
}

const meets = (a: Range, b: Range): boolean => {
  const isBefore = (one: Range["start"], other: Range["start"]): boolean => one.line < other.line || (one.line === other.line && one.character < other.character);
  return !isBefore(a.end, b.start) && !isBefore(b.end, a.start);
};

const rangeOf = ({ start, end }: DocumentEdit): Range => ({
  start: { line: start.line - 1, character: start.column - 1 },
  end: { line: end.line - 1, character: end.column - 1 },
});

function workspaceEdit({ document, version }: Pick<FixedFindings, "document" | "version">, fix: VerifiedFix, client: Client): WorkspaceEdit {
  const edits = fix.edits.map((edit): TextEdit => ({ range: rangeOf(edit), newText: edit.insert }));
  return client.versionsEdits ? { documentChanges: [{ textDocument: { uri: document.uri, version }, edits }] } : { changes: { [document.uri]: edits } };
}

/** Fixes of the findings in the selection, found out for these only and once for each version of the document; then ways to ignore them. */
export function answerActionRequests(connection: Connection, documents: TextDocuments<TextDocument>, reviews: ReviewCache, client: Client, ignore: IgnoreActions): void {
  connection.onCodeAction(async ({ textDocument: { uri }, range, context }: CodeActionParams, token) => {
    if (context.only !== undefined && !context.only.some((kind) => kind === CodeActionKind.Empty || kind === CodeActionKind.QuickFix)) return [];
    const reviewed = await reviews.of(uri, token);
    const findings = (reviewed?.reviews ?? []).flatMap((one) => one.findings).filter((one) => reviewed && meets(findingRange(reviewed.document, one.location), range));
    const actions: CodeAction[] = [];
    const last: CodeAction[] = [];
    for (const finding of findings.slice(0, MOST_FINDINGS)) {
      if (reviewed) last.push(...(await ignore(finding, reviewed, context.diagnostics)));
      // A menu that the user opens may take its time; the light bulb beside the cursor may not.
      const isUnasked = context.triggerKind === CodeActionTriggerKind.Automatic && (reviewed?.document.getText().length ?? 0) > MOST_UNASKED;
      if (isUnasked && reviewed && reviews.knownFixes(reviewed.document, finding) === undefined) continue;
      const found = await reviews.fixesOf(uri, finding, token);
      // Edits of another version than the one that was selected in would be for other lines.
      if (found === null || found.version !== reviewed?.version || token.isCancellationRequested) return [];
      actions.push(...actionsFor(finding, found, context.diagnostics, client));
    }
    // A fix is better than a reason why there is none.
    return [...actions, ...last];
  });
  if (!client.resolvesEdits) return;
  connection.onCodeActionResolve(async (action, token) => {
    const data = action.data as ActionData | undefined;
    const document = data && documents.get(data.uri);
    if (!data || document?.version !== data.version) return action;
    const found = await reviews.fixesOf(data.uri, data.finding, token);
    const fix = found?.version === data.version ? found.fixes[data.index] : undefined;
    return found && fix ? { ...action, edit: workspaceEdit(found, fix, client) } : action;
  });
}

function actionsFor(finding: Finding, found: FixedFindings, diagnostics: CodeActionParams["context"]["diagnostics"], client: Client): CodeAction[] {
  const { document, version, fixes } = found;
  const preferred = fixes.findIndex((one) => one.isProved);
  const mended = diagnostics.filter((one) => one.data === finding.fingerprint);
  return fixes.map((fix, index): CodeAction => {
    const data: ActionData = { uri: document.uri, version, finding: { fingerprint: finding.fingerprint, location: { patchLine: finding.location.patchLine, column: finding.location.column } }, index };
    return {
      title: fixText(fix),
      kind: CodeActionKind.QuickFix,
      ...(mended.length === 0 ? {} : { diagnostics: mended }),
      ...(index === preferred ? { isPreferred: true } : {}),
      ...(client.resolvesEdits ? { data } : { edit: workspaceEdit(found, fix, client) }),
    };
  });
}
