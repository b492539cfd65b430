// SPDX-License-Identifier: GPL-2.0-only
import { pathToFileURL } from "node:url";
import { describe, expect, onTestFinished, test } from "vitest";
import type { CodeLens } from "vscode-languageserver/node";
import { reviewThreads } from "../../server/cli/review-threads.ts";
import { workspaceTrees } from "../../server/cli/workspace-trees.ts";
import type { ServerParts } from "../../server/lsp/server.ts";
import { SHOW_INTERLEAVING, WHAT_IF_CALLER_HOLDS, type CommandAnswer } from "../../server/protocol.ts";
import { review } from "../../server/review/review.ts";
import { folderOf } from "../cli/run-command.ts";
import { TOY_TREE } from "../cli/toy-tree.ts";
import { builtWorker } from "./built-worker.ts";
import { startSession, type Session } from "./session.ts";

const WORKER = builtWorker("server/worker.ts");
const URI = "file:///mm/toy.c";

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

const PARTS: ServerParts = { review, ruleOf: () => null, ruleUrl: () => null, debounceMs: 5 };

interface Lenses extends Session {
  readonly lenses: (uri?: string) => Promise<readonly CodeLens[]>;
  readonly run: (command: string, argument?: unknown) => Promise<CommandAnswer | null>;
  readonly shown: readonly string[];
}

async function session(parts: Partial<ServerParts> = {}, showsAnswers = true, folders: readonly string[] = []): Promise<Lenses> {
  const shown: string[] = [];
  const made = await startSession({
    parts: { ...PARTS, ...parts }, initializationOptions: { showsAnswers, target: { release: "6.1" } }, folders,
    capabilities: { textDocument: { publishDiagnostics: { relatedInformation: true } } },
    prepare: (client) => client.onNotification("window/showMessage", ({ message }: { message: string }) => void shown.push(message)),
  });
  const lenses = async (uri = URI): Promise<readonly CodeLens[]> => {
    const found = (await made.client.sendRequest("textDocument/codeLens", { textDocument: { uri } })) as CodeLens[];
    return Promise.all(found.map((lens) => made.client.sendRequest("codeLens/resolve", lens) as Promise<CodeLens>));
  };
  const run = (command: string, argument?: unknown): Promise<CommandAnswer | null> =>
    made.client.sendRequest("workspace/executeCommand", { command, ...(argument === undefined ? {} : { arguments: [argument] }) });
  return { ...made, lenses, run, shown };
}

const oneLine = (answer: CommandAnswer | null): string => (answer?.text ?? "").replace(/\s+/g, " ");

