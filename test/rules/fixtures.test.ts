// SPDX-License-Identifier: GPL-2.0-only
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { review } from "../../server/review/review.ts";
import { RULES } from "../../server/rules/registry.ts";
import { expectationsOf, optionsOf } from "../fixture-file.ts";

const ROOT = join(import.meta.dirname, "../fixtures/rules");

/** Messages that no fixture can give, and who asks for them. */
const ELSEWHERE = ["backport-prerequisite-missing/missing: a tree is at hand, test/cli/lint-tree-backport.test.ts"];

const produced = new Set<string>();

describe.each(readdirSync(ROOT).toSorted())("%s", (rule) => {
  test.each(readdirSync(join(ROOT, rule)).toSorted())("%s", (name) => {
    const text = readFileSync(join(ROOT, rule, name), "utf8");
    const kind = name.endsWith(".c") ? "c" : "patch";
    const reviews = review({ path: kind === "c" ? `mm/${name}` : name, text, kind }, optionsOf(text));
    const found = reviews.flatMap((one) => one.findings).map(({ location, ruleId, tier, severity }) => ({ line: location.patchLine, rule: ruleId, tier, severity }));
    expect(found).toEqual(expectationsOf(text));
    for (const { ruleId, messageId } of reviews.flatMap((one) => one.findings)) produced.add(`${ruleId}/${messageId}`);
    expect(reviews.flatMap((one) => one.problems).filter((problem) => problem.code === "rule-failed")).toEqual([]);
  });
});

test("every message of every rule is one that some fixture gives", () => {
  const all = RULES.flatMap(({ meta }) => Object.keys(meta.messages).map((messageId) => `${meta.id}/${messageId}`));
  expect(all.filter((one) => !produced.has(one))).toEqual(ELSEWHERE.map((one) => one.replace(/:.*/, "")));
});
