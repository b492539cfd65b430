// SPDX-License-Identifier: GPL-2.0-only
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { RULES } from "../../server/rules/registry.ts";
import { CATALOGUE, scenarioById } from "../../server/scenarios/catalogue/catalogue.ts";
import { patchwalk } from "./run-command.ts";

const DOCS = join(import.meta.dirname, "../../docs");
const CLAIM = /^\| (.+) \| \[([\w-]+)\]\(rules\/\2\.md\) \| `patchwalk (simulate [^`]+)` \| (holds|fails: ([\w-]+)) \|$/gm;
const ROW = /^\| (?!-|claim\b|---).*\|$/gm;

const page = readFileSync(join(DOCS, "threads.md"), "utf8");
const claims = [...page.matchAll(CLAIM)].map(([, claim = "", rule = "", command = "", , property]) => ({ claim, rule, command, property: property ?? null }));

test("every row is a claim that can be asked", () => {
  expect(claims.length).toBe([...page.matchAll(ROW)].length);
  expect(new Set(claims.map(({ command }) => command)).size).toBe(claims.length);
});

describe.each(claims)("$claim", ({ rule, command, property }) => {
  test(command, async () => {
    const { out } = await patchwalk([...command.split(" "), "--format", "json"]);
    const [one, ...others] = JSON.parse(out).simulations;
    expect(others).toEqual([]);
    expect([one.verdict, one.property ?? null]).toEqual(property === null ? ["pass", null] : ["fail", property]);
  });
  test(`the page of ${rule} leads to the scenario`, async () => {
    const { out } = await patchwalk(["explain", rule], { engine: { rules: () => RULES.map(({ meta }) => meta) }, io: { ruleFolders: [join(DOCS, "rules")] } });
    expect(scenarioById(command.split(" ")[1]!)?.rules).toContain(rule);
    expect(out).toContain(`patchwalk simulate ${command.split(" ")[1]}`);
  });
});

test("scenarios name rules that there are", () => {
  const ids = new Set(RULES.map(({ meta }) => meta.id));
  expect(CATALOGUE.flatMap(({ rules }) => rules).filter((id) => !ids.has(id))).toEqual([]);
});
