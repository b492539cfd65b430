// SPDX-License-Identifier: GPL-2.0-only
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { CancellationTokenSource, DocumentDiagnosticRequest } from "vscode-languageserver/node";
import type { ClientCapabilities, ProtocolConnection } from "vscode-languageserver/node";
import { startSession } from "./session.ts";
import { recordingParts } from "./word-review.ts";

const URI = "file:///series/0001-x.patch";

/** As VS Code has it. */
const PULL: ClientCapabilities = {
  workspace: { configuration: true, didChangeConfiguration: { dynamicRegistration: true }, diagnostics: { refreshSupport: true } },
  textDocument: { publishDiagnostics: { relatedInformation: true, codeDescriptionSupport: true }, diagnostic: {} },
};

interface Answers {
  /** What the client answers to `workspace/configuration`. */
  configuration: unknown;
  asked: unknown[];
  registered: unknown[];
  refreshes: number;
}

function answering(configuration: unknown): { readonly answers: Answers; readonly prepare: (client: ProtocolConnection) => void } {
  const answers: Answers = { configuration, asked: [], registered: [], refreshes: 0 };
  return {
    answers,
    prepare: (client) => {
      client.onRequest("workspace/configuration", (params: { items: unknown[] }) => {
        answers.asked.push(...params.items);
        return params.items.map(() => answers.configuration);
      });
      client.onRequest("client/registerCapability", (params: { registrations: { method: string }[] }) => {
        answers.registered.push(...params.registrations.map((one) => one.method));
        return null;
      });
      client.onRequest("workspace/diagnostic/refresh", () => {
        answers.refreshes++;
        return null;
      });
    },
  };
}

test("a client that asks gets answers and nothing else", async () => {
  const parts = recordingParts();
  const { answers, prepare } = answering({ target: { release: "5.10" } });
  const session = await startSession({ parts, capabilities: PULL, prepare });
  expect(session.initialized.capabilities.diagnosticProvider)
    .toEqual({ identifier: "patchwalk", interFileDependencies: false, workspaceDiagnostics: false });

  await session.open(URI, "+a\n+BAD\n");
  const first = await session.pull(URI);
  expect(first).toMatchObject({
    kind: "full",
    items: [{ code: "notifier-nonblock-outside-oom", codeDescription: { href: "file:///docs/rules/notifier-nonblock-outside-oom.md" } }],
  });
  expect(first.kind === "full" && first.items[0]?.relatedInformation).toHaveLength(1);
  expect(parts.calls[0]?.options.release).toBe("5.10");
  expect(answers.asked).toEqual([{ scopeUri: URI, section: "patchwalk" }]);
  expect(answers.registered).toEqual(["workspace/didChangeConfiguration"]);

  expect(await session.pull(URI, first.resultId)).toEqual({ kind: "unchanged", resultId: first.resultId });
  expect(parts.calls).toHaveLength(1);
  await session.edit(URI, 2, 1, 1, 3, "fine");
  const second = await session.pull(URI, first.resultId);
  expect(second).toMatchObject({ kind: "full", items: [] });
  await session.close(URI);
  expect(await session.pull(URI, first.resultId)).toMatchObject({ kind: "full", items: [] });
  await sleep(50);
  expect(session.published).toEqual([]);
});

test("a change of settings asks the client to ask again", async () => {
  const parts = recordingParts();
  const { answers, prepare } = answering({ minTier: "contract" });
  const session = await startSession({ parts, capabilities: PULL, prepare });
  await session.open(URI, "BAD\n");
  await session.pull(URI);
  answers.configuration = { minTier: "proved", rules: { x: "warning" } };
  await session.client.sendNotification("workspace/didChangeConfiguration", { settings: null });
  await expect.poll(() => answers.refreshes).toBe(1);
  await session.pull(URI);
  expect(parts.calls.map((call) => call.options.minTier)).toEqual(["contract", "proved"]);
  expect(parts.calls[1]?.options.rules).toEqual({ x: "warning" });
});

test("a client that refuses what it said it can do is no failure", async () => {
  const parts = recordingParts();
  const session = await startSession({ parts, capabilities: PULL });
  await session.open(URI, "BAD\n");
  await session.client.sendNotification("workspace/didChangeConfiguration", { settings: {} });
  expect(await session.pull(URI)).toMatchObject({ kind: "full", items: [{ severity: 1 }] });
});

test("settings that the client does not have fall back on the initialization options", async () => {
  const parts = recordingParts();
  const { prepare } = answering(null);
  const session = await startSession({ parts, capabilities: PULL, prepare, initializationOptions: { target: { release: "6.6" } } });
  await session.open(URI, "x\n");
  await session.pull(URI);
  expect(parts.calls[0]?.options.release).toBe("6.6");
});

test("a cancelled request is not worked on", async () => {
  const parts = recordingParts();
  const { prepare } = answering(null);
  const session = await startSession({ parts, capabilities: PULL, prepare });
  await session.open(URI, "x\n");
  const source = new CancellationTokenSource();
  const request = session.client.sendRequest(DocumentDiagnosticRequest.type, { textDocument: { uri: URI } }, source.token);
  source.cancel();
  await expect(request).rejects.toMatchObject({ code: -32800 });
  expect(parts.calls).toEqual([]);
});

test("hover", async () => {
  const { prepare } = answering(null);
  const markdown = await startSession({
    parts: recordingParts(),
    capabilities: { ...PULL, textDocument: { ...PULL.textDocument, hover: { contentFormat: ["markdown", "plaintext"] } } },
    prepare,
  });
  await markdown.open(URI, "+a\n+\tBAD(x);\n");
  const hover = await markdown.hover(URI, 1, 3);
  expect(hover).toMatchObject({
    contents: { kind: "markdown", value: expect.stringContaining("```text\n          move_one_pte()") },
    range: { start: { line: 1, character: 2 }, end: { line: 1, character: 5 } },
  });
  expect(await markdown.hover(URI, 1, 7)).toBeNull();
  expect(await markdown.hover(URI, 0, 0)).toBeNull();
  expect(await markdown.hover("file:///not-open.patch", 0, 0)).toBeNull();

  const plain = await startSession({ parts: recordingParts() });
  await plain.open("file:///x.c", "BAD\n", "c");
  const text = await plain.hover("file:///x.c", 0, 0);
  expect(text?.contents).toMatchObject({ kind: "plaintext", value: expect.stringContaining("line:140  mmu_notifier") });
});
