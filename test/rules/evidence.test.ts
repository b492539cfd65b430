// SPDX-License-Identifier: GPL-2.0-only
import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import type { Finding, Review, ScheduleStep } from "../../server/review/finding.ts";
import { DEFAULT_OPTIONS } from "../../server/review/options.ts";
import { review } from "../../server/review/review.ts";
import { optionsOf } from "../fixture-file.ts";
import { sharedFile, WITHOUT_SHARED } from "../shared.ts";
import { evidenceList, isProved, readEvidence, scoreOf, type EvidenceEntry, type EvidenceFixture } from "./evidence-list.ts";

/**
 * What is listed and proved now. Entries are added, never removed, and what is proved stays proved: both numbers only rise.
 */
const LISTED = 217;
const PROVED = 202;

const ROOT = join(import.meta.dirname, "../fixtures/rules");

/** Names of the review threads that entries may point into. */
const SEEDS: Readonly<Record<string, string>> = { "000": "seeds/000_64a40adfd0f19204.txt" };

function seedText(seed: string): string | null {
  const path = SEEDS[seed];
  if (path === undefined) throw new Error(`evidence: no thread of the number ${seed} is known`);
  return sharedFile(path);
}

/** The text of a fixture and its reviews, through the door that a user takes; null where the text is not at hand. */
function lint(fixture: EvidenceFixture): { text: string; reviews: Review[] } | null {
  if (fixture.kind === "seed") {
    const text = seedText(fixture.seed);
    return text === null ? null : { text, reviews: review({ path: `${fixture.seed}.txt`, text, kind: "patch" }, DEFAULT_OPTIONS) };
  }
  const text = readFileSync(join(ROOT, fixture.path), "utf8");
  const name = basename(fixture.path);
  const kind = name.endsWith(".c") ? "c" : "patch";
  return { text, reviews: review({ path: kind === "c" ? `mm/${name}` : name, text, kind }, optionsOf(text)) };
}

const isOf = ({ rule, fixture }: EvidenceEntry, finding: Finding): boolean =>
  finding.ruleId === rule && finding.tier === "proved" && (fixture?.kind !== "seed" || finding.location.patchLine === fixture.line);

const KEYWORDS = new Set(["if", "while", "for", "switch", "return", "sizeof", "typeof"]);

/** The function that a step calls first, null where it calls none. A prefix `helper():` says where the step stands. */
function calledBy({ step }: ScheduleStep): string | null {
  const statement = step.replace(/^\w+\(\): /, "").replace(/ \[[^\]]*\]$/, "");
  return [...statement.matchAll(/\b([A-Za-z_]\w*)\s*\(/g)].map(([, name = ""]) => name).find((name) => !KEYWORDS.has(name)) ?? null;
}

/** A guard's end is a step where the guard stands: the words of the release are not in the text. */
const isGuardEnd = ({ step }: ScheduleStep): boolean => step.endsWith(": the guard ends");

/** Steps of the function under review that a reader finds in the document. */
const mappedSteps = ({ evidence }: Finding): ScheduleStep[] => evidence?.schedule.filter(({ patchLine }) => patchLine !== null) ?? [];

/** True for a step that is part of what the call on its line does: it says where it stands, or follows a step that names the call. */
const isPartOfCall = ({ step, patchLine }: ScheduleStep, line: string, mapped: readonly ScheduleStep[]): boolean =>
  /\w\(/.test(line) && (/^\w+\(\): /.test(step) || mapped.some((one) => one.patchLine === patchLine && names(line, calledBy(one))));

const names = (line: string, called: string | null): boolean => called !== null && new RegExp(`\\b${called}\\b`).test(line);

function expectMapped(finding: Finding, text: string): void {
  const lines = text.split("\n");
  const mapped = mappedSteps(finding);
  expect(mapped.length, "steps of the function that have a line").toBeGreaterThanOrEqual(1);
  for (const step of mapped) {
    expect(step.thread, "only code under review has a line").toMatch(/^\w+\(\)$/);
    const line = lines[(step.patchLine ?? 0) - 1];
    expect(line?.trim(), `line ${step.patchLine}`).toBeTruthy();
    const called = calledBy(step);
    if (called !== null && !isGuardEnd(step) && !isPartOfCall(step, line ?? "", mapped)) expect(line, step.step).toMatch(new RegExp(`\\b${called}\\b`));
  }
}

const entries = evidenceList();
const tried = entries.filter((entry) => entry.fixture !== null).map((entry) => ({ ...entry, name: `${entry.rule}: ${entry.form}` }));

const seedMissing = ({ fixture }: EvidenceEntry): boolean => fixture?.kind === "seed" && seedText(fixture.seed) === null;

describe("forms with a fixture", () => {
  afterAll(() => console.info(scoreOf(entries)));

  for (const entry of tried) {
    test.skipIf(seedMissing(entry))(seedMissing(entry) ? `${entry.name} (${WITHOUT_SHARED})` : entry.name, () => {
      const linted = entry.fixture && lint(entry.fixture);
      if (!linted) throw new Error("the fixture is not at hand");
      expect([...new Set(linted.reviews.map(({ target }) => target.release))]).toEqual([entry.release]);
      const proved = linted.reviews.flatMap(({ findings }) => findings).filter((finding) => isOf(entry, finding));
      if (isProved(entry)) expect(proved, "a proved finding").not.toEqual([]);
      else expect(proved, `not proved, because: ${entry.reason}`).toEqual([]);
      for (const finding of proved) expectMapped(finding, linted.text);
    });
  }
});

test("entries are added and proved, never taken away", () => {
  expect(entries.length).toBeGreaterThanOrEqual(LISTED);
  expect(entries.filter(isProved).length).toBeGreaterThanOrEqual(PROVED);
});

test("a fixture stands for one form of a rule", () => {
  const used = tried.map(({ rule, fixture }) => `${rule}: ${JSON.stringify(fixture)}`);
  expect(used).toEqual([...new Set(used)]);
});

test("a list that says something else is refused", () => {
  const entry = { rule: "some-rule", form: "some-form", code: "D3", what: "an entry", release: "6.6", scenario: "A:S3", fixture: null, reason: null };
  const refusal = (...list: unknown[]) => () => readEvidence(JSON.stringify(list));
  expect(refusal(entry)()).toEqual([entry]);
  expect(refusal(entry, entry)).toThrow("there is one already");
  expect(refusal({ ...entry, tier: "proved" })).toThrow("unknown key tier");
  expect(refusal({ ...entry, fixture: "some-rule/nowhere.c" })).toThrow("no fixture some-rule/nowhere.c");
  expect(refusal({ ...entry, release: "mainline" })).toThrow("release is");
  expect(refusal({ ...entry, reason: " " })).toThrow("reason is");
  expect(refusal({ rule: "some-rule" })).toThrow("no key form");
});
