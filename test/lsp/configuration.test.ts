// SPDX-License-Identifier: GPL-2.0-only
import { readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, onTestFinished, test } from "vitest";
import { CodeActionRequest, DidChangeConfigurationNotification, DidChangeWatchedFilesNotification, RegistrationRequest, type ClientCapabilities, type CodeAction, type TextDocumentEdit, type WorkspaceEdit } from "vscode-languageserver/node";
import { TextDocument } from "vscode-languageserver-textdocument";
import { workspaceTrees } from "../../server/cli/workspace-trees.ts";
import { workspaceConfiguration } from "../../server/node/workspace-configuration.ts";
import { TRUST_GRANTED } from "../../server/protocol.ts";
import { review } from "../../server/review/review.ts";
import { folderOf } from "../cli/run-command.ts";
import { TOY_TREE } from "../cli/toy-tree.ts";
import { startSession, type Session } from "./session.ts";
import { recordingParts } from "./word-review.ts";

const RULE = "notifier-nonblock-outside-oom";
const SUPPRESSION = { rule: RULE, function: "move_one_pte", reason: "looked at" };
const FOLDER = "file:///linux";
const CONFIGURATION = `${FOLDER}/.patchwalk.json`;
const PATCH = `${FOLDER}/mail/a.patch`;

const PUSH: ClientCapabilities = { textDocument: { publishDiagnostics: {} } };
const PULL: ClientCapabilities = { textDocument: { publishDiagnostics: {}, diagnostic: {} } };
const WATCHING: ClientCapabilities = { ...PUSH, workspace: { didChangeWatchedFiles: { dynamicRegistration: true } } };
const ACTING: ClientCapabilities = {
  textDocument: { publishDiagnostics: {}, codeAction: { codeActionLiteralSupport: { codeActionKind: { valueSet: ["quickfix"] } } } },
  workspace: { workspaceEdit: { documentChanges: true, resourceOperations: ["create"] } },
};

interface Started extends Session {
  readonly files: Map<string, string>;
  readonly calls: ReturnType<typeof recordingParts>["calls"];
  readonly registered: string[];
  /** The last diagnostics of a document, once they are as wanted: code, 1-based line and message. */
  readonly until: (uri: string, isIt: (codes: readonly string[]) => boolean) => Promise<readonly string[]>;
  /** The client says that a file changed on disk. */
  readonly change: (uri: string, text: string | null) => Promise<void>;
}

async function start(files: Readonly<Record<string, unknown>>, given: { readonly capabilities?: ClientCapabilities; readonly trusted?: boolean; readonly folders?: readonly string[]; readonly rules?: unknown; readonly parts?: object } = {}): Promise<Started> {
  const disk = new Map(Object.entries(files).map(([uri, value]) => [uri, typeof value === "string" ? value : JSON.stringify(value, null, 1)]));
  const registered: string[] = [];
  const parts = recordingParts();
  const session = await startSession({
    parts: { ...parts, configuration: (uri) => Promise.resolve(disk.has(uri) ? { text: disk.get(uri) ?? "" } : null), ...given.parts },
    capabilities: given.capabilities ?? PUSH,
    folders: given.folders ?? [FOLDER],
    initializationOptions: { trusted: given.trusted ?? true, ...(given.rules === undefined ? {} : { rules: given.rules }) },
    prepare: (client) => client.onRequest(RegistrationRequest.type, ({ registrations }) => void registered.push(...registrations.map(({ method, registerOptions }) => `${method} ${JSON.stringify(registerOptions)}`))),
  });
  const until: Started["until"] = async (uri, isIt) => {
    for (let index = 0; ; index++) {
      const one = await session.publication(index);
      const codes = one.diagnostics.map(({ code, range }) => `${String(code)} ${range.start.line + 1}`);
      const isLast = !session.published.slice(index + 1).some((later) => later.uri === uri);
      if (one.uri === uri && isLast && isIt(codes)) return codes;
    }
  };
  const change: Started["change"] = async (uri, text) => {
    if (text === null) disk.delete(uri);
    else disk.set(uri, text);
    await session.client.sendNotification(DidChangeWatchedFilesNotification.type, { changes: [{ uri, type: text === null ? 3 : 2 }] });
  };
  return { ...session, files: disk, calls: parts.calls, registered, until, change };
}

const has = (codes: readonly string[]) => codes.length > 0;
const hasNone = (codes: readonly string[]) => codes.length === 0;

