// SPDX-License-Identifier: GPL-2.0-only
import { expect, test } from "vitest";
import { DocumentLinkRequest, DocumentSymbolRequest, FoldingRangeRequest } from "vscode-languageserver/node";
import type { DocumentLink, DocumentSymbol, FoldingRange, SymbolInformation } from "vscode-languageserver/node";
import { diffText, mailText, quote } from "../patch/sample.ts";
import type { CommitLookup } from "../../server/lsp/document-link.ts";
import { startSession } from "./session.ts";
import type { Session } from "./session.ts";
import { recordingParts } from "./word-review.ts";

const URI = "file:///series/v2.mbox";
const NESTED = { textDocument: { documentSymbol: { hierarchicalDocumentSymbolSupport: true }, foldingRange: { rangeLimit: 1000 } } };

let ids = 0;
const mail = (subject: string, diff: string): string => mailText(subject, diff).replace("20261120-1", () => `20261120-${(ids += 1)}`);
const cover = mail("[PATCH v2 0/2] mm: toys", "").replace("The entry can be absent.", "Both patches.\n\nLink: https://example.org/r/a(1).\nSee [1] <https://example.org/x>, https://example.org/y\n");
const patches = mail("[PATCH v2 1/2] mm: walk", diffText) + mail("[PATCH v2 2/2] mm: free", diffText);
const reply = `From mboxrd@z Thu Jan  1 00:00:00 1970\nFrom: Rev <rev@example.org>\nSubject: Re: [PATCH v2 1/2] mm: walk\n\n${quote(diffText, 1)}\n\nWhy?\n`;
const series = cover + patches + reply;

async function opened(text: string, capabilities = {}, languageId = "diff"): Promise<Session> {
  const session = await startSession({ parts: recordingParts(), capabilities });
  await session.open(URI, text, languageId);
  return session;
}

const ask = { textDocument: { uri: URI } };
const symbolsOf = (session: Session): Promise<DocumentSymbol[] | SymbolInformation[] | null> => session.client.sendRequest(DocumentSymbolRequest.type, ask);

/** One line a symbol: indentation, name, and its lines from 1. */
const tree = (symbols: readonly DocumentSymbol[], depth = 0): string[] => symbols.flatMap((symbol) => [
  `${"  ".repeat(depth)}${symbol.name} ${symbol.range.start.line + 1}-${symbol.range.end.line + 1}`, ...tree(symbol.children ?? [], depth + 1),
]);

const isInside = (inner: DocumentSymbol, outer: DocumentSymbol): boolean =>
  inner.range.start.line >= outer.range.start.line && inner.range.end.line <= outer.range.end.line && (inner.children ?? []).every((child) => isInside(child, inner));

test("the capabilities are announced", async () => {
  const { initialized } = await startSession({ parts: recordingParts() });
  expect(initialized.capabilities).toMatchObject({ documentSymbolProvider: { label: "Patchwalk" }, foldingRangeProvider: true, documentLinkProvider: {} });
});

test("the outline has series, patch, file and hunk with its function", async () => {
  const symbols = (await symbolsOf(await opened(series, NESTED))) as DocumentSymbol[];
  expect(tree(symbols)).toEqual([
    "mm: toys 1-107",
    "  0/2 mm: toys 1-21",
    "  1/2 mm: walk 22-53", "    mm/toy.c 35-50", "      toy_walk 39-50",
    "  2/2 mm: free 54-85", "    mm/toy.c 67-82", "      toy_walk 71-82",
    "  Re: 1/2 mm: walk 86-107", "    mm/toy.c 90-105", "      toy_walk 94-105",
  ].map((line) => line.replace("1-107", "1-107")));
  expect(symbols[0]?.detail).toBe("v2, 2 patches");
  expect(symbols.every((symbol) => (symbol.children ?? []).every((child) => isInside(child, symbol)))).toBe(true);
});

