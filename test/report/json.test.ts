// SPDX-License-Identifier: GPL-2.0-only
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { inputJson, jsonClosing, jsonInput, jsonLine, jsonOpening } from "../../server/report/json.ts";
import { VERSION } from "../../server/report/version.ts";
import { CLEAN, FINDING, OBLIGATIONS, REVIEW } from "./sample-review.ts";

const SUMMARY = { proved: 1, contract: 0, pattern: 0, files: 2 };

test("the version is the package's", () => {
  const manifest = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
  expect(VERSION).toBe(manifest.version);
});

test("the parts of a document make one document", () => {
  for (const inputs of [[], [CLEAN], [REVIEW, CLEAN, REVIEW]]) {
    const text = jsonOpening() + inputs.map((review, index) => jsonInput("a.patch", review, index)).join("") +
      jsonClosing(SUMMARY, inputs.length, null);
    const whole = { patchwalk: "0.1.0", ruleset: "2026.11", inputs: inputs.map((review) => inputJson("a.patch", review)), summary: SUMMARY };
    expect(text).toBe(`${JSON.stringify(whole, null, 2)}\n`);
  }
});

test("timings are the only place of time, at the end", () => {
  expect(jsonOpening() + jsonClosing(SUMMARY, 0, { totalMs: 12 })).toMatch(/"summary": \{[^}]*\},\n {2}"timings": \{\n {4}"totalMs": 12\n {2}\}\n\}\n$/);
});

test("names and order of the contract", () => {
  const input = inputJson("a.patch", { ...REVIEW, obligations: OBLIGATIONS });
  expect(Object.keys(input)).toEqual(["path", "messageId", "subject", "series", "target", "problems", "coverage", "obligations", "findings"]);
  expect(Object.keys(input.target)).toEqual(["release", "decidedBy", "because", "arch", "config"]);
  expect(Object.keys(input.findings[0] ?? {})).toEqual([
    "ruleId", "type", "severity", "tier", "origin", "message", "function", "fingerprint", "location", "related", "evidence", "fix", "sources",
  ]);
  expect(input.findings[0]?.location).toEqual({ patchLine: 140, column: 7, endColumn: 51, file: null, newLine: null, oldLine: null });
  expect(input.findings[0]?.evidence?.schedule[2]).toEqual({
    thread: "move_one_pte()",
    step: "mmu_notifier_invalidate_range_start_nonblock(&range)",
    patchLine: 140,
    state: "interval subscriber: refused",
  });
  expect(Object.keys(input.findings[0]?.evidence?.fixed ?? {})).toEqual(["title", "verdict", "states", "blockedAt", "heldBy", "mutationFails"]);
});

test("what is suppressed is there with who says so; counts and configurations come last", () => {
  const place = { in: "configuration", path: "p.json", line: 4, column: 2, endColumn: 3 } as const;
  const input = inputJson("a.patch", { ...CLEAN, suppressed: [{ finding: FINDING, reason: "looked at", until: null, place }] });
  expect(Object.keys(input)).toEqual(["path", "messageId", "subject", "series", "target", "problems", "coverage", "obligations", "findings", "suppressed"]);
  expect(input.suppressed?.[0]?.suppression).toEqual({ in: "configuration", path: "p.json", line: 4, reason: "looked at", until: null });
  expect(Object.keys(input.suppressed?.[0] ?? {}).at(-1)).toBe("suppression");
  const configurations = [{ path: "p.json", problems: [{ code: "x", message: "y" }, { code: "x", message: "y", line: 1, column: 2 }] }];
  const text = jsonOpening() + jsonClosing({ ...SUMMARY, suppressed: 2, baseline: 3 }, 0, null, configurations);
  expect(JSON.parse(text)).toEqual({
    patchwalk: "0.1.0", ruleset: "2026.11", inputs: [],
    configurations: [{ path: "p.json", problems: [{ code: "x", message: "y", line: null, column: null }, { code: "x", message: "y", line: 1, column: 2 }] }],
    summary: { ...SUMMARY, suppressed: 2, baseline: 3 },
  });
});

test("key order does not depend on who built the objects", () => {
  const entries = Object.entries(FINDING);
  entries.reverse();
  const turned = Object.fromEntries(entries) as unknown as typeof FINDING;
  expect(jsonLine("a", { ...REVIEW, findings: [turned] })).toBe(jsonLine("a", REVIEW));
});

test("a line is one line, and carries nothing that a terminal obeys", () => {
  const line = jsonLine("a\u009b", { ...CLEAN, subject: "x\n\u202e\u2028\u001b[2J\ud800" });
  expect(line.split("\n")).toHaveLength(2);
  expect(line).not.toMatch(/[\u0000-\u0009\u007f-\u009f\u2028\u202e]/);
  expect(JSON.parse(line)).toMatchObject({ path: "a\u009b", subject: "x\n\u202e\u2028\u001b[2J\ud800" });
});