describe("a configuration in a workspace", () => {
  test("suppresses findings and sets severities, where the user trusts it", async () => {
    const files = { [CONFIGURATION]: { rules: { [RULE]: "info", "lock-order": "off" }, suppressions: [SUPPRESSION] } };
    const session = await start(files, { trusted: false });
    await session.open(PATCH, "BAD\n");
    await session.until(PATCH, has);
    expect(session.calls.map(({ options }) => options.rules)).toEqual([{}]);
    await session.client.sendNotification(TRUST_GRANTED);
    await session.until(PATCH, hasNone);
    expect(session.calls.at(-1)?.options.rules).toEqual({ [RULE]: "info", "lock-order": "off" });
  });

  test("comes after the settings of the user", async () => {
    const session = await start({ [CONFIGURATION]: { rules: { [RULE]: "info", "lock-order": "off" } } }, { rules: { [RULE]: "error" } });
    await session.open(PATCH, "BAD\n");
    await session.until(PATCH, has);
    expect(session.calls.map(({ options }) => options.rules)).toEqual([{ [RULE]: "error", "lock-order": "off" }]);
  });

  test("is the nearest one above, in the folder that is open", async () => {
    const off = { suppressions: [SUPPRESSION] };
    const found = async (files: Readonly<Record<string, unknown>>, uri: string, folders?: readonly string[]): Promise<boolean> => {
      const session = await start(files, { capabilities: PULL, ...(folders ? { folders } : {}) });
      await session.open(uri, "BAD\n");
      const report = await session.pull(uri);
      return report.kind === "full" && report.items.length > 0;
    };
    expect(await found({ [CONFIGURATION]: off }, PATCH)).toBe(false);
    expect(await found({ [CONFIGURATION]: off, [`${FOLDER}/mail/.patchwalk.json`]: {} }, PATCH)).toBe(true);
    expect(await found({ "file:///.patchwalk.json": off }, PATCH)).toBe(true);
    expect(await found({ [CONFIGURATION]: off }, "file:///elsewhere/a.patch")).toBe(true);
    expect(await found({ [CONFIGURATION]: off }, "file:///linux-next/a.patch")).toBe(true);
    expect(await found({ [CONFIGURATION]: off }, "untitled:a.patch")).toBe(true);
    expect(await found({ [CONFIGURATION]: off }, PATCH, [`${FOLDER}/mail`])).toBe(true);
    expect(await found({ [CONFIGURATION]: off }, PATCH, ["file:///linux/mail/", "file:///linux/"])).toBe(true);
    expect(await found({ [`${FOLDER}/mail/.patchwalk.json`]: off }, PATCH, ["file:///linux/mail/", "file:///linux/"])).toBe(false);
  });

  test("is watched: documents are looked at again, and its problems are told", async () => {
    const session = await start({}, { capabilities: WATCHING });
    await session.open(PATCH, "BAD\n");
    await session.until(PATCH, has);
    expect(session.registered).toEqual(['workspace/didChangeWatchedFiles {"watchers":[{"globPattern":"**/.patchwalk.json"}]}']);
    await session.change(CONFIGURATION, JSON.stringify({ suppressions: [SUPPRESSION] }));
    await session.until(PATCH, hasNone);
    await session.change(CONFIGURATION, JSON.stringify({ suppressions: [{ ...SUPPRESSION, reason: "" }], ruls: {} }, null, 1));
    await session.until(PATCH, has);
    expect(await session.until(CONFIGURATION, has)).toEqual(["suppression-reason 6", "configuration-key 9"]);
    await session.change(CONFIGURATION, null);
    await session.until(CONFIGURATION, hasNone);
  });

  test("that is open counts as the editor shows it", async () => {
    const session = await start({ [CONFIGURATION]: {} });
    await session.open(PATCH, "BAD\n");
    await session.until(PATCH, has);
    await session.open(CONFIGURATION, JSON.stringify({ suppressions: [SUPPRESSION] }), "json");
    await session.until(PATCH, hasNone);
    await session.edit(CONFIGURATION, 2, 0, 0, 1, "");
    expect((await session.until(CONFIGURATION, has))[0]).toBe("configuration-type 1");
    await session.until(PATCH, has);
    await session.close(CONFIGURATION);
    await session.until(CONFIGURATION, hasNone);
  });

  test("that is open is no patch, and nothing is answered twice", async () => {
    const session = await start({}, { capabilities: PULL });
    await session.open(CONFIGURATION, '{"suppressions": [{"BAD": 1}]}', "json");
    expect(await session.pull(CONFIGURATION)).toMatchObject({ kind: "full", items: [] });
    expect(await session.until(CONFIGURATION, has)).toEqual(["configuration-key 1", "configuration-key 1", "configuration-key 1"]);
    expect(session.calls).toEqual([]);
  });

  test("is a file, and no link; a hostile one costs nothing", async () => {
    const folder = folderOf({ "elsewhere.json": JSON.stringify({ suppressions: [SUPPRESSION] }), "deep/.patchwalk.json": "[".repeat(3_000_000) });
    symlinkSync("elsewhere.json", join(folder, ".patchwalk.json"));
    const at = (name: string): string => pathToFileURL(join(folder, name)).href;
    const session = await start({}, { folders: [pathToFileURL(folder).href], parts: { configuration: workspaceConfiguration } });
    await session.open(at("a.patch"), "BAD\n");
    await session.until(at("a.patch"), has);
    expect(await session.until(at(".patchwalk.json"), has)).toEqual(["configuration-unread 1"]);
    await session.open(at("deep/a.patch"), "BAD\n");
    await session.until(at("deep/a.patch"), has);
    expect(await session.until(at("deep/.patchwalk.json"), has)).toEqual(["not-json 1"]);
  });

  test("is asked for again when settings change", async () => {
    const session = await start({ [CONFIGURATION]: { suppressions: [SUPPRESSION] } });
    await session.open(PATCH, "BAD\n");
    await session.until(PATCH, hasNone);
    session.files.delete(CONFIGURATION);
    // A client that does not watch: the next document that is opened shows it.
    await session.open(`${FOLDER}/b.patch`, "BAD\n");
    await session.until(`${FOLDER}/b.patch`, has);
    await session.client.sendNotification(DidChangeConfigurationNotification.type, { settings: {} });
    await session.until(PATCH, has);
  });
});

