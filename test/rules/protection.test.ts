// SPDX-License-Identifier: GPL-2.0-only
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { review } from "../../server/review/review.ts";
import { RULES } from "../../server/rules/registry.ts";
import { optionsOf } from "../fixture-file.ts";
import { protectionsOf, without } from "./protection.ts";

// The statement that protects a fixed fixture is taken out by machine: then, and only then, the defect is there, proved.

const ROOT = join(import.meta.dirname, "../fixtures/rules");

const CASES = readdirSync(ROOT).toSorted().flatMap((folder) =>
  readdirSync(join(ROOT, folder)).toSorted().flatMap((name) => {
    const text = readFileSync(join(ROOT, folder, name), "utf8");
    return protectionsOf(text).map((protection) => ({ file: `${folder}/${name}`, text, protection }));
  }),
);

const findings = (file: string, text: string): string[] => {
  const kind = file.endsWith(".c") ? "c" : "patch";
  const path = kind === "c" ? file.replace(/^.*\//, "mm/") : file;
  return review({ path, text, kind }, optionsOf(text)).flatMap((one) => one.findings.map(({ ruleId, tier }) => `${ruleId} ${tier}`));
};

const killed = new Map<string, number>();

describe("a fixed fixture without the statement that protects it", () => {
  test.each(CASES.map((one) => [`${one.file}:${one.protection.line} ${one.protection.how}`, one] as const))("%s", (_, { file, text, protection }) => {
    const wanted = `${protection.rule} proved`;
    expect(findings(file, text)).not.toContain(wanted);
    expect(findings(file, without(text, protection))).toContain(wanted);
    killed.set(protection.rule, (killed.get(protection.rule) ?? 0) + 1);
  });

  afterAll(() => {
    const all = (rule: string): number => CASES.filter(({ protection }) => protection.rule === rule).length;
    const rules = RULES.map(({ meta }) => meta.id).filter((rule) => all(rule) > 0);
    const score = rules.map((rule) => `${rule} ${killed.get(rule) ?? 0}/${all(rule)}`).join(", ");
    console.log(`protecting statements whose loss is proved: ${[...killed.values()].reduce((sum, count) => sum + count, 0)} of ${CASES.length} (${score})`);
  });
});
