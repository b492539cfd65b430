// SPDX-License-Identifier: GPL-2.0-only
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { CodeActionRequest, CodeActionResolveRequest, type CodeAction, type WorkspaceEdit } from "vscode-languageserver/node";
import { TextDocument } from "vscode-languageserver-textdocument";
import { review } from "../../server/review/review.ts";
import type { ReviewInput } from "../../server/review/review.ts";
import type { ReviewOptions } from "../../server/review/options.ts";
import { startSession, type Session } from "./session.ts";

const fixture = (name: string): string => readFileSync(join(import.meta.dirname, "../fixtures/rules", name), "utf8");

const PATCH = fixture("hugetlb-walk-unlocked/new-function.patch");
const URI = "file:///series/0001-x.patch";

function partsOf() {
  const calls: ReviewOptions[] = [];
  return {
    calls,
    review: (input: ReviewInput, options: ReviewOptions) => {
      calls.push(options);
      return review(input, { ...options, release: "6.1" });
    },
    ruleOf: () => null,
    ruleUrl: () => null,
  };
}

const LITERAL = { codeActionLiteralSupport: { codeActionKind: { valueSet: ["quickfix"] } } };
const LAZY = { textDocument: { publishDiagnostics: {}, codeAction: { ...LITERAL, dataSupport: true, resolveSupport: { properties: ["edit"] } } }, workspace: { workspaceEdit: { documentChanges: true } } };
const PLAIN = { textDocument: { publishDiagnostics: {}, codeAction: LITERAL } };

const actionsAt = async (session: Session, line: number, only?: string[]): Promise<CodeAction[]> =>
  (await session.client.sendRequest(CodeActionRequest.type, {
    textDocument: { uri: URI },
    range: { start: { line, character: 0 }, end: { line, character: 200 } },
    context: { diagnostics: session.published.at(-1)?.diagnostics ?? [], ...(only ? { only } : {}) },
  })) as CodeAction[];

const lineOf = (text: string): number => text.split("\n").findIndex((line) => line.includes("finds:"));

function applied(text: string, edit: WorkspaceEdit | undefined): string {
  const change = edit?.documentChanges?.[0];
  const edits = change && "edits" in change ? change.edits : Object.values(edit?.changes ?? {})[0];
  return TextDocument.applyEdits(TextDocument.create(URI, "diff", 1, text), (edits ?? []) as never);
}

test("a fix that was proved is preferred; its edit is for the version and comes when it is chosen", async () => {
  const parts = partsOf();
  const session = await startSession({ parts, capabilities: LAZY });
  expect(session.initialized.capabilities.codeActionProvider).toEqual({ codeActionKinds: ["quickfix"], resolveProvider: true });
  await session.open(URI, PATCH);
  await session.publication(0);
  expect(parts.calls.map((options) => options.fixes)).toEqual([undefined]);

  const [action, ...others] = await actionsAt(session, lineOf(PATCH));
  expect(others.map(({ title }) => title)).toEqual(["Ignore hugetlb-walk-unlocked in huge_usage_account() with a reason ... (below the --- of this mail)"]);
  expect(action).toMatchObject({ kind: "quickfix", isPreferred: true, diagnostics: [{ code: "hugetlb-walk-unlocked" }] });
  expect(action?.title).toMatch(/^Hold hugetlb_vma_lock_read\(vma\) .*\(proved, \d+ states; blocked at "hole punch of the file: .*", held by huge_usage_account\(\)\)$/);
  expect(action?.edit).toBeUndefined();

  const resolved = await session.client.sendRequest(CodeActionResolveRequest.type, action as CodeAction);
  expect(resolved.edit?.documentChanges).toMatchObject([{ textDocument: { uri: URI, version: 1 } }]);
  const text = applied(PATCH, resolved.edit);
  expect(text).toContain("@@ -7,6 +7,32 @@");
  expect(review({ path: "x.patch", text, kind: "patch" }, { ...(parts.calls[0] as ReviewOptions), release: "6.1" }).flatMap((one) => one.findings)).toEqual([]);

  // The menu opened twice and an edit resolved: one review more.
  await actionsAt(session, lineOf(PATCH));
  expect(parts.calls).toHaveLength(2);
  // Once it was looked for, the hover tells of it.
  expect(JSON.stringify(await session.hover(URI, lineOf(PATCH), 10))).toContain("Quick fix");
});

test("a client that does not resolve gets the edit at once, by place", async () => {
  const session = await startSession({ parts: partsOf(), capabilities: PLAIN });
  await session.open(URI, PATCH);
  await session.publication(0);
  const [action] = await actionsAt(session, lineOf(PATCH));
  expect(applied(PATCH, action?.edit)).toContain("+\thugetlb_vma_lock_read(vma);");
  expect(Object.keys(action?.edit?.changes ?? {})).toEqual([URI]);
});

test("an edit is not told for another version", async () => {
  const session = await startSession({ parts: partsOf(), capabilities: LAZY });
  await session.open(URI, PATCH);
  await session.publication(0);
  const [action] = await actionsAt(session, lineOf(PATCH));
  await session.edit(URI, 2, 0, 0, 0, "");
  const resolved = await session.client.sendRequest(CodeActionResolveRequest.type, action as CodeAction);
  expect(resolved.edit).toBeUndefined();
});

test("other places, other kinds and clients without actions get nothing", async () => {
  const session = await startSession({ parts: partsOf(), capabilities: LAZY });
  await session.open(URI, PATCH);
  await session.publication(0);
  expect(await actionsAt(session, 0)).toEqual([]);
  expect(await actionsAt(session, lineOf(PATCH), ["refactor"])).toEqual([]);
  const plain = await startSession({ parts: partsOf(), capabilities: { textDocument: { publishDiagnostics: {} } } });
  expect(plain.initialized.capabilities.codeActionProvider).toBeUndefined();
});