test("a client that has no children gets a list", async () => {
  const symbols = (await symbolsOf(await opened(mailText("[PATCH] mm: walk", diffText)))) as SymbolInformation[];
  expect(symbols.map((symbol) => [symbol.name, symbol.containerName, symbol.location.range.start.line])).toEqual([
    ["mm: walk", undefined, 0], ["mm/toy.c", "mm: walk", 13], ["toy_walk", "mm/toy.c", 17],
  ]);
});

test.each<readonly [string, string, string, readonly string[] | null]>([
  ["a bare diff", diffText, "diff", ["mm/toy.c 1-16", "  toy_walk 5-16"]],
  ["several commits", [1, 2].map((at) => `commit ${"a".repeat(39)}${at}\nAuthor: Dev <dev@example.org>\nDate:   now\n\n    text ${at}\n\n${diffText}\n`).join("\n"), "diff",
    ["text 1 1-23", "  mm/toy.c 7-22", "    toy_walk 11-22", "text 2 24-45", "  mm/toy.c 30-45", "    toy_walk 34-45"]],
  ["a quoted fragment", "Subject: Re: a\nFrom: Rev <rev@example.org>\n\n> +static int toy_b(void)\n> +{\n> +\treturn toy_c();\n> +}\n\nWhy?\n", "diff",
    ["Re: a 1-9", "  quoted code 4-7", "    toy_b 4-7"]],
  ["prose", "Hello,\n\nthis is a text.\n", "plaintext", null],
  ["C", "static int f(void)\n{\n\treturn 0;\n}\n", "c", null],
  ["nothing", "", "diff", null],
])("the outline of %s", async (_, text, languageId, expected) => {
  const session = await opened(text, NESTED, languageId);
  const symbols = (await symbolsOf(session)) as DocumentSymbol[] | null;
  expect(symbols === null ? null : tree(symbols)).toEqual(expected);
  if (expected !== null) return;
  expect(await session.client.sendRequest(FoldingRangeRequest.type, ask)).toBeNull();
  expect(await session.client.sendRequest(DocumentLinkRequest.type, ask)).toBeNull();
});

test("the outline follows an edit", async () => {
  const session = await opened(diffText, NESTED);
  await symbolsOf(session);
  await session.edit(URI, 2, 3, 6, 8, "mm/new.c");
  expect(tree((await symbolsOf(session)) as DocumentSymbol[])[0]).toBe("mm/new.c 1-16");
});

const folds = (ranges: readonly FoldingRange[] | null): string[] =>
  (ranges ?? []).map((range) => `${range.startLine + 1}-${range.endLine + 1}${range.kind === undefined ? "" : ` ${range.kind}`}`);

test("mails, headers, messages, files, hunks and quotes fold", async () => {
  const single = await opened(mailText("[PATCH] mm: walk", diffText), NESTED);
  expect(folds(await single.client.sendRequest(FoldingRangeRequest.type, ask))).toEqual(["1-6 imports", "7-13 comment", "14-29", "18-29"]);
  const mailbox = await opened(patches + reply, NESTED);
  expect(folds(await mailbox.client.sendRequest(FoldingRangeRequest.type, ask))).toEqual([
    "1-32 region", "2-6 imports", "7-13 comment", "14-29", "18-29", "33-64 region", "34-38 imports", "39-45 comment", "46-61", "50-61",
    "65-86 region", "66-68 imports", "69-84", "73-84",
  ]);
});

test("a client that takes few folding ranges gets the outer ones", async () => {
  const session = await opened(patches, { textDocument: { foldingRange: { rangeLimit: 2 } } });
  expect(await session.client.sendRequest(FoldingRangeRequest.type, ask)).toHaveLength(2);
});

