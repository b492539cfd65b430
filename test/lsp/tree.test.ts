// SPDX-License-Identifier: GPL-2.0-only
import { pathToFileURL } from "node:url";
import { expect, test } from "vitest";
import type { ClientCapabilities } from "vscode-languageserver/node";
import { workspaceTree } from "../../server/node/workspace-tree.ts";
import { TRUST_GRANTED } from "../../server/protocol.ts";
import { review } from "../../server/review/review.ts";
import type { TreeLookup } from "../../server/lsp/reviewer.ts";
import { MAKEFILE, MMAP_LOCK, toyScan, VMA_LOCK, WALK } from "../cli/toy-scan.ts";
import { emptyFolder, gitTree, writeFiles } from "../git-tree.ts";
import { startSession } from "./session.ts";
import { recordingParts } from "./word-review.ts";

const PULL: ClientCapabilities = { textDocument: { publishDiagnostics: { relatedInformation: true }, diagnostic: {} } };
const FILE = "mm/toy_scan.c";

/** A kernel tree whose work tree is not what the patch applies to, and the mail of the patch. */
function kernel(): { readonly folder: string; readonly uri: string; readonly mail: string } {
  const tree = gitTree({ Makefile: MAKEFILE, [FILE]: toyScan(MMAP_LOCK) });
  tree.commit({ [FILE]: toyScan({ ...MMAP_LOCK, middle: WALK }) });
  const mail = tree.mails(1);
  tree.back(1);
  return { folder: tree.folder, uri: pathToFileURL(tree.folder).href, mail };
}

const messages = async (folders: readonly string[], uri: string, mail: string, trusted: boolean): Promise<readonly string[]> => {
  const session = await startSession({ parts: { ...recordingParts(), review, tree: workspaceTree }, capabilities: PULL, folders, initializationOptions: { trusted } });
  await session.open(uri, mail);
  const report = await session.pull(uri);
  return report.kind === "full" ? report.items.map(({ message, relatedInformation }) => [message, ...(relatedInformation ?? []).map((one) => one.message)].join("\n")) : [];
};

test("a patch in a kernel workspace sees its files; those of the repository only where the user trusts it", async () => {
  const { folder, uri, mail } = kernel();
  const decided = expect.stringMatching(/toy_scan_one\(\) walks vma without the .* \(proved\)\n.*\nmm\/toy_scan\.c:37: called from toy_scan_range\(\)$/);
  const asking = expect.stringMatching(/the lines of toy_scan_one\(\) above this hunk are not shown.*\(contract\)/);
  // The file of the work tree takes the patch: nobody needs a repository.
  expect(await messages([uri], `${uri}/0001.patch`, mail, false)).toEqual([decided]);
  expect(await messages([uri], "file:///elsewhere/0001.patch", mail, false)).toEqual([decided]);
  writeFiles(folder, { [FILE]: "int nothing;\n" });
  expect(await messages([uri], `${uri}/0001.patch`, mail, false)).toEqual([asking]);
  expect(await messages([uri], `${uri}/0001.patch`, mail, true)).toEqual([decided]);
  // A folder that is no kernel is not looked into.
  const other = emptyFolder();
  writeFiles(other, { Makefile: "all:\n", [FILE]: toyScan(VMA_LOCK) });
  expect(await messages([pathToFileURL(other).href], `${pathToFileURL(other).href}/0001.patch`, mail, true)).toEqual([asking]);
  expect(await messages([pathToFileURL(other).href, "vscode-vfs://github/a/b", uri], "untitled:Untitled-1", mail, true)).toEqual([decided]);
});

test("nobody trusts a workspace until the client says so; then open patches are looked at again", async () => {
  const asked: boolean[] = [];
  const tree: TreeLookup = (_folders, _uri, _questions, isTrusted) => {
    asked.push(isTrusted);
    return Promise.resolve(null);
  };
  const session = await startSession({ parts: { ...recordingParts(), tree }, folders: ["file:///linux"] });
  await session.open("file:///linux/a.patch", "BAD\n");
  await session.publication(0);
  await session.client.sendNotification(TRUST_GRANTED);
  await session.publication(1);
  expect(asked).toEqual([false, true]);
});

test.each([[undefined], [null], ["yes"], [{ trusted: "true" }], [{ trusted: 1 }], [{ patchwalk: { trusted: true } }]])("%j does not say so", async (initializationOptions) => {
  const asked: boolean[] = [];
  const tree: TreeLookup = (_folders, _uri, _questions, isTrusted) => Promise.resolve(null).finally(() => asked.push(isTrusted));
  const session = await startSession({ parts: { ...recordingParts(), tree }, folders: ["file:///linux"], initializationOptions });
  await session.open("file:///linux/a.patch", "BAD\n");
  await session.publication(0);
  expect(asked).toEqual([false]);
});

test("an edit while the tree is read is seen", async () => {
  const waiting: (() => void)[] = [];
  const tree: TreeLookup = () => new Promise((resolve) => waiting.push(() => resolve(null)));
  const parts = recordingParts();
  const session = await startSession({ parts: { ...parts, tree }, capabilities: PULL, folders: ["file:///linux"] });
  await session.open("file:///linux/a.patch", "fine\n");
  const answer = session.pull("file:///linux/a.patch");
  while (waiting.length === 0) await new Promise((done) => setTimeout(done, 5));
  await session.edit("file:///linux/a.patch", 2, 0, 0, 4, "BAD");
  await new Promise((done) => setTimeout(done, 20));
  waiting.shift()?.();
  while (waiting.length === 0) await new Promise((done) => setTimeout(done, 5));
  waiting.shift()?.();
  expect(await answer).toMatchObject({ kind: "full", items: [{ code: "notifier-nonblock-outside-oom" }] });
});
