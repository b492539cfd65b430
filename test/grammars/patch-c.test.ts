// SPDX-License-Identifier: GPL-2.0-only
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";

interface Rule {
  readonly begin?: string;
  readonly end?: string;
  readonly while?: string;
  readonly match?: string;
  readonly include?: string;
  readonly patterns?: readonly Rule[];
}

interface Grammar {
  readonly scopeName: string;
  readonly injectionSelector: string;
  readonly patterns: readonly Rule[];
  readonly repository: Readonly<Record<string, Rule>>;
}

function readJson<Shape>(path: string): Shape {
  return JSON.parse(readFileSync(new URL(`../../${path}`, import.meta.url), "utf8")) as Shape;
}

const grammar = readJson<Grammar>("grammars/patch-c.injection.tmLanguage.json");

function rulesIn(rules: readonly Rule[]): readonly Rule[] {
  return rules.flatMap((rule) => [rule, ...rulesIn(rule.patterns ?? [])]);
}

const rules = rulesIn([...grammar.patterns, ...Object.values(grammar.repository)]);

/** `\G` is the place where the rule around stopped; at the start of a line, where these tests look, it is `^`. */
function compile(expression: string): RegExp {
  return new RegExp(expression.replaceAll("\\G", "^"));
}

test("every expression compiles, and a block ends with its lines, whatever C left open in it", () => {
  for (const rule of rules) {
    for (const expression of [rule.begin, rule.while, rule.match]) {
      if (expression !== undefined) expect(() => compile(expression)).not.toThrow();
    }
    expect(rule.end).toBeUndefined();
    expect(rule.begin === undefined).toBe(rule.while === undefined);
  }
});

test("every include is known, and every repository entry is used", () => {
  const included = rules.flatMap((rule) => (rule.include === undefined ? [] : [rule.include]));
  for (const name of included) {
    if (name !== "source.c") expect(Object.keys(grammar.repository)).toContain(name.slice(1));
  }
  for (const name of Object.keys(grammar.repository)) expect(included).toContain(`#${name}`);
});

test("the manifest injects it into diffs", () => {
  const manifest = readJson<{ contributes: { grammars: readonly { scopeName: string; injectTo: readonly string[] }[] } }>("package.json");
  const entry = manifest.contributes.grammars.find((it) => it.scopeName === grammar.scopeName);
  expect(entry?.injectTo).toEqual(["source.diff"]);
  expect(grammar.injectionSelector.startsWith("L:source.diff ")).toBe(true);
});

/** The first rule of the top level that takes a line, as the editor would choose it. */
function ruleOf(line: string): string {
  const name = grammar.patterns
    .map((rule) => rule.include?.slice(1) ?? "")
    .find((each) => {
      const rule = grammar.repository[each];
      return compile(rule?.begin ?? rule?.match ?? "(?!)").test(line);
    });
  return name ?? "none";
}

describe("a line outside of a hunk", () => {
  test.each([
    ["@@ -1,3 +1,4 @@ static int grow(void)", "hunk"],
    ["@@ -1 +1,4 @@", "hunk"],
    ["> > @@ -1,3 +1,4 @@", "hunk"],
    ["Subject: [PATCH] mm: grow pools", "mail-header"],
    ["> From: Example Developer <dev@example.org>", "mail-header"],
    ["From 0123456789012345678901234567890123456789 Mon Sep 17 00:00:00 2001", "mail-separator"],
    ["Reviewed-by: Example Developer <dev@example.org>", "trailer"],
    ["Fixes: 012345678901 (\"mm: grow pools\")", "trailer"],
    ["> diff --git a/mm/pool.c b/mm/pool.c", "quoted-header"],
    ["> +++ b/mm/pool.c", "quoted-header"],
    ["> +\treturn 0;", "quoted-inserted"],
    [">+return 0;", "quoted-inserted"],
    ["> > -\treturn 0;", "quoted-deleted"],
    ["> > + return 0;", "quoted-inserted"],
    ["> > - return 0;", "quoted-deleted"],
    ["> - an item of a list", "quote"],
    ["> -- ", "quote"],
    [">  \treturn 0;", "quoted-context"],
    ["> any words", "quote"],
    ["+\treturn 0;", "loose-inserted"],
    ["-\treturn 0;", "loose-deleted"],
    ["+ return 0;", "loose-inserted"],
    ["- return 0;", "loose-deleted"],
    ["- an item of a list", "none"],
    [" \treturn 0;", "loose-context"],
    ["+++ b/mm/pool.c", "none"],
    ["--- a/mm/pool.c", "none"],
    ["---", "none"],
    ["-- ", "none"],
    ["any words: here", "none"],
    ["", "none"],
  ])("%j is taken by %s", (line, name) => {
    expect(ruleOf(line)).toBe(name);
  });
});

describe("a hunk", () => {
  const continues = compile(grammar.repository["hunk"]?.while ?? "");
  test.each(["+\tint a;", "-\tint a;", " \tint a;", "\tint a;", "", "+", "-", "> +\tint a;", "> > -int a;", "\\ No newline at end of file", "--- x;", "+++ x;"])(
    "goes on with %j",
    (line) => {
      expect(continues.test(line)).toBe(true);
    },
  );
  test.each(["-- ", "--", "--- a/mm/pool.c", "--- /dev/null", "diff --git a/a b/a", "@@ -1 +1 @@", "A remark.", "> A remark."])("ends before %j", (line) => {
    expect(continues.test(line)).toBe(false);
  });
});
