// SPDX-License-Identifier: GPL-2.0-only
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parseRelease } from "../../server/kernel/release.ts";
import { RULES } from "../../server/rules/registry.ts";

const ROOT = join(import.meta.dirname, "../..");
const SECTIONS = ["What", "Why", "Said by", "Condition", "Exempt", "Releases", "How to fix", "When it does not apply", "Examples"];

const ids = RULES.map(({ meta }) => meta.id);
const read = (path: string): string => readFileSync(join(ROOT, path), "utf8");
const namesIn = (folder: string, ending: string): string[] => readdirSync(join(ROOT, folder)).filter((name) => name.endsWith(ending)).map((name) => name.slice(0, name.length - ending.length)).toSorted();

test("registry, fixtures and pages have the same rules, by id", () => {
  expect(ids).toEqual(ids.toSorted());
  expect(new Set(ids).size).toBe(ids.length);
  expect(namesIn("test/fixtures/rules", "")).toEqual(ids);
  expect(namesIn("docs/rules", ".md")).toEqual(ids);
  const files = namesIn("server/rules", ".ts").filter((name) => /^export const \w+: Rule = /m.test(read(`server/rules/${name}.ts`)));
  expect(files).toEqual(ids);
});

describe.each(RULES.map(({ meta }) => meta))("$id", (meta) => {
  test("the file says what the registry has", () => {
    expect(read(`server/rules/${meta.id}.ts`)).toMatch(new RegExp(`^ *(?:id: |(?:export )?const ID = )"${meta.id}"[,;]$`, "m"));
    expect(meta.id).toMatch(/^[a-z]+(-[a-z]+)+$/);
    expect(meta.title).toMatch(/^\S.*[^.]$/);
    expect(meta.why).toMatch(/[.]$/);
    expect(meta.sources.length).toBeGreaterThan(0);
    expect([meta.since, ...(meta.until === null ? [] : [meta.until])].filter((release) => parseRelease(release) === null)).toEqual([]);
  });
  test("messages are whole sentences of one line", () => {
    for (const message of Object.values(meta.messages)) {
      expect(message).not.toMatch(/\n|\s{2}|^\s|[\s.]$|\bI\b(?!\/)|\bplease\b/i);
    }
  });
  test("the page has all that a reader looks for", () => {
    const page = read(`docs/rules/${meta.id}.md`);
    expect(page.split("\n")[0]).toBe(`# ${meta.id}`);
    expect([...page.matchAll(/^## (.+)$/gm)].map(([, heading]) => heading)).toEqual(SECTIONS);
    expect(page).toMatch(/^```(?:c|patch) bad$/m);
    expect(page).toMatch(/^```(?:c|patch) good$/m);
    const links = [...page.matchAll(/\]\(([^)#:]+\.md)/g)].map(([, link]) => link!);
    expect(links.filter((link) => !existsSync(join(ROOT, "docs/rules", link)))).toEqual([]);
  });
  test("a rule without a schedule says why", () => {
    const page = read(`docs/rules/${meta.id}.md`);
    if (meta.scenarios.length === 0) expect(page).toMatch(/^No schedule is explored: /m);
  });
});
