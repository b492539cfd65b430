// SPDX-License-Identifier: GPL-2.0-only
import { existsSync, readFileSync, readdirSync, statSync } from "node:fs";
import { dirname, join, posix, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Room -> the rooms it may import from, or `anything`. */
type Table = ReadonlyMap<string, readonly string[] | "anything">;

function readTable(): Table {
  const page = readFileSync(join(root, "docs/architecture.md"), "utf8");
  const block = /^```rooms\n([^]*?)^```$/m.exec(page);
  if (block === null) throw new Error("docs/architecture.md has no block of rooms");
  const table = new Map<string, readonly string[] | "anything">();
  for (const line of block[1]!.trimEnd().split("\n")) {
    const [names, rest] = line.split(/:\s+/, 2) as [string, string];
    const allowed = rest.split(/ {2,}/, 1)[0]!.split(" ");
    for (const name of names.split(" ")) {
      const entry = allowed[0] === "anything" ? "anything" : allowed.filter((other) => other !== "-");
      table.set(name.replace(/\/$/, ""), entry);
    }
  }
  return table;
}

function filesUnder(folder: string): string[] {
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts") && statSync(join(root, folder, name)).isFile())
    .map((name) => posix.join(folder, name.split(sep).join("/")));
}

/** The room of a file of the repository: `server/mail/mbox.ts` -> `mail`, `server/main.ts` -> `main.ts`. */
function roomOf(path: string): string {
  const [top, second] = path.split("/") as [string, string];
  return top === "server" ? second : top;
}

const IMPORT = /\b(?:import|export)\b[^;"'()]*?\bfrom\s*["']([^"']+)["']|\bimport\s*\(?\s*["']([^"']+)["']/g;

/** The modules that a file names in imports of any kind, types and dynamic ones included. */
function importsOf(path: string): string[] {
  const code = readFileSync(join(root, path), "utf8").replace(/\/\*[^]*?\*\//g, "").replace(/^\s*\/\/.*$/gm, "");
  return [...code.matchAll(IMPORT)].map((match) => (match[1] ?? match[2])!);
}

function mayImport(table: Table, from: string, target: string): boolean {
  const room = roomOf(from);
  if (roomOf(target) === room) return true;
  const allowed = table.get(room);
  if (allowed === undefined) return false;
  if (allowed === "anything") return roomOf(target) !== "extension";
  return allowed.some((entry) =>
    entry.includes("/")
      ? target === `server/${entry}.ts` || target.startsWith(`server/${entry}/`)
      : roomOf(target) === entry,
  );
}

/** Package -> the rooms that may import it. What is not listed here is imported by nobody. */
const PACKAGES: readonly (readonly [RegExp, readonly string[]])[] = [
  [/^tree-sitter(-c)?$/, ["syntax"]],
  [/^vscode-languageserver(-textdocument)?(\/|$)/, ["lsp", "main.ts"]],
  [/^jsonc-parser$/, ["review"]],
  [/^vscode$|^vscode-languageclient(\/|$)/, ["extension"]],
  [/^node:(fs|fs\/promises|child_process|net|http|https|worker_threads)$/, ["node", "workflow", "cli", "main.ts", "worker.ts"]],
  [/^node:/, ["*"]],
];

function mayImportPackage(from: string, name: string): boolean {
  const rooms = PACKAGES.find(([pattern]) => pattern.test(name))?.[1] ?? [];
  return rooms.includes("*") || rooms.includes(roomOf(from));
}

const table = readTable();
const files = [...filesUnder("server"), ...filesUnder("extension")];
const edges = files.flatMap((from) => importsOf(from).map((name) => ({ from, name })));
const isRelative = (name: string): boolean => name.startsWith(".");
const targetOf = (from: string, name: string): string => posix.join(posix.dirname(from), name);

describe("layers", () => {
  it("the table names every room that exists, and only rooms it defines", () => {
    const rooms = new Set(files.map(roomOf));
    expect([...rooms].filter((room) => !table.has(room))).toEqual([]);
    const named = [...table.values()].flatMap((allowed) => (allowed === "anything" ? [] : allowed));
    expect(named.filter((name) => name !== "grammars" && !table.has(name.split("/")[0]!))).toEqual([]);
  });

  it("the table has no cycle", () => {
    const visit = (room: string, path: readonly string[]): void => {
      expect(path, "a room reaches itself").not.toContain(room);
      const allowed = table.get(room) ?? [];
      if (allowed === "anything") return;
      for (const next of allowed) visit(next.split("/")[0]!, [...path, room]);
    };
    for (const room of table.keys()) visit(room, []);
  });

  it("every import between rooms is in the table", () => {
    const surplus = edges
      .filter(({ name }) => isRelative(name))
      .map(({ from, name }) => ({ from, target: targetOf(from, name) }))
      .filter(({ from, target }) => !mayImport(table, from, target))
      .map(({ from, target }) => `${from} -> ${target}`);
    expect(surplus).toEqual([]);
  });

  it("every relative import names an existing file with its extension", () => {
    const missing = edges
      .filter(({ from, name }) => isRelative(name) && !existsSync(join(root, targetOf(from, name))))
      .map(({ from, name }) => `${from}: ${name}`);
    expect(missing).toEqual([]);
  });

  it("packages stay in the rooms that own them", () => {
    const surplus = edges
      .filter(({ from, name }) => !isRelative(name) && !mayImportPackage(from, name))
      .map(({ from, name }) => `${from}: ${name}`);
    expect(surplus).toEqual([]);
  });

  it("no other room names the parser, not even through require", () => {
    const outside = files.filter((path) => roomOf(path) !== "syntax");
    const surplus = outside.filter((path) => /["'`]tree-sitter(-c)?["'`]/.test(readFileSync(join(root, path), "utf8")));
    expect(surplus).toEqual([]);
  });

  it("the check sees what it must see", () => {
    expect(edges.length).toBeGreaterThan(20);
    expect(relative(root, join(root, "server"))).toBe("server");
    expect(mayImport(table, "server/text/a.ts", "server/mail/b.ts")).toBe(false);
    expect(mayImport(table, "server/simulator/a.ts", "server/program/lower.ts")).toBe(false);
    expect(mayImport(table, "server/simulator/a.ts", "server/program/ops.ts")).toBe(true);
    expect(mayImport(table, "server/main.ts", "extension/main.ts")).toBe(false);
    expect(mayImport(table, "extension/client.ts", "server/lsp/hover.ts")).toBe(false);
    expect(mayImportPackage("server/report/text.ts", "node:fs")).toBe(false);
  });
});