describe("what is stale", () => {
  test("is told in the configuration, for files that are reviewed with their callers", async () => {
    const folder = folderOf({ ...TOY_TREE, ".patchwalk.json": "{}" });
    const file = join(folder, ".patchwalk.json");
    const walk = { rule: "hugetlb-walk-unlocked", file: "mm/toy_walk.c", reason: "a toy" };
    writeFileSync(file, JSON.stringify({ suppressions: [walk, { ...walk, function: "toy_walked" }, { ...walk, file: "mm/toy_right.c" }, { ...walk, until: "6.1" }] }, null, 1));
    const trees = workspaceTrees({ workerFile: null, env: { XDG_CACHE_HOME: folderOf({}) } });
    onTestFinished(() => trees.dispose());
    const at = (name: string): string => pathToFileURL(join(folder, name)).href;
    const session = await start({}, { folders: [pathToFileURL(folder).href], parts: { review, trees, configuration: workspaceConfiguration } });
    await session.open(at("mm/toy_walk.c"), TOY_TREE["mm/toy_walk.c"] ?? "", "c");
    expect(await session.until(at(".patchwalk.json"), has)).toEqual(["suppression-stale 9"]);
    await session.until(at("mm/toy_walk.c"), hasNone);
    await session.close(at("mm/toy_walk.c"));
    await session.until(at(".patchwalk.json"), hasNone);
  });
});

const actionsAt = async (session: Session, uri: string, line: number): Promise<readonly CodeAction[]> =>
  ((await session.client.sendRequest(CodeActionRequest.type, { textDocument: { uri }, range: { start: { line, character: 0 }, end: { line, character: 200 } }, context: { diagnostics: [] } })) ?? []) as CodeAction[];

const ignoring = (actions: readonly CodeAction[]): readonly string[] => actions.filter(({ title }) => title.startsWith("Ignore")).map(({ title }) => title);

function textAfter(text: string, edit: WorkspaceEdit | undefined): string {
  const change = edit?.documentChanges?.at(-1) as TextDocumentEdit | undefined;
  const edits = change?.edits ?? Object.values(edit?.changes ?? {})[0] ?? [];
  return TextDocument.applyEdits(TextDocument.create("", "", 0, text), edits as never);
}

