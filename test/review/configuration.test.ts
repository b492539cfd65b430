// SPDX-License-Identifier: GPL-2.0-only
import fc from "fast-check";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { rules } from "../../server/review/catalogue.ts";
import { configurationSchema, readConfiguration } from "../../server/review/configuration/configuration.ts";
import { schemaProblems, type Schema } from "../json-schema.ts";

const KNOWN = ["lock-order", "sleep-in-atomic"];

const read = (value: unknown) => readConfiguration(typeof value === "string" ? value : JSON.stringify(value, null, 1), "p.json", KNOWN);
const problems = (value: unknown): string[] => read(value).problems.map(({ line, column, code, message }) => `${line}:${column} ${code}: ${message}`);

const entry = { rule: "lock-order", function: "a_b", file: "mm/x.c", fingerprint: "0123456789abcdef", reason: "looked at", until: "6.12" };

describe("a configuration", () => {
  test("is read with the places of its suppressions", () => {
    const { configuration, problems: wrong } = read({ $schema: "x", rules: { "lock-order": "off", "sleep-in-atomic": "info" }, suppressions: [entry, { rule: "sleep-in-atomic", reason: " because " }] });
    expect(wrong).toEqual([]);
    expect(configuration).toEqual({
      rules: { "lock-order": "off", "sleep-in-atomic": "info" },
      suppressions: [
        { ...entry, place: { in: "configuration", path: "p.json", line: 9, column: 12, endColumn: 24 } },
        { rule: "sleep-in-atomic", function: null, file: null, fingerprint: null, reason: "because", until: null, place: { in: "configuration", path: "p.json", line: 17, column: 12, endColumn: 29 } },
      ],
    });
  });

  test("may name a function with its parentheses", () => {
    expect(read({ suppressions: [{ ...entry, function: "a_b()" }] }).configuration.suppressions[0]?.function).toBe("a_b");
  });

  test.each([
    ["", ["1:1 not-json: the file is empty; it should be {}"]],
    ["[]", ["1:1 configuration-type: an object is expected here, not an array"]],
    ["null", ["1:1 configuration-type: an object is expected here, not null"]],
    [{ rule: {} }, ['2:2 configuration-key: no key is called "rule" here; there are $schema, rules, suppressions']],
    [{ rules: [] }, ["2:11 configuration-type: an object is expected here, not an array"]],
    [{ rules: { "lock-order": "hint" } }, ['3:17 configuration-type: one of "off", "info", "warning", "error" is expected here']],
    [{ rules: { "lock-older": "off" } }, ['3:3 unknown-rule: no rule is called "lock-older"; see patchwalk rules']],
    [{ suppressions: {} }, ["2:18 configuration-type: an array is expected here, not an object"]],
    [{ suppressions: ["lock-order"] }, ["3:3 configuration-type: an object is expected here, not a string"]],
    [{ suppressions: [{ rule: "lock-order" }] }, ['3:3 configuration-key: "reason" is missing here']],
    [{ suppressions: [{ ...entry, reason: 7 }] }, ["8:14 configuration-type: a string is expected here, not a number"]],
    [{ suppressions: [{ ...entry, reason: "" }] }, ["8:14 suppression-reason: a reason is missing: nothing is suppressed"]],
    [{ suppressions: [{ ...entry, reason: "\t\n" }] }, ["8:14 suppression-reason: a reason is missing: nothing is suppressed"]],
    [{ suppressions: [{ ...entry, reason: "<why this is not a bug>" }] }, ["8:14 suppression-reason: the reason is still to be written: nothing is suppressed"]],
    [{ suppressions: [{ ...entry, rule: "x" }] }, ['4:12 unknown-rule: no rule is called "x"; see patchwalk rules']],
    [{ suppressions: [{ ...entry, file: "/etc/x" }] }, ["6:12 configuration-value: the pattern begins with /: paths begin at the top of the kernel tree"]],
    [{ suppressions: [{ ...entry, file: null }] }, ["6:12 configuration-type: a string is expected here, not null"]],
    [{ suppressions: [{ ...entry, function: "a b" }] }, ["5:16 configuration-value: the name of a function is expected here"]],
    [{ suppressions: [{ ...entry, fingerprint: "0123" }] }, ["7:19 configuration-value: 16 hex digits are expected here: the fingerprint of a finding"]],
    [{ suppressions: [{ ...entry, until: "mainline" }] }, ["9:13 configuration-value: a release such as 6.12 is expected here"]],
    [{ suppressions: [{ ...entry, funtion: "f" }] }, ['10:4 configuration-key: no key is called "funtion" here; there are rule, function, file, fingerprint, reason, until']],
    ['{"suppressions": [{"rule": "lock-order", "reason": "a", "reason": "b"}]}', ['1:57 configuration-key: "reason" is there twice; the first one counts']],
    ['{"__proto__": {"rules": {}}, "constructor": 1}', ['1:2 configuration-key: no key is called "__proto__" here; there are $schema, rules, suppressions', '1:30 configuration-key: no key is called "constructor" here; there are $schema, rules, suppressions']],
    ['{"rules": {"__proto__": "off", "toString": "off"}}', ['1:12 unknown-rule: no rule is called "__proto__"; see patchwalk rules', '1:32 unknown-rule: no rule is called "toString"; see patchwalk rules']],
    ["{ // why\n}", ["1:3 not-json: JSON has no comments"]],
    ["{\n \"rules\": {},\n}", ["3:1 not-json: a name in double quotes is missing here", "3:1 not-json: a value is missing here"]],
  ])("%j: %j", (value, expected) => {
    expect(problems(value)).toEqual(expected);
    expect(read(value).configuration).toEqual({ rules: {}, suppressions: [] });
  });

  test("what is wrong costs itself, and not the rest", () => {
    const { configuration } = read({ rules: { "lock-order": "error", nothing: "off" }, suppressions: [{ ...entry, rule: "nothing" }, entry], more: 1 });
    expect(configuration.rules).toEqual({ "lock-order": "error" });
    expect(configuration.suppressions.map(({ rule }) => rule)).toEqual(["lock-order"]);
    const torn = read('{ "rules": { "lock-order": "off" }, "suppressions": [ { "rule": ');
    expect(torn.configuration).toEqual({ rules: { "lock-order": "off" }, suppressions: [] });
    expect(torn.problems.length).toBeGreaterThan(0);
  });

  test("a mark at the start of the text is passed over", () => {
    expect(problems('\ufeff{"rules": {"x": "off"}}')).toEqual(['1:13 unknown-rule: no rule is called "x"; see patchwalk rules']);
  });

  test("hostile texts cost little, and change nothing else", () => {
    const started = performance.now();
    expect(problems("[".repeat(900_000))).toEqual(["1:1 not-json: nested too deep: not read"]);
    expect(problems('{"a":'.repeat(100_000))).toEqual(["1:1 not-json: nested too deep: not read"]);
    expect(problems(" ".repeat(10_000_000))).toEqual(["1:1 not-json: larger than 1 MiB: not read"]);
    expect(problems(`"${"\\".repeat(1_000_000)}`)).toHaveLength(2);
    expect(problems(`{"rules": {${Array.from({ length: 40_000 }, (_, index) => `"r${index}": "off"`).join(",")}}}`)).toHaveLength(101);
    expect(problems(`{"suppressions": [${"{},".repeat(300_000)}{}]}`).at(-1)).toContain("more problems from here on");
    expect(performance.now() - started).toBeLessThan(60_000);
    read('{"__proto__": {"polluted": 1}, "rules": {"__proto__": {"polluted": 1}}, "suppressions": [{"__proto__": {"polluted": 1}}]}');
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });

  test("no text is too much for the reader", () => {
    const piece = fc.constantFrom("{", "}", "[", "]", ":", ",", '"', "\\", "\n", "rules", "suppressions", "reason", "rule", "lock-order", "off", '"rules"', '"suppressions"', '"rule"', '"reason"', '"lock-order"', "null", "1e9", "//", "/*", "\u2028", "\0", "\ud800");
    fc.assert(fc.property(fc.array(piece, { maxLength: 60 }).map((parts) => parts.join("")), (text) => {
      const { configuration, problems: wrong } = readConfiguration(text, "p.json", KNOWN);
      const lines = text.split("\n");
      for (const { line, column, endColumn } of wrong) {
        expect(line).toBeLessThanOrEqual(lines.length);
        expect(column).toBeLessThanOrEqual((lines[line - 1] ?? "").length + 1);
        expect(endColumn).toBeGreaterThan(column);
      }
      // Whoever gets no problem wrote JSON.
      if (wrong.length === 0) JSON.parse(text);
      expect(configuration.suppressions.every(({ rule, reason }) => KNOWN.includes(rule) && reason !== "")).toBe(true);
    }), { numRuns: 3000 });
  });
});

