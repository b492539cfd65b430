// SPDX-License-Identifier: GPL-2.0-only
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { startSession } from "./session.ts";
import { recordingParts } from "./word-review.ts";

const URI = "file:///series/0001-x.patch";

/** As Neovim 0.7 has it: no pull, no configuration. */
const PUSH = { textDocument: { publishDiagnostics: { relatedInformation: true } } };

test("a client that does not ask is told: on opening, after changes, and nothing after closing", async () => {
  const parts = recordingParts();
  const session = await startSession({ parts, capabilities: PUSH });
  expect(session.initialized.capabilities).toMatchObject({ positionEncoding: "utf-16", textDocumentSync: { change: 2 }, hoverProvider: true });
  expect(session.initialized.capabilities.diagnosticProvider).toBeUndefined();

  await session.open(URI, "+\tmap();\n+\tBAD();\n");
  expect(await session.publication(0)).toEqual({
    uri: URI,
    version: 1,
    diagnostics: [{
      range: { start: { line: 1, character: 2 }, end: { line: 1, character: 5 } },
      severity: 1,
      code: "notifier-nonblock-outside-oom",
      source: "patchwalk",
      message: expect.stringMatching(/stays mapped \(proved\)$/),
      relatedInformation: [{
        location: { uri: URI, range: { start: { line: 0, character: 0 }, end: { line: 0, character: 8 } } },
        message: "mapped here",
      }],
      data: "0123456789abcdef",
    }],
  });

  await session.edit(URI, 2, 1, 2, 3, "GO");
  await session.edit(URI, 3, 0, 2, 0, "BAD ");
  const second = await session.publication(1);
  expect(second).toMatchObject({ version: 3, diagnostics: [{ range: { start: { line: 0, character: 2 } } }] });
  expect(parts.calls).toHaveLength(2);

  await session.edit(URI, 4, 0, 2, 0, " ");
  await session.close(URI);
  expect(await session.publication(2)).toEqual({ uri: URI, diagnostics: [] });
  await sleep(60);
  expect(session.published).toHaveLength(3);
  expect(parts.calls).toHaveLength(2);
});

test("what the client does not show is left out", async () => {
  const session = await startSession({ parts: recordingParts() });
  await session.open(URI, "+a\n+BAD\n");
  const [diagnostic] = (await session.publication(0)).diagnostics;
  expect(diagnostic).not.toHaveProperty("relatedInformation");
  expect(diagnostic).not.toHaveProperty("codeDescription");
});

test("a crash is logged once, gives no diagnostics, and the server goes on", async () => {
  const logs: string[] = [];
  const session = await startSession({
    parts: recordingParts(),
    prepare: (client) => client.onNotification("window/logMessage", (params: { message: string }) => void logs.push(params.message)),
  });
  await session.open(URI, "CRASH\n");
  expect((await session.publication(0)).diagnostics).toEqual([]);
  await session.edit(URI, 2, 0, 0, 0, "x");
  expect((await session.publication(1)).diagnostics).toEqual([]);
  await session.open("file:///b.patch", "BAD\n");
  expect((await session.publication(2)).diagnostics).toHaveLength(1);
  expect(logs.filter((message) => message.includes("a bug"))).toHaveLength(1);
});

test("settings come with the start and with changes, for clients that cannot be asked", async () => {
  const parts = recordingParts();
  const session = await startSession({
    parts,
    initializationOptions: { patchwalk: { target: { release: "6.1" }, minTier: "pattern", rules: { a: "off", b: "loud" } } },
  });
  await session.open(URI, "x\n");
  await session.publication(0);
  expect(parts.calls[0]?.options).toMatchObject({ release: "6.1", minTier: "pattern", rules: { a: "off" } });
  await session.client.sendNotification("workspace/didChangeConfiguration", { settings: { patchwalk: { target: { release: "" }, minTier: 7 } } });
  await session.publication(1);
  expect(parts.calls[1]?.options).toMatchObject({ release: null, minTier: "contract", rules: {} });
});

test("initialization options may come without the section's name", async () => {
  const parts = recordingParts();
  const session = await startSession({ parts, initializationOptions: { minTier: "proved" } });
  await session.open(URI, "x\n");
  await session.publication(0);
  expect(parts.calls[0]?.options.minTier).toBe("proved");
});

test("C files are reviewed as C; lines are the client's", async () => {
  const parts = recordingParts();
  const session = await startSession({ parts });
  await session.open("file:///mm/a", "x\n", "c");
  await session.open("file:///mm/b.c", "x\n", "cpp");
  await session.open("file:///mm/c.txt", "a\rb\r\nBAD\n", "plaintext");
  expect((await session.publication(2)).diagnostics[0]?.range.start.line).toBe(2);
  expect(parts.calls.map((call) => call.input.kind)).toEqual(["c", "c", "patch"]);
});
