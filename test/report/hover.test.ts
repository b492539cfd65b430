// SPDX-License-Identifier: GPL-2.0-only
import { expect, test } from "vitest";
import { hoverMarkdown, hoverPlain } from "../../server/report/hover.ts";
import { fencedText, markdownLink, plainMarkdown } from "../../server/report/markdown.ts";
import type { RuleMeta } from "../../server/rules/meta.ts";
import { EVIDENCE, FINDING, QUESTION, step } from "./sample-review.ts";

const RULE: RuleMeta = {
  id: FINDING.ruleId,
  title: "Non-blocking start outside the OOM reaper",
  severity: "error",
  since: "4.19",
  until: null,
  why: "A subscriber that refuses keeps its mapping. The guest then writes a page that is no longer its own.",
  messages: {},
  scenarios: ["refused-invalidation"],
  sources: [{ thread: "rule thread", who: "Example Reviewer", date: "2020-01-01", link: null }],
};

test("rule, schedule, verdict, repair, reason, sources", () => {
  const text = hoverMarkdown(FINDING, { rule: RULE, lineLabel: "mail" });
  expect(text.startsWith(`**${RULE.title} (notifier-nonblock-outside-oom, proved)**\n\n`)).toBe(true);
  expect(text.indexOf("**Why it matters:** A subscriber")).toBeGreaterThan(text.indexOf("- **Fixed by:**"));
  expect(text).toContain("\n\n```text\n          move_one_pte()");
  expect(text).toContain("mail:140  mmu_notifier_invalidate_range_start_nonblock(&range)\n");
  expect(text).toContain("- **Fixed by:** blocking start before the first map");
  expect(text).toContain("- **Does not help:** blocking start in place");
  expect(text.endsWith("**Sources:** Example Reviewer, 2023-09-15, [example: move pages between mms](https://example.org/r/1)")).toBe(true);
});

test("a finding without evidence or sources falls back on its rule", () => {
  const text = hoverMarkdown(QUESTION, { rule: RULE, lineLabel: "line" });
  expect(text).not.toContain("```");
  expect(text).toContain("Incomplete fix: the old code has it too");
  expect(text).toContain("**Sources:** Example Reviewer, 2020-01-01, rule thread");
  expect(hoverMarkdown(QUESTION, { rule: null, lineLabel: "line" })).not.toContain("Why it matters");
});

test("plain text has no markup and the same facts", () => {
  const text = hoverPlain(FINDING, { rule: RULE, lineLabel: "mail" });
  expect(text).not.toMatch(/\*\*[A-Z]|```|\\/);
  expect(text).toContain("Why it matters: A subscriber that refuses keeps its mapping.");
  expect(text).toContain("*** stale secondary mapping");
  expect(Math.max(...text.split("\n").map((line) => line.length))).toBeLessThanOrEqual(72);
});

test.each([
  ["a [x](command:evil) b", "a \\[x\\](command\\:evil) b"],
  ["<img src=x onerror=y>", "\\<img src=x onerror=y>"],
  ["![i](https://example.org/x.png)", "!\\[i\\](https\\://example.org/x.png)"],
  ["see https://example.org or www.example.org or a@example.org", "see https\\://example.org or www\\.example.org or a\\@example.org"],
  ["**bold** _it_ `code` snake_case_name ~~x~~", "\\*\\*bold\\*\\* \\_it\\_ \\`code\\` snake_case_name \\~\\~x\\~\\~"],
  ["# head", "\\# head"],
  ["> quote", "\\> quote"],
  ["1. item", "1\\. item"],
  ["- item\n\n    code", "\\- item code"],
  ["&lt;b&gt; &range", "\\&lt;b\\&gt; &range"],
  ["a <= b -> c", "a <= b -> c"],
  ["x\u202ey", "x\\<U+202E>y"],
])("markup of a patch is inert: %s", (text, expected) => expect(plainMarkdown(text)).toBe(expected));

test("no line of a schedule closes its fence", () => {
  expect(fencedText(["a ```` b"])).toBe("`````text\na ```` b\n`````");
  const evil = { ...FINDING, evidence: { ...EVIDENCE, schedule: [step("f()", "```\n# x <b> ```", 1)] } };
  expect(hoverMarkdown(evil, { rule: null, lineLabel: "mail" })).toContain("\n````text\n");
});

test("only plain https addresses become links", () => {
  expect(markdownLink("t", "https://example.org/a?b=c")).toBe("[t](https://example.org/a?b=c)");
  for (const address of ["command:x", "http://example.org", "https://example.org/)x", "https://example.org/ \"t\"", "javascript:x", null]) {
    expect(markdownLink("t", address)).toBe("t");
  }
});