describe("the schema", () => {
  const ids = rules().map(({ id }) => id);
  const schema = configurationSchema(ids);

  // After a change of the rules or of the definition: npx vitest run test/review/configuration.test.ts -u
  test("in docs/ is that of the definition", async () => {
    await expect(`${JSON.stringify(schema, null, 2)}\n`).toMatchFileSnapshot(join(import.meta.dirname, "../../docs/patchwalk.schema.json"));
  });

  test("and the reader are of one mind", () => {
    const value = fc.record({
      rules: fc.dictionary(fc.constantFrom("lock-order", "x"), fc.constantFrom("off", "hint", 1), { maxKeys: 2 }),
      suppressions: fc.array(fc.record({
        rule: fc.constantFrom("lock-order", "x"), reason: fc.constantFrom("why", "", "<x>", " < y > ", "a <b>"), function: fc.constantFrom("f", "f()", "1"),
        until: fc.constantFrom("6.1", "6", "next"), fingerprint: fc.constantFrom("0123456789abcdef", "g"), other: fc.constant(1),
      }, { requiredKeys: [] }), { maxLength: 2 }),
      extra: fc.constant(1),
    }, { requiredKeys: [] });
    const small = configurationSchema(["lock-order"]) as Schema;
    fc.assert(fc.property(value, (one) => {
      const names = Object.keys(one.rules ?? {}).every((name) => name === "lock-order");
      expect(schemaProblems(small, one).length === 0 && names).toBe(readConfiguration(JSON.stringify(one), "p.json", ["lock-order"]).problems.length === 0);
    }), { numRuns: 2000 });
  });
});