test("addresses outside of code are links", async () => {
  const text = `${cover}${patches}`.replaceAll("return -ENOENT", "return https://example.org/code");
  const session = await opened(text, NESTED);
  const links = await session.client.sendRequest(DocumentLinkRequest.type, ask);
  const addresses = links?.filter((link) => link.target?.startsWith("https://example.org/") === true);
  expect(addresses?.map((link) => link.target)).toEqual(["https://example.org/r/a(1)", "https://example.org/x", "https://example.org/y"]);
  expect(addresses?.map((link) => textAt(text, link))).toEqual(addresses?.map((link) => link.target));
});

const textAt = (text: string, { range }: DocumentLink): string =>
  (text.split("\n")[range.start.line] ?? "").slice(range.start.character, range.end.character);

test("the mails that headers name are links into the archive", async () => {
  const text = mailText("[PATCH] a", diffText)
    .replace(/^Message-I[Dd]: .*\n/m, "Message-ID: <20261120-7/x@example.org>\nIn-Reply-To: <one@example.org>\n")
    .replace("The entry can be absent.", "Message-ID: <no-header@example.org>");
  const session = await opened(text, NESTED);
  const links = await session.client.sendRequest(DocumentLinkRequest.type, ask);
  expect(links?.map((link) => [textAt(text, link), link.target])).toEqual([
    ["20261120-7/x@example.org", "https://lore.kernel.org/all/20261120-7%2Fx@example.org/"],
    ["one@example.org", "https://lore.kernel.org/all/one@example.org/"],
  ]);
});

test("commits of Fixes: trailers are links where a tree at hand knows them", async () => {
  const text = mailText("[PATCH] a", diffText).replace(/^Message-I[Dd]: .*\n/m, "")
    .replace("The entry can be absent.", 'Fixes: 1234567890ab ("mm: walk")\n> Fixes: 0A0A0A0A0A0A ("mm: free")\nFixes: fedcba987654 ("mm: unknown")');
  const name = (id: string): string => id.padEnd(40, "0");
  const asked: (readonly string[])[] = [];
  const commits: CommitLookup = (folders, ids) => {
    asked.push([...folders, ...ids]);
    return Promise.resolve(new Map(ids.filter((id) => id !== "fedcba987654").map((id) => [id, name(id)])));
  };
  const session = await startSession({ parts: { ...recordingParts(), commits }, folders: ["file:///linux"], initializationOptions: { trusted: true } });
  await session.open(URI, text, "diff");
  const targets = async (): Promise<unknown> => (await session.client.sendRequest(DocumentLinkRequest.type, ask))?.map((link) => [textAt(text, link), link.target]);
  const expected = [["1234567890ab", `https://git.kernel.org/linus/${name("1234567890ab")}`], ["0A0A0A0A0A0A", `https://git.kernel.org/linus/${name("0a0a0a0a0a0a")}`]];
  expect(await targets()).toEqual(expected);
  expect(await targets()).toEqual(expected);
  expect(asked).toEqual([["file:///linux", "1234567890ab", "0a0a0a0a0a0a", "fedcba987654"], ["file:///linux", "fedcba987654"]]);
});

test("nobody asks Git about commits in a workspace that is not trusted", async () => {
  const text = mailText("[PATCH] a", diffText).replace("The entry can be absent.", 'Fixes: 1234567890ab ("mm: walk")');
  let asked = 0;
  const commits: CommitLookup = () => Promise.resolve(new Map([["1234567890ab", String(++asked)]]));
  const session = await startSession({ parts: { ...recordingParts(), commits }, folders: ["file:///linux"] });
  await session.open(URI, text, "diff");
  await session.client.sendRequest(DocumentLinkRequest.type, ask);
  expect(asked).toBe(0);
});

test("hostile addresses cost little and lead nowhere else", async () => {
  const session = await opened(`${mailText("[PATCH] a", diffText)}https://a${"!".repeat(100_000)}\njavascript:alert(1)\nfile:///etc/x\nhttp://\n${")".repeat(3000)}\n`.replace(/^Message-I[Dd]: .*\n/m, ""), NESTED);
  const links = await session.client.sendRequest(DocumentLinkRequest.type, ask);
  expect(links).toEqual([]);
});
