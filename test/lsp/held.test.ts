// SPDX-License-Identifier: GPL-2.0-only
import { describe, expect, test } from "vitest";
import { InlayHintRequest, InlayHintRefreshRequest, DidChangeConfigurationNotification } from "vscode-languageserver/node";
import type { InlayHint } from "vscode-languageserver/node";
import { heldInDocument } from "../../server/review/held.ts";
import { startSession, type Session } from "./session.ts";
import { recordingParts } from "./word-review.ts";

const URI = "file:///linux/mm/toy.c";
const CODE = `static int toy_work(struct mm_struct *mm, pmd_t *pmd, unsigned long addr)
{
	spinlock_t *ptl;
	pte_t *pte;

	mmap_read_lock(mm);
	pte = pte_offset_map_lock(mm, pmd, addr, &ptl);
	toy_look(pte);
	toy_look(pte);
	pte_unmap_unlock(pte, ptl);
	mmap_read_unlock(mm);
	return 0;
}

static void toy_leave(struct mm_struct *mm)
{
	mmap_read_unlock(mm);
}
`;

const hints = (session: Session, first = 0, last = 100): Promise<InlayHint[] | null> =>
  session.client.sendRequest(InlayHintRequest.type, { textDocument: { uri: URI }, range: { start: { line: first, character: 0 }, end: { line: last, character: 0 } } });

/** Before 6.5 a map cannot fail. */
const TARGET = { target: { release: "6.1" } };

const parts = { ...recordingParts(), held: heldInDocument };

describe("what is held, in the editor", () => {
  test("inlay hints are off until they are switched on", async () => {
    const session = await startSession({ parts });
    expect(session.initialized.capabilities).toMatchObject({ inlayHintProvider: true });
    await session.open(URI, CODE, "c");
    expect(await hints(session)).toBeNull();
  });

  test("they stand behind the lines on which something changes", async () => {
    const session = await startSession({ parts, initializationOptions: { ...TARGET, inlayHints: { held: true } } });
    await session.open(URI, CODE, "c");
    expect(await hints(session)).toEqual([
      { position: { line: 6, character: 48 }, label: "held here: mmap_lock(R)", paddingLeft: true },
      { position: { line: 7, character: 15 }, label: "held here: mmap_lock(R) · atomic: ptl(pmd) · mapped: pte", paddingLeft: true },
      { position: { line: 10, character: 22 }, label: "held here: mmap_lock(R)", paddingLeft: true },
    ]);
    expect(await hints(session, 8, 9)).toEqual([]);
    await session.edit(URI, 2, 5, 1, "mmap_read_lock".length, "mmap_write_lock");
    expect((await hints(session))?.[0]).toMatchObject({ label: "held here: mmap_lock(W)" });
  });

  test("the editor is told when the setting changes", async () => {
    let refreshed = 0;
    const session = await startSession({
      parts,
      capabilities: { workspace: { inlayHint: { refreshSupport: true } } },
      prepare: (client) => client.onRequest(InlayHintRefreshRequest.type, () => void refreshed++),
    });
    await session.open(URI, CODE, "c");
    expect(await hints(session)).toBeNull();
    await session.client.sendNotification(DidChangeConfigurationNotification.type, { settings: { patchwalk: { ...TARGET, inlayHints: { held: true } } } });
    expect(await hints(session)).toHaveLength(3);
    expect(refreshed).toBe(1);
  });

  test("the hover says what holds, and what a function asks of its callers", async () => {
    const session = await startSession({ parts, initializationOptions: TARGET });
    await session.open(URI, CODE, "c");
    expect(await session.hover(URI, 7, 2)).toEqual({
      contents: { kind: "plaintext", value: "held here: mmap_lock(R) · atomic: ptl(pmd) · mapped: pte\ncallers that are not in view may hold more" },
      range: { start: { line: 7, character: 1 }, end: { line: 7, character: 9 } },
    });
    expect(await session.hover(URI, 14, 15)).toMatchObject({ contents: { value: "toy_leave()\nneeds: mmap_lock(R)\ngives up: mmap_lock(R)" } });
    expect(await session.hover(URI, 11, 2)).toBeNull();
    expect(await session.hover(URI, 4, 0)).toBeNull();
  });

  test("names from the text are never markup", async () => {
    const session = await startSession({ parts, capabilities: { textDocument: { hover: { contentFormat: ["markdown"] } } } });
    await session.open(URI, "static void toy(struct toy *t)\n{\n\tspin_lock(&t->a[`x`].lock);\n\ttoy_more(t);\n}\n", "c");
    const hover = await session.hover(URI, 3, 3);
    expect(JSON.stringify(hover)).toContain("```text");
  });

  test("without the part nothing is promised", async () => {
    const session = await startSession({ parts: recordingParts() });
    expect(session.initialized.capabilities).not.toHaveProperty("inlayHintProvider");
  });
});
