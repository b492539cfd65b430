// SPDX-License-Identifier: GPL-2.0-only
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { kernelDialect } from "../../server/syntax/dialect.ts";

const source = readFileSync(new URL("../../grammars/kernel-c.json", import.meta.url), "utf8");
const tables = Object.entries(JSON.parse(source) as Record<string, unknown>).flatMap(([name, entries]) =>
  Array.isArray(entries) ? [{ name, entries: entries as readonly string[] }] : [],
);

test.each(tables)("$name holds words and patterns, each once", ({ entries }) => {
  for (const entry of entries) expect(entry).toMatch(/^[\w*]+$/);
  expect(new Set(entries).size).toBe(entries.length);
});

test("roles", () => {
  const words = ["__init", "__must_hold", "list_for_each_entry_safe", "container_of", "sizeof", "SYSCALL_DEFINE3", "typeof", "CLASS", "pool_grow"];
  expect(words.map((word) => kernelDialect.roleOf(word))).toEqual([
    "attribute",
    "attributeCall",
    "iterator",
    "typeArgument",
    "typeOperator",
    "syscall",
    "typeQuery",
    "classDeclaration",
    "none",
  ]);
});

test("a hostile word has no role", () => {
  expect(kernelDialect.roleOf("for_each_".repeat(100_000))).toBe("none");
});
