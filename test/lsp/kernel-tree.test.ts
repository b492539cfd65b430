// SPDX-License-Identifier: GPL-2.0-only
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { DiagnosticRefreshRequest, RegistrationRequest, WorkDoneProgressCreateRequest } from "vscode-languageserver/node";
import type { Diagnostic, ProtocolConnection, PublishDiagnosticsParams } from "vscode-languageserver/node";
import { ENGINE } from "../../server/cli/engine.ts";
import { workspaceTrees } from "../../server/cli/workspace-trees.ts";
import { review } from "../../server/review/review.ts";
import { folderOf, patchwalk } from "../cli/run-command.ts";
import { TOY_TREE } from "../cli/toy-tree.ts";
import { startSession, type Session } from "./session.ts";

const ROOT = join(dirname(fileURLToPath(import.meta.url)), "../..");
/** Inside of the checkout, so that the thread finds the parser. */
const BUILT = join(ROOT, "node_modules", `.patchwalk-tree-test-${process.pid}`);
const WORKER = join(BUILT, "worker.cjs");

beforeAll(async () => {
  mkdirSync(BUILT, { recursive: true });
  await build({
    absWorkingDir: ROOT, entryPoints: ["server/worker.ts"], outfile: WORKER, bundle: true, platform: "node", target: "node20", format: "cjs",
    external: ["tree-sitter", "tree-sitter-c"], define: { "import.meta.url": "importMetaUrl" }, logLevel: "silent",
    banner: { js: `const importMetaUrl = require("node:url").pathToFileURL(__filename).href;` },
  });
});
afterAll(() => rmSync(BUILT, { recursive: true, force: true }));

const PUSH = { textDocument: { publishDiagnostics: { relatedInformation: true } } };
const WALK = "mm/toy_walk.c";
const WRONG = "virt/kvm/toy_wrong.c";

interface Opened extends Session {
  readonly folder: string;
  readonly uri: (path: string) => string;
  /** Resolves when a publication for the file is as wanted. */
  readonly until: (path: string, isIt: (diagnostics: readonly Diagnostic[]) => boolean) => Promise<PublishDiagnosticsParams>;
}

async function openTree(files: Readonly<Record<string, string>>, options: { readonly workerFile?: string; readonly capabilities?: object; readonly prepare?: (client: ProtocolConnection) => void } = {}): Promise<Opened> {
  const folder = folderOf(files);
  const trees = workspaceTrees({ workerFile: options.workerFile ?? null, env: { XDG_CACHE_HOME: folderOf({}) } });
  onTestFinished(() => trees.dispose());
  const session = await startSession({
    parts: { review, ruleOf: () => null, ruleUrl: () => null, trees, debounceMs: 10 },
    capabilities: { ...PUSH, ...options.capabilities },
    folders: [pathToFileURL(folder).href],
    ...(options.prepare ? { prepare: options.prepare } : {}),
  });
  const uri = (path: string): string => pathToFileURL(join(folder, path)).href;
  const until: Opened["until"] = async (path, isIt) => {
    for (let index = 0; ; index++) {
      const one = await session.publication(index);
      if (one.uri === uri(path) && isIt(one.diagnostics)) return one;
    }
  };
  return { ...session, folder, uri, until };
}

/** What the command line says of a file, as diagnostics have it. */
async function scanned(folder: string, path: string) {
  const { out } = await patchwalk(["scan", folder, path, "--no-cache", "--format", "json", "--fail-on", "never"], { engine: ENGINE });
  const { findings } = JSON.parse(out).inputs[0] as { findings: { ruleId: string; tier: string; message: string; fingerprint: string; location: { patchLine: number; column: number }; related: { message: string; patchLine: number; file: string }[] }[] };
  return findings.map(({ ruleId, tier, message, fingerprint, location, related }) => ({
    code: ruleId, message: `${message} (${tier})`, data: fingerprint, at: [location.patchLine - 1, location.column - 1],
    related: related.map((one) => [one.message, pathToFileURL(join(folder, one.file)).href, one.patchLine - 1]),
  }));
}

const said = ({ diagnostics }: { readonly diagnostics: readonly Diagnostic[] }) =>
  diagnostics.map(({ code, message, data, range, relatedInformation }) => ({
    code, message, data, at: [range.start.line, range.start.character], related: (relatedInformation ?? []).map((one) => [one.message, one.location.uri, one.location.range.start.line]),
  }));

const names = (caller: string) => (diagnostics: readonly Diagnostic[]): boolean => diagnostics.some((one) => one.relatedInformation?.some(({ message }) => message.includes(caller)) === true);
const isSilent = (diagnostics: readonly Diagnostic[]): boolean => diagnostics.length === 0;

test.each([["in this thread", undefined], ["in a thread of its own", WORKER]])("findings of a file of a kernel tree are those of a scan, %s", async (_, workerFile) => {
  const session = await openTree(TOY_TREE, workerFile === undefined ? {} : { workerFile });
  await session.open(session.uri(WALK), TOY_TREE[WALK]!, "c");
  const found = await session.until(WALK, names("toy_wrong"));
  expect(said(found)).toEqual(await scanned(session.folder, WALK));
  expect(found.diagnostics[0]!.message).toMatch(/\(proved\)$/);
  // The first answer was that of the file alone: nobody had to wait.
  if (workerFile !== undefined) expect(names("toy_wrong")(session.published[0]!.diagnostics)).toBe(false);
});

