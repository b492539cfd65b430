// SPDX-License-Identifier: GPL-2.0-only
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { DEFAULT_OPTIONS } from "../../server/review/options.ts";
import { review } from "../../server/review/review.ts";
import { RULES } from "../../server/rules/registry.ts";

const ROOT = join(import.meta.dirname, "../../docs/rules");
const EXAMPLE = /^```(c|patch) (bad|good)\n([\s\S]*?)^```$/gm;

const SECTIONS = ["What", "Why", "Said by", "Condition", "Exempt", "How to fix", "When it does not apply", "Releases", "Examples"];

const directive = (text: string, name: string): string | null => new RegExp(`${name}: *(\\S[^*\\n]*?) *(?:\\*/)?$`, "m").exec(text)?.[1] ?? null;

describe.each(readdirSync(ROOT).filter((name) => name.endsWith(".md")).toSorted())("%s", (page) => {
  const text = readFileSync(join(ROOT, page), "utf8");
  const examples = [...text.matchAll(EXAMPLE)];
  const rule = page.replace(/\.md$/, "");
  test("has its sections, and examples of both kinds", () => {
    expect([...text.matchAll(/^## (.+)$/gm)].map(([, title]) => title)).toEqual(expect.arrayContaining(SECTIONS));
    expect([...new Set(examples.map(([, , kind]) => kind))].toSorted()).toEqual(["bad", "good"]);
  });
  test.each(examples.map(([, language = "", kind = "", code = ""], index) => ({ index, language, kind, code })))("example $index is $kind", ({ language, kind, code }) => {
    const options = { ...DEFAULT_OPTIONS, release: directive(code, "Target"), arch: directive(code, "Arch"), config: directive(code, "Config")?.split(/\s+/) ?? [] };
    const rules = review(language === "c" ? { path: "mm/example.c", text: code, kind: "c" } : { path: "example.patch", text: code, kind: "patch" }, options).flatMap(({ findings }) => findings.map(({ ruleId }) => ruleId));
    // What else is wrong with a bad example is a rule that the page leads to.
    const isExpected = (id: string): boolean => kind === "bad" && (id === rule || text.includes(`(${id}.md)`));
    expect(rules.filter((id) => !isExpected(id))).toEqual([]);
    expect(rules.includes(rule)).toBe(kind === "bad");
  });
});

test("every rule has its page and its line in the README", () => {
  const ids = RULES.map(({ meta }) => meta.id);
  const readme = readFileSync(join(ROOT, "../../README.md"), "utf8");
  expect([...readme.matchAll(/^\| \[([\w-]+)\]\(docs\/rules\/\1\.md\)/gm)].map(([, id]) => id).toSorted()).toEqual(ids.toSorted());
  expect(readdirSync(ROOT).map((name) => name.replace(/\.md$/, "")).toSorted()).toEqual(ids.toSorted());
});
