// SPDX-License-Identifier: GPL-2.0-only
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import type { EffectProgram } from "../../server/program/program.ts";
import { readPatches } from "../../server/patch/read.ts";
import type { VerifiedFix } from "../../server/review/finding.ts";
import { rewritingOfFile, rewritingOfPatch } from "../../server/review/fix/rewriting.ts";
import { verified, type Refusal, type Verification } from "../../server/review/fix/verify.ts";
import { searched, type Found } from "../../server/review/judge.ts";
import type { ReviewOptions } from "../../server/review/options.ts";
import { review } from "../../server/review/review.ts";
import { subjectOf, subjectOfFile, wholeFile } from "../../server/review/subject.ts";
import type { Candidate, Fix, Subject } from "../../server/rules/rule.ts";
import { decideTarget } from "../../server/source/target.ts";
import type { TextEdit } from "../../server/text/text-edit.ts";
import { applied } from "../document-edits.ts";
import { optionsOf } from "../fixture-file.ts";

const ROOT = join(import.meta.dirname, "../fixtures/rules");

const NO_PATCH = { form: "diff", messageId: null, subject: null, from: null, date: null, commit: null, whitespaceLost: false, prose: [], files: [], remarks: [], startLine: 1, endLine: 1 } as const;

function verificationOf(name: string, text: string, options: ReviewOptions): Verification | null {
  const search = (subject: Subject, programs: readonly EffectProgram[]): readonly Found[] =>
    [{ kind: "calls" as const, programs }, { kind: "whole" as const }].flatMap((scope) => searched({ ...subject, old: null }, options, scope).found);
  if (name.endsWith(".c")) {
    const { target } = decideTarget(NO_PATCH, options);
    const subject = subjectOfFile(`mm/${name}`, text, target);
    const rewriting = subject && rewritingOfFile(text, subject, (edited) => wholeFile(`mm/${name}`, edited, target));
    return subject && rewriting && { subject, rewriting, found: searched(subject, options, { kind: "all" }).found, search, maxStates: options.maxStates };
  }
  const [patch] = readPatches(text).patches;
  const decided = decideTarget(patch ?? NO_PATCH, options);
  const subject = patch ? subjectOf(text, patch, decided) : null;
  const rewriting = patch && subject && rewritingOfPatch(text, patch, subject, (edited) => {
    const [same] = readPatches(edited).patches;
    return same ? subjectOf(edited, same, decided) : null;
  });
  return subject && rewriting ? { subject, rewriting, found: searched(subject, options, { kind: "all" }).found, search, maxStates: options.maxStates } : null;
}

interface Mutation {
  readonly what: `an edit is dropped (${string})` | "a line is inserted one line later" | "another argument";
  readonly fix: Fix;
}

const without = (fix: Fix, index: number): Fix => ({ ...fix, edits: fix.edits.toSpliced(index, 1) });
const withEdit = (fix: Fix, index: number, edit: TextEdit): Fix => ({ ...fix, edits: fix.edits.toSpliced(index, 1, edit) });

/** Another variable of the same type, or none at all. */
function otherThan(name: string, { variables }: EffectProgram): string {
  const own = variables.get(name);
  return [...variables.values()].find((one) => one.name !== name && own && one.type === own.type && one.pointers === own.pointers)?.name ?? "NULL";
}

function mutationsOf(fix: Fix, program: EffectProgram): Mutation[] {
  const { text } = program.image;
  return fix.edits.flatMap((edit, index): Mutation[] => {
    const found: Mutation[] = fix.edits.length > 1 ? [{ what: `an edit is dropped (${edit.text.trim()})`, fix: without(fix, index) }] : [];
    const next = text.indexOf("\n", edit.at) + 1;
    if (edit.at === edit.end && edit.text.endsWith("\n") && next > 0) found.push({ what: "a line is inserted one line later", fix: withEdit(fix, index, { at: next, end: next, text: edit.text }) });
    const other = edit.text.replace(/(\w+\(&?)(\w+)(\))/, (_, head: string, name: string, tail: string) => `${head}${otherThan(name, program)}${tail}`);
    if (other !== edit.text) found.push({ what: "another argument", fix: withEdit(fix, index, { ...edit, text: other }) });
    return found;
  });
}

const score = { offered: 0, mutations: 0, refused: 0, harmless: [] as string[], by: new Map<string, number>() };

const settledTier = (candidate: Candidate, tiers: ReadonlyMap<string, "proved" | "contract" | "pattern">): "proved" | "contract" | "pattern" =>
  tiers.get(`${candidate.ruleId} ${candidate.messageId} ${candidate.place.program.name}`) ?? "contract";

describe.each(readdirSync(ROOT).toSorted())("%s", (rule) => {
  test.each(readdirSync(join(ROOT, rule)).filter((name) => !name.startsWith("ok-")).toSorted())("%s", (name) => {
    const text = readFileSync(join(ROOT, rule, name), "utf8");
    const options = optionsOf(text);
    const path = name.endsWith(".c") ? `mm/${name}` : name;
    const kind = name.endsWith(".c") ? ("c" as const) : ("patch" as const);
    const before = review({ path, text, kind }, options).flatMap((one) => one.findings);
    const tiers = new Map(before.map((one) => [`${one.ruleId} ${one.messageId} ${one.function}`, one.tier]));
    const by = verificationOf(name, text, options);
    expect(by).not.toBeNull();
    if (!by) return;
    for (const candidate of by.found.flatMap((one) => one.candidates)) {
      const tier = settledTier(candidate, tiers);
      const holds = (fix: Fix): VerifiedFix | Refusal => verified(candidate, fix, tier, by);
      for (const fix of (candidate.fixes?.() ?? []).filter((one) => typeof holds(one) !== "string")) {
        score.offered++;
        for (const { what, fix: mutated } of mutationsOf(fix, candidate.place.program)) {
          score.mutations++;
          const outcome = holds(mutated);
          if (typeof outcome === "string") {
            score.refused++;
            score.by.set(outcome, (score.by.get(outcome) ?? 0) + 1);
            continue;
          }
          // What is not refused must be as good: it lints clean. Types are not checked, here or anywhere.
          score.harmless.push(`${rule}/${name}: ${what}: ${mutated.edits.map((edit) => JSON.stringify(edit.text)).join(" ")}`);
          const after = review({ path, text: applied(text, outcome.edits), kind }, options).flatMap((one) => one.findings);
          expect(after.length).toBeLessThan(before.length);
        }
      }
    }
  });
});

test("most of what spoils a fix is seen", () => {
  expect(score.mutations).toBeGreaterThan(300);
  expect(score.refused / score.mutations).toBeGreaterThan(0.8);
  // Edits that are dropped may leave a variable, a test that never holds, or a range that is set up twice: nothing that a schedule shows.
  expect(score.harmless.filter((one) => /an edit is dropped \([^]*_(?:un)?lock_[^]*\): /.test(one))).toEqual([]);
});

afterAll(() => {
  const reasons = [...score.by].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([reason, count]) => `${reason} ${count}`).join(", ");
  console.log(`fixes ${score.offered}; mutations ${score.mutations}, refused ${score.refused} (${reasons}), harmless ${score.harmless.length}`);
  if (process.env.PATCHWALK_SHOW_HARMLESS) console.log(score.harmless.join("\n"));
});
