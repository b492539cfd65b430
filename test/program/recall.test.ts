// SPDX-License-Identifier: GPL-2.0-only
import { spawnSync } from "node:child_process";
import { setImmediate } from "node:timers/promises";
import { expect, test } from "vitest";
import { outlineOf } from "../../server/program/outline.ts";
import { readSource } from "../../server/program/read-code.ts";
import { kernelDialect } from "../../server/syntax/dialect.ts";
import { filesOfMm, hasTree, tree } from "../kernel-tree.ts";

/** The share of the functions that ctags finds and we do, too. Measured: all of 6,175 in 6.1.192, all of 6,808 in 6.12.117. */
const lowestRecall = 0.999;

const ctags = (...options: string[]): string => spawnSync("ctags", options, { cwd: tree || ".", encoding: "utf8", maxBuffer: 1 << 28 }).stdout ?? "";

const hasCtags = hasTree && ctags("--version").startsWith("Universal Ctags");

interface Tag {
  readonly name: string;
  readonly line: number;
  readonly end: number;
}

function tagsOfMm(): ReadonlyMap<string, readonly Tag[]> {
  const found = new Map<string, Tag[]>();
  for (const row of ctags("--language-force=C", "--kinds-C=f", "--fields=ne", "--sort=no", "-f", "-", "-R", "mm").split("\n")) {
    const [name = "", path = ""] = row.split("\t");
    const [line, end] = [/\tline:(\d+)/.exec(row)?.[1], /\tend:(\d+)/.exec(row)?.[1]];
    if (/\.[ch]$/.test(path) && line && end) found.set(path, [...(found.get(path) ?? []), { name, line: Number(line), end: Number(end) }]);
  }
  return found;
}

/** Functions of one reader with their lines. */
type Found = readonly { readonly name: string; readonly first: number; readonly last: number }[];

function withLines(text: string, functions: readonly { readonly name: string; readonly start: number; readonly end: number }[]): Found {
  const lineOf = (at: number): number => text.slice(0, at).split("\n").length;
  return functions.map(({ name, start, end }) => ({ name, first: lineOf(start), last: lineOf(end) }));
}

/** A function that ctags calls by a macro (`SYSCALL_DEFINE2`, an initcall without a semicolon above it) ends where ours does. */
const isFound = (found: Found, { name, line, end }: Tag): boolean =>
  kernelDialect.roleOf(name) === "none" ? found.some((one) => one.name === name && one.first <= line && line <= one.last) : found.some((one) => one.last === end);

test.skipIf(!hasCtags)(
  "what ctags finds in mm/ is found (needs PATCHWALK_KERNEL_TREE and universal-ctags)",
  async () => {
    const tags = tagsOfMm();
    const texts = new Map([...filesOfMm()].map(({ path, text }) => [path, text]));
    const missed: Record<"source" | "outline", string[]> = { source: [], outline: [] };
    let count = 0;
    for (const [path, ofFile] of tags) {
      const text = texts.get(path) ?? "";
      const readers = { source: withLines(text, readSource(text).functions), outline: withLines(text, outlineOf(text).functions) };
      count += ofFile.length;
      for (const tag of ofFile)
        for (const reader of ["source", "outline"] as const) if (!isFound(readers[reader], tag)) missed[reader].push(`${path}:${tag.line} ${tag.name}`);
      await setImmediate();
    }
    expect(count).toBeGreaterThan(1000);
    for (const list of Object.values(missed)) expect(1 - list.length / count, list.join("\n")).toBeGreaterThanOrEqual(lowestRecall);
  },
  300_000,
);
