// SPDX-License-Identifier: GPL-2.0-only
import { describe, expect, test } from "vitest";
import { hoverMarkdown, hoverPlain } from "../../server/report/hover.ts";
import { jsonLine } from "../../server/report/json.ts";
import { PLAIN } from "../../server/report/paint.ts";
import { inputText } from "../../server/report/text.ts";
import { interleavingText, whatIfText } from "../../server/report/what-if.ts";
import type { Evidence, Finding, Verdict } from "../../server/review/finding.ts";
import type { WhatIf } from "../../server/review/what-if.ts";
import { EVIDENCE, FINDING, REVIEW, SCHEDULE } from "./sample-review.ts";

const BOUNDS = "env {interval subscriber, vCPU}, loops <= 2, SC";
const ASSUMED = ["double_pt_lock() as of 6.8", "caller holds mmap_lock of both (comment)"];

const withVerdict = (verdict: Verdict): Finding => {
  const evidence: Evidence = verdict === "fail" ? EVIDENCE : { ...EVIDENCE, verdict, badState: "", schedule: [], held: [], fixed: null, wrongFixes: [] };
  return { ...FINDING, tier: verdict === "fail" ? "proved" : "contract", evidence };
};

const WHAT_IF: WhatIf = {
  lock: "mmap_lock (write)", outcome: "fail", takenBy: ["munmap()"], states: 10, transitions: 20, counted: "all", unreached: [],
  replay: { steps: [], held: [], blocked: { thread: "KVM vCPU", step: "store through spte", patchLine: null, state: "" }, waitsFor: ["mmap_lock"] },
  heldBy: "move_one_pte()", schedule: SCHEDULE, held: [], badState: "it is stale", assumptions: ["branch taken without justification: if (toy): who knows"],
};

const FORMS: Readonly<Record<string, (finding: Finding) => string>> = {
  text: (finding) => inputText("a.patch", { ...REVIEW, findings: [finding] }, { paint: PLAIN, lineLabel: "mail", brief: false }),
  "text of what was refuted": (finding) => inputText("a.patch", { ...REVIEW, findings: [], aside: { refuted: [finding], fixed: [] } }, { paint: PLAIN, lineLabel: "mail", brief: true }),
  json: (finding) => jsonLine("a.patch", { ...REVIEW, findings: [finding] }),
  "json of what was mended": (finding) => jsonLine("a.patch", { ...REVIEW, findings: [], aside: { refuted: [], fixed: [finding] } }),
  "hover as markdown": (finding) => hoverMarkdown(finding, { rule: null, lineLabel: "mail" }).replace(/\\(?=[^\w\s])|&lt;/g, (found) => (found === "&lt;" ? "<" : "")),
  "hover as plain text": (finding) => hoverPlain(finding, { rule: null, lineLabel: "mail" }),
  "interleaving of a lens": (finding) => interleavingText(finding, { lineLabel: "mail" }),
  "answer about a lock": (finding) => whatIfText({ kind: "answer", finding, whatIf: WHAT_IF }, { lineLabel: "mail" }),
};

const oneLine = (text: string): string => text.replace(/\s+/g, " ");

describe.each(Object.entries(FORMS))("%s", (_, form) => {
  test.each(["fail", "pass", "unknown", "vacuous"] as const)("says what the verdict %s covers and what it rests on", (verdict) => {
    const text = oneLine(form(withVerdict(verdict)));
    for (const part of [BOUNDS, ...ASSUMED]) expect(text).toContain(part);
  });
});

test("an answer about a lock: outcome, where the schedule stops, what its own schedule assumes", () => {
  const text = oneLine(FORMS["answer about a lock"]!(FINDING));
  expect(text).toContain("With mmap_lock (write) held by the caller it still fails (10 states, 20 transitions up to the first failure)");
  expect(text).toContain('The failing schedule stops at step 6 of 6, at "KVM vCPU: store through spte", which waits for mmap_lock, held by the caller of move_one_pte()');
  expect(text).toContain("assumes: branch taken without justification: if (toy): who knows");
});

test("an answer shows no signs that an editor or a terminal obeys", () => {
  const hostile = "x\u001b[2J\u202e\nfake: line";
  const finding = { ...FINDING, message: hostile, function: hostile, evidence: { ...EVIDENCE, bounds: hostile, assumptions: [hostile] } };
  const answers = [
    whatIfText({ kind: "answer", finding, whatIf: { ...WHAT_IF, lock: hostile, heldBy: hostile, takenBy: [hostile], badState: hostile, assumptions: [hostile] } }, { lineLabel: "mail" }),
    whatIfText({ kind: "unknown-lock", lock: hostile, locks: [hostile] }, { lineLabel: "mail" }),
    whatIfText({ kind: "locks", finding, locks: [hostile] }, { lineLabel: "mail" }),
    interleavingText(finding, { lineLabel: "mail" }),
  ];
  for (const text of answers) {
    // oxlint-disable-next-line no-control-regex
    expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
    expect(text).not.toMatch(/^\s*fake: line/m);
  }
});