test("an edit is judged with the callers; a hover tells the same", async () => {
  const session = await openTree(TOY_TREE);
  await session.open(session.uri(WALK), TOY_TREE[WALK]!, "c");
  await session.until(WALK, names("toy_wrong"));
  await session.edit(session.uri(WALK), 2, 0, 0, 0, "/* moved */\n\n");
  const moved = await session.until(WALK, (diagnostics) => names("toy_wrong")(diagnostics) && diagnostics[0]!.range.start.line > 4);
  writeFileSync(join(session.folder, WALK), `/* moved */\n\n${TOY_TREE[WALK]!}`);
  expect(said(moved)).toEqual(await scanned(session.folder, WALK));
  const { line, character } = moved.diagnostics[0]!.range.start;
  expect(JSON.stringify(await session.hover(session.uri(WALK), line, character))).toContain("toy_walk()");
});

test("a caller that is open counts as the editor shows it, and as on disk once it is closed", async () => {
  const session = await openTree(TOY_TREE);
  await session.open(session.uri(WALK), TOY_TREE[WALK]!, "c");
  await session.until(WALK, names("toy_wrong"));
  const right = TOY_TREE[WRONG]!.replace("mmap_read_lock(vma->vm_mm)", "hugetlb_vma_lock_read(vma)").replace("mmap_read_unlock(vma->vm_mm)", "hugetlb_vma_unlock_read(vma)");
  await session.open(session.uri(WRONG), right, "c");
  await session.edit(session.uri(WRONG), 2, 0, 0, 0, " ");
  const before = session.published.length;
  await session.until(WALK, isSilent);
  await session.close(session.uri(WRONG));
  await session.edit(session.uri(WALK), 2, 0, 0, 0, "\n");
  await session.until(WALK, (diagnostics) => session.published.length > before && names("toy_wrong")(diagnostics) && diagnostics[0]!.range.start.line === 5);
});

test("files that change on disk are taken over; those that lead out of the folder are not read", async () => {
  const watched: unknown[] = [];
  const session = await openTree(TOY_TREE, {
    capabilities: { workspace: { didChangeWatchedFiles: { dynamicRegistration: true } } },
    prepare: (client) => client.onRequest(RegistrationRequest.type, ({ registrations }) => void watched.push(...registrations)),
  });
  await session.open(session.uri(WALK), TOY_TREE[WALK]!, "c");
  await session.until(WALK, names("toy_wrong"));
  expect(watched).toMatchObject([{ method: "workspace/didChangeWatchedFiles" }]);
  const changed = (...paths: readonly string[]): Promise<void> =>
    session.client.sendNotification("workspace/didChangeWatchedFiles", { changes: paths.map((path) => ({ uri: session.uri(path), type: 2 })) });

  writeFileSync(join(session.folder, WRONG), "");
  await changed(WRONG);
  await session.until(WALK, isSilent);
  const outside = folderOf({ "toy_wrong.c": TOY_TREE[WRONG]!.replace("toy_wrong", "toy_outside") });
  symlinkSync(join(outside, "toy_wrong.c"), join(session.folder, "mm/toy_link.c"));
  writeFileSync(join(session.folder, "mm/toy_inside.c"), TOY_TREE[WRONG]!.replace("toy_wrong", "toy_inside"));
  await changed("mm/toy_link.c", "../toy_wrong.c", "mm/toy_inside.c");
  const found = await session.until(WALK, names("toy_inside"));
  expect(JSON.stringify(session.published)).not.toContain("toy_outside");
  expect(said(found)).toEqual(await scanned(session.folder, WALK));
});

test("a client that asks is told to ask again, and one that cancels goes on with single files", async () => {
  const refreshed: (() => void)[] = [];
  const next = new Promise<void>((resolve) => refreshed.push(resolve));
  const session = await openTree(TOY_TREE, {
    workerFile: WORKER,
    capabilities: { textDocument: { diagnostic: { relatedInformation: true } }, workspace: { diagnostics: { refreshSupport: true } } },
    prepare: (client) => client.onRequest(DiagnosticRefreshRequest.type, () => refreshed.pop()?.()),
  });
  expect(session.initialized.capabilities.diagnosticProvider).toMatchObject({ interFileDependencies: true });
  await session.open(session.uri(WALK), TOY_TREE[WALK]!, "c");
  const alone = await session.pull(session.uri(WALK));
  expect(names("toy_wrong")((alone as { items: Diagnostic[] }).items)).toBe(false);
  await next;
  const whole = await session.pull(session.uri(WALK));
  expect(said({ diagnostics: (whole as { items: Diagnostic[] }).items })).toEqual(await scanned(session.folder, WALK));

  const cancelled = await openTree(TOY_TREE, {
    workerFile: WORKER,
    capabilities: { window: { workDoneProgress: true } },
    prepare: (client) => client.onRequest(WorkDoneProgressCreateRequest.type, ({ token }) => void client.sendNotification("window/workDoneProgress/cancel", { token })),
  });
  await cancelled.open(cancelled.uri(WALK), TOY_TREE[WALK]!, "c");
  await cancelled.publication(0);
  await cancelled.edit(cancelled.uri(WALK), 2, 0, 0, 0, "\n");
  const again = await cancelled.publication(1);
  expect(again.version).toBe(2);
  expect(names("toy_wrong")(again.diagnostics)).toBe(false);
});

test("a folder that is no kernel tree, and a file that lies outside, are left alone", async () => {
  const { Makefile: _, ...rest } = TOY_TREE;
  for (const files of [rest, { ...TOY_TREE, Makefile: "all:\n" }]) {
    const session = await openTree(files);
    await session.open(session.uri(WALK), TOY_TREE[WALK]!, "c");
    expect(names("toy_wrong")((await session.publication(0)).diagnostics)).toBe(false);
  }
  const session = await openTree(TOY_TREE);
  const other = pathToFileURL(join(folderOf(TOY_TREE), WALK)).href;
  await session.open(other, TOY_TREE[WALK]!, "c");
  expect(names("toy_wrong")((await session.publication(0)).diagnostics)).toBe(false);
});
