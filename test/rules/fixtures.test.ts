// SPDX-License-Identifier: GPL-2.0-only
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Finding } from "../../server/review/finding.ts";
import { review } from "../../server/review/review.ts";
import { RULES } from "../../server/rules/registry.ts";
import { expectationsOf, optionsOf } from "../fixture-file.ts";

const ROOT = join(import.meta.dirname, "../fixtures/rules");

const inOrder = (names: Iterable<string>): string[] => [...new Set(names)].toSorted();

/** Messages that no fixture can give, and who asks for them. */
const ELSEWHERE: Readonly<Record<string, readonly string[]>> = {
  // A tree is at hand: test/cli/lint-tree-backport.test.ts.
  "backport-prerequisite-missing": ["missing"],
};

describe.each(readdirSync(ROOT).toSorted())("%s", (rule) => {
  const found: Finding[] = [];
  const names = readdirSync(join(ROOT, rule)).toSorted();
  test.each(names)("%s", (name) => {
    const text = readFileSync(join(ROOT, rule, name), "utf8");
    const kind = name.endsWith(".c") ? "c" : "patch";
    const reviews = review({ path: kind === "c" ? `mm/${name}` : name, text, kind }, optionsOf(text));
    const findings = reviews.flatMap((one) => one.findings);
    expect(findings.map(({ location, ruleId, tier, severity }) => ({ line: location.patchLine, rule: ruleId, tier, severity }))).toEqual(expectationsOf(text));
    expect(reviews.flatMap((one) => one.problems).filter((problem) => problem.code === "rule-failed")).toEqual([]);
    found.push(...findings.filter(({ ruleId }) => ruleId === rule));
  });

  // Runs behind the fixtures: whoever asks for one of them with -t does not ask for these.
  test("every message and every scenario of the rule occurs", () => {
    const meta = RULES.find(({ meta: { id } }) => id === rule)!.meta;
    expect(inOrder([...found.map(({ messageId }) => messageId), ...(ELSEWHERE[rule] ?? [])])).toEqual(inOrder(Object.keys(meta.messages)));
    expect(inOrder(found.flatMap(({ evidence }) => (evidence ? [evidence.scenario] : [])))).toEqual(inOrder(meta.scenarios));
  });
  test("no finding shows a name that the lowering made up, or a place that was not filled in", () => {
    for (const { message, related, evidence } of found) {
      expect([message, ...related.map((one) => one.message)].join("\n")).not.toMatch(/\{\w*\}/);
      expect(JSON.stringify([message, related, evidence])).not.toMatch(/\$\d|\w__\d+\b|\bundefined\b/);
    }
  });
  test("there are look-alikes that stay silent", () => {
    expect(names.filter((name) => name.startsWith("ok-")).length).toBeGreaterThan(1);
    expect(names.filter((name) => !name.startsWith("ok-")).length).toBeGreaterThan(0);
  });
});