describe("ignoring a finding", () => {
  const TITLE = `Ignore ${RULE} in move_one_pte() with a reason ... (.patchwalk.json)`;

  test("creates a configuration that does nothing until the reason is written", async () => {
    const session = await start({}, { capabilities: ACTING });
    await session.open(PATCH, "BAD\n");
    await session.until(PATCH, has);
    const [action] = await actionsAt(session, PATCH, 0);
    expect(action?.title).toBe(TITLE);
    expect(action?.edit?.documentChanges?.[0]).toEqual({ kind: "create", uri: CONFIGURATION, options: { ignoreIfExists: true } });
    const text = textAfter("", action?.edit);
    expect(JSON.parse(text)).toEqual({ suppressions: [{ rule: RULE, function: "move_one_pte", fingerprint: "0123456789abcdef", reason: "<why this is not a bug>" }] });
    await session.open(CONFIGURATION, text, "json");
    expect(await session.until(CONFIGURATION, has)).toEqual(["suppression-reason 7"]);
    await session.until(PATCH, has);
    await session.edit(CONFIGURATION, 2, 6, text.split("\n")[6]?.indexOf("<") ?? 0, "<why this is not a bug>".length, "its range is a private copy");
    await session.until(CONFIGURATION, hasNone);
    await session.until(PATCH, hasNone);
  });

  test("adds to the configuration that is there, as the editor shows it", async () => {
    const session = await start({ [CONFIGURATION]: "{}" }, { capabilities: { ...ACTING, workspace: {} } });
    await session.open(PATCH, "BAD\n");
    await session.until(PATCH, has);
    const shown = `{\n\t"rules": {},\n\t"suppressions": []\n}\n`;
    await session.open(CONFIGURATION, shown, "json");
    await new Promise((done) => setTimeout(done, 60));
    const [action] = await actionsAt(session, PATCH, 0);
    expect(Object.keys(action?.edit?.changes ?? {})).toEqual([CONFIGURATION]);
    const text = textAfter(shown, action?.edit);
    expect(text.startsWith('{\n\t"rules": {},\n\t"suppressions": [\n\t\t{\n\t\t\t"rule"')).toBe(true);
    expect(JSON.parse(text).suppressions).toHaveLength(1);
  });

  test.each<[string, Readonly<Record<string, unknown>>, Parameters<typeof start>[1]]>([
    ["a workspace that is not trusted", {}, { capabilities: ACTING, trusted: false }],
    ["a document of no folder", {}, { capabilities: ACTING, folders: ["file:///elsewhere"] }],
    ["a client that cannot create files", {}, { capabilities: { ...ACTING, workspace: { workspaceEdit: { documentChanges: true } } } }],
    ["a file that is no JSON", { [CONFIGURATION]: "{" }, { capabilities: ACTING }],
    ["a file that is another form of JSON", { [CONFIGURATION]: '{"suppressions": {}}' }, { capabilities: ACTING }],
  ])("is not offered for %s", async (_, files, given) => {
    const session = await start(files, given);
    await session.open(PATCH, "BAD\n");
    await session.until(PATCH, has);
    expect(ignoring(await actionsAt(session, PATCH, 0))).toEqual([]);
  });

  const MAIL = readFileSync(join(import.meta.dirname, "../fixtures/rules/hugetlb-walk-unlocked/new-function.patch"), "utf8");
  const lineOf = (text: string): number => text.split("\n").findIndex((line) => line.includes("finds:"));

  test("in a mail is a line below its ---, which does nothing until the reason is written", async () => {
    const session = await start({}, { capabilities: ACTING, trusted: false, parts: { review } });
    await session.open(PATCH, MAIL);
    await session.until(PATCH, has);
    const action = (await actionsAt(session, PATCH, lineOf(MAIL))).find(({ title }) => title.startsWith("Ignore"));
    expect(action?.title).toBe("Ignore hugetlb-walk-unlocked in huge_usage_account() with a reason ... (below the --- of this mail)");
    const text = textAfter(MAIL, action?.edit);
    expect(text.split("\n").slice(10, 13)).toEqual(["---", "Patchwalk-ignore: hugetlb-walk-unlocked huge_usage_account(): <why this is not a bug>", " mm/huge_usage.c | 22 ++++++++++++++++++++++"]);
    const other = `${FOLDER}/b.patch`;
    await session.open(other, text);
    expect(await session.until(other, has)).toEqual(["hugetlb-walk-unlocked 34", "suppression-reason 12"]);
    await session.edit(other, 2, 11, text.split("\n")[11]?.indexOf("<") ?? 0, "<why this is not a bug>".length, "nobody else sees it");
    // Who reads the mail of somebody else sees what is suppressed, in no list of problems.
    await session.until(other, (codes) => codes.join() === "hugetlb-walk-unlocked 12");
    expect(session.published.at(-1)?.diagnostics).toMatchObject([{ severity: 4, message: expect.stringMatching(/^suppressed here: huge_usage_account\(\) walks vma/) }]);
  });

  test("in a mail is not offered where there is no line to write", async () => {
    const session = await start({}, { capabilities: ACTING, trusted: false, parts: { review } });
    const diff = MAIL.slice(MAIL.indexOf("diff --git"));
    const quoted = `From: a\nSubject: Re: [PATCH] x\n\n${MAIL.slice(MAIL.indexOf("Count")).split("\n").map((line) => `> ${line}`).join("\n")}`;
    for (const [name, text] of [["diff", diff], ["quoted", quoted]] as const) {
      const uri = `${FOLDER}/${name}.patch`;
      await session.open(uri, text);
      await session.until(uri, has);
      expect(ignoring(await actionsAt(session, uri, lineOf(text)))).toEqual([]);
    }
  });

  test("in a C file names the file as the configuration does", async () => {
    const session = await start({ [CONFIGURATION]: "{}" }, { capabilities: ACTING });
    const uri = `${FOLDER}/mm/a%20b/x.c`;
    await session.open(uri, "BAD\n", "c");
    await session.until(uri, has);
    const [action] = await actionsAt(session, uri, 0);
    expect(JSON.parse(textAfter("{}", action?.edit)).suppressions[0].file).toBe("mm/a b/x.c");
  });
});