describe.each([["in this thread", false], ["in a thread of its own", true]])("reviews %s", (_, isThread) => {
  const parts = (): Partial<ServerParts> => {
    if (!isThread) return {};
    const reviewer = reviewThreads(WORKER);
    onTestFinished(() => reviewer.dispose());
    return { reviewer };
  };

  test("lenses of a finding, the schedule, the locks, and what one of them changes", async () => {
    const { open, lenses, run, initialized } = await session(parts());
    expect(initialized.capabilities).toMatchObject({ codeLensProvider: { resolveProvider: true }, executeCommandProvider: { commands: [WHAT_IF_CALLER_HOLDS, SHOW_INTERLEAVING] } });
    await open(URI, TOY, "c");
    const [first, second, ...others] = await lenses();
    expect(others).toEqual([]);
    expect(first).toMatchObject({ range: { start: { line: 6 } }, command: { title: expect.stringMatching(/^Show interleaving \(\d+ steps\)$/), command: SHOW_INTERLEAVING } });
    expect(second).toMatchObject({ range: { start: { line: 6 } }, command: { title: "What if the caller holds …?", command: WHAT_IF_CALLER_HOLDS } });
    const [about] = second!.command!.arguments as [{ uri: string; finding: string }];

    const shown = await run(SHOW_INTERLEAVING, about);
    expect(shown?.title).toBe("Interleaving of toy_is_none()");
    expect(shown?.text).toMatch(/line:7 .*huge_pte_offset[^]*\*\*\* an entry of PMD table P is used/);
    expect(oneLine(shown)).toMatch(/explored: uaf: the schedule above breaks it \(\d+ states, \d+ transitions; environment {/);

    const asked = await run(WHAT_IF_CALLER_HOLDS, about);
    expect(asked?.locks).toEqual(expect.arrayContaining(["i_mmap_rwsem (read)", "hugetlb vma lock(A) (write)", "mmap_lock(A) (read)"]));

    const dies = await run(WHAT_IF_CALLER_HOLDS, { ...about, lock: "i_mmap_rwsem (read)" });
    expect(dies?.title).toBe("What if the caller of toy_is_none() holds i_mmap_rwsem (read)?");
    expect(oneLine(dies)).toMatch(/With i_mmap_rwsem \(read\) held by the caller no schedule of this scenario fails \(all \d+ states, \d+ transitions\) The failing schedule stops at step \d+ of \d+, at "hole punch of the file: i_mmap_lock_write\(mapping\)", which waits for i_mmap_rwsem, held by the caller of toy_is_none\(\) covers: environment {/);

    const fails = await run(WHAT_IF_CALLER_HOLDS, { ...about, lock: "mmap_lock (read)" });
    expect(oneLine(fails)).toMatch(/it still fails \(\d+ states.* caller takes mmap_lock\(A\) \(read\) .* covers: environment/);
    expect(oneLine(await run(WHAT_IF_CALLER_HOLDS, { ...about, lock: "folio_lock" }))).toContain("folio_lock: no thread of this scenario takes it: it changes nothing");
    expect(await run(WHAT_IF_CALLER_HOLDS, { ...about, lock: "no such" })).toMatchObject({ text: expect.stringContaining("No lock is called 'no such' here: its locks are "), locks: asked?.locks });
  });

  test("the document of a moment ago", async () => {
    const { open, edit, lenses, run } = await session(parts());
    await open(URI, TOY, "c");
    const [about] = (await lenses())[1]!.command!.arguments as [unknown];
    await edit(URI, 2, 6, 1, 4, "xxxx");
    for (const command of [SHOW_INTERLEAVING, WHAT_IF_CALLER_HOLDS]) expect((await run(command, about))?.text).toBe("The document does not have this finding any more.");
    expect(await lenses()).toEqual([]);
    expect(await run(WHAT_IF_CALLER_HOLDS, { uri: "file:///closed.c", finding: "0" })).toBeNull();
  });
});

test.each([undefined, null, 7, "x", {}, { uri: URI }, { uri: 1, finding: 2 }])("an argument that is none: %j", async (argument) => {
  const { open, run } = await session();
  await open(URI, TOY, "c");
  await expect(run(WHAT_IF_CALLER_HOLDS, argument)).rejects.toThrow("takes { uri, finding, lock? }");
});

test("a lens that is not ours stays as it is", async () => {
  const { client } = await session();
  const lens = { range: { start: { line: 0, character: 0 }, end: { line: 0, character: 1 } }, data: { command: "rm", uri: URI, finding: "x", steps: 1 } };
  expect(await client.sendRequest("codeLens/resolve", lens)).toEqual(lens);
});

test("a client that shows no answers gets a message", async () => {
  const { open, lenses, run, shown } = await session({}, false);
  await open(URI, TOY, "c");
  const [about] = (await lenses())[1]!.command!.arguments as [object];
  await run(WHAT_IF_CALLER_HOLDS, { ...about, lock: "i_mmap_rwsem" });
  await expect.poll(() => shown.map((one) => one.replace(/\s+/g, " "))).toEqual([expect.stringContaining("no schedule of this scenario fails")]);
});

test("a finding of a file of a kernel tree, whose lines have moved", async () => {
  const folder = folderOf(TOY_TREE);
  const trees = workspaceTrees({ workerFile: WORKER, env: { XDG_CACHE_HOME: folderOf({}) } });
  onTestFinished(() => trees.dispose());
  const { open, edit, publication, lenses, run } = await session({ trees }, true, [pathToFileURL(folder).href]);
  const uri = pathToFileURL(`${folder}/mm/toy_walk.c`).href;
  await open(uri, TOY_TREE["mm/toy_walk.c"]!, "c");
  for (let index = 0; ; index++) if (JSON.stringify((await publication(index)).diagnostics).includes("toy_wrong")) break;
  const before = await lenses(uri);
  await edit(uri, 2, 0, 0, 0, "\n\n\n");
  const after = await lenses(uri);
  expect(after.map(({ range }) => range.start.line - 3)).toEqual(before.map(({ range }) => range.start.line));
  const [about] = after[1]!.command!.arguments as [object];
  const { text } = (await run(WHAT_IF_CALLER_HOLDS, { ...about, lock: "mmap_lock (read)" }))!;
  expect(text).toContain(`line:${after[0]!.range.start.line + 1} `);
});
