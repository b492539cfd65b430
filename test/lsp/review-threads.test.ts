// SPDX-License-Identifier: GPL-2.0-only
import { pathToFileURL } from "node:url";
import { describe, expect, onTestFinished, test } from "vitest";
import type { ClientCapabilities, DocumentDiagnosticReport } from "vscode-languageserver/node";
import { reviewThreads } from "../../server/cli/review-threads.ts";
import type { Reviewer } from "../../server/lsp/reviewer.ts";
import { workspaceTree } from "../../server/node/workspace-tree.ts";
import { review } from "../../server/review/review.ts";
import { explorations } from "../../server/simulator/remembered.ts";
import { MAKEFILE, MMAP_LOCK, toyScan, WALK } from "../cli/toy-scan.ts";
import { gitTree } from "../git-tree.ts";
import { builtWorker } from "./built-worker.ts";
import { startSession, type Session } from "./session.ts";
import { recordingParts } from "./word-review.ts";

const SLOW = builtWorker("test/lsp/slow-worker.ts");
const WORKER = builtWorker("server/worker.ts");

const PULL: ClientCapabilities = { textDocument: { publishDiagnostics: { relatedInformation: true }, diagnostic: {}, hover: { contentFormat: ["plaintext"] } } };

function threadsOf(file: string): Reviewer {
  const threads = reviewThreads(file);
  onTestFinished(() => threads.dispose());
  return threads;
}

const slowSession = (): Promise<Session> => startSession({ parts: { ...recordingParts(), reviewer: threadsOf(SLOW) }, capabilities: PULL });

const messages = (report: DocumentDiagnosticReport): readonly string[] => (report.kind === "full" ? report.items.map(({ message }) => String(message)) : []);

describe("while an exploration takes long", () => {
  test("other documents are reviewed, and hovered over", async () => {
    const session = await slowSession();
    await session.open("file:///long.patch", "ENDLESS\n");
    const long = session.pull("file:///long.patch").catch((error: unknown) => error);
    for (const name of ["a", "b", "c"]) {
      await session.open(`file:///${name}.patch`, "+a\n+\tBAD(x);\n");
      // A thread that starts late on a busy machine answers the second one.
      await expect.poll(async () => JSON.stringify(await session.hover(`file:///${name}.patch`, 1, 3)), { timeout: 20_000 }).toContain("move_one_pte()");
      expect(messages(await session.pull(`file:///${name}.patch`))).toHaveLength(1);
    }
    await session.close("file:///long.patch");
    await long;
  });

  test("its own document answers what needs no exploration", async () => {
    const session = await slowSession();
    await session.open("file:///long.patch", "ENDLESS\n+BAD\n");
    const long = session.pull("file:///long.patch").catch((error: unknown) => error);
    expect(await session.hover("file:///long.patch", 1, 2)).toBeNull();
    expect(await session.client.sendRequest("textDocument/documentSymbol", { textDocument: { uri: "file:///long.patch" } })).toBeNull();
    await session.close("file:///long.patch");
    await long;
  });

  test("an edit gives it up: the new text is reviewed at once, also by who waits", async () => {
    const session = await slowSession();
    await session.open("file:///long.patch", "ENDLESS\n+BAD\n");
    await session.open("file:///longer.patch", "ENDLESS too\n");
    const waiting = [session.pull("file:///long.patch"), session.pull("file:///longer.patch")];
    await new Promise((resolve) => setTimeout(resolve, 500));
    await session.edit("file:///long.patch", 2, 0, 0, 7, "short");
    await session.edit("file:///longer.patch", 2, 0, 0, 7, "short");
    expect((await Promise.all(waiting)).map((report) => messages(report).length)).toEqual([1, 0]);
  });

  test("a client that is told gets the newest state", async () => {
    const session = await startSession({ parts: { ...recordingParts(), reviewer: threadsOf(SLOW) } });
    await session.open("file:///long.patch", "ENDLESS\n+BAD\n");
    await new Promise((resolve) => setTimeout(resolve, 300));
    await session.edit("file:///long.patch", 2, 0, 0, 7, "short");
    expect(await session.publication(0)).toMatchObject({ version: 2, diagnostics: [{}] });
  });

  test("a bug in a thread costs one review", async () => {
    const session = await slowSession();
    await session.open("file:///bug.patch", "CRASH BAD\n");
    await session.open("file:///a.patch", "BAD\n");
    expect(messages(await session.pull("file:///bug.patch"))).toEqual([]);
    expect(messages(await session.pull("file:///a.patch"))).toHaveLength(1);
  });
});

test("threads say what this thread says, of a patch in a kernel tree", async () => {
  const tree = gitTree({ Makefile: MAKEFILE, "mm/toy_scan.c": toyScan(MMAP_LOCK) });
  tree.commit({ "mm/toy_scan.c": toyScan({ ...MMAP_LOCK, middle: WALK }) });
  const folders = [pathToFileURL(tree.folder).href];
  const mail = tree.mails(1);
  tree.back(1);
  const reports = [];
  for (const parts of [{}, { reviewer: threadsOf(WORKER) }]) {
    const session = await startSession({ parts: { ...recordingParts(), review, tree: workspaceTree, ...parts }, capabilities: PULL, folders, initializationOptions: { trusted: true } });
    await session.open(`${folders[0]}/0001.patch`, mail);
    reports.push(await session.pull(`${folders[0]}/0001.patch`));
  }
  expect(messages(reports[0]!)).toEqual([expect.stringMatching(/\(proved\)$/)]);
  expect(reports[1]).toEqual(reports[0]);
});

const TOY = `static bool toy_is_none(struct mm_struct *mm, struct vm_area_struct *vma, unsigned long addr)
{
	bool none = true;
	pte_t *ptep;

	mmap_read_lock(mm);
	ptep = huge_pte_offset(mm, addr, huge_page_size(hstate_vma(vma)));
	if (ptep)
		none = huge_pte_none(huge_ptep_get(ptep));
	mmap_read_unlock(mm);
	return none;
}
`;

test("an edit that does not change what is explored explores nothing again", async () => {
  const uri = "file:///mm/toy.c";
  const session = await startSession({ parts: { ...recordingParts(), review }, capabilities: PULL });
  await session.open(uri, TOY, "c");
  const before = await session.pull(uri);
  expect(messages(before)).toHaveLength(1);
  const explored = explorations();
  await session.edit(uri, 2, 0, 0, 0, "/* a comment above */\n\nint other;\n");
  const moved = await session.pull(uri);
  await session.edit(uri, 3, 6, 0, 0, "\tint unused; /* and one inside */\n\n");
  const again = await session.pull(uri);
  expect([moved, again].map((report) => report.kind === "full" && report.items[0]?.range.start.line)).toEqual([9, 11]);
  expect(explorations()).toBe(explored);
  // Another use is another model.
  await session.edit(uri, 4, 14, 0, 0, "\tif (ptep && huge_pte_none(huge_ptep_get(ptep)))\n\t\tnone = true;\n");
  expect(messages(await session.pull(uri))).toHaveLength(1);
  expect(explorations()).toBeGreaterThan(explored);
});
