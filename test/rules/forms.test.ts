// SPDX-License-Identifier: GPL-2.0-only
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { PatchDocument, PatchLine } from "../../server/patch/model.ts";
import { readPatches } from "../../server/patch/read.ts";
import type { Finding } from "../../server/review/finding.ts";
import { review } from "../../server/review/review.ts";
import { lineIndex } from "../../server/text/line-index.ts";
import { optionsOf } from "../fixture-file.ts";
import { transformations } from "../patch/transform.ts";

const ROOT = join(import.meta.dirname, "../fixtures/rules");
const fixtures = readdirSync(ROOT).toSorted().flatMap((rule) =>
  readdirSync(join(ROOT, rule)).toSorted().filter((name) => name.endsWith(".patch")).map((name) => join(rule, name)));

/** Lines that every form of a patch has. */
const solid = (document: PatchDocument): PatchLine[] =>
  document.patches.flatMap((patch) => patch.files.flatMap((file) => file.hunks.flatMap((hunk) => hunk.lines)))
    .filter((line) => line.kind !== "context" || line.text.trim() !== "");

const withoutBlanks = (text: string): string => text.replace(/\s/g, "");

/** The unit of `text` that has as many characters before it, blanks left out. */
const unitAfter = (text: string, count: number): number => {
  for (let at = 0, seen = 0; at < text.length; at += 1) {
    if (/\s/.test(text[at] ?? "")) continue;
    if (seen === count) return at;
    seen += 1;
  }
  return text.length;
};

/** `rule line:column` of each finding, where it must stand in another form of the same patch. */
const expectedPlaces = (findings: readonly Finding[], from: PatchDocument, to: PatchDocument): string[] => {
  const [lines, others] = [solid(from), solid(to)];
  const index = lineIndex(to.text);
  return findings.map(({ ruleId, messageId, location }) => {
    const at = lines.findIndex((line) => line.line === location.patchLine);
    const [line, other] = [lines[at], others[at]];
    if (line === undefined || other === undefined) return `${ruleId} ${messageId} nowhere`;
    const offset = lineIndex(from.text).offsetOf(location.patchLine, location.column - 1);
    const unit = unitAfter(other.text, withoutBlanks(line.text.slice(0, offset - line.start)).length);
    const { line: row, column } = index.positionOf(other.places?.[unit] ?? other.start + unit);
    return `${ruleId} ${messageId} ${row}:${column + 1}`;
  }).toSorted();
};

interface Original {
  readonly text: string;
  readonly findingsOf: (text: string) => Finding[];
  readonly findings: readonly Finding[];
}

const originals = new Map<string, Original>();

const originalOf = (name: string): Original => {
  const known = originals.get(name);
  if (known !== undefined) return known;
  const text = readFileSync(join(ROOT, name), "utf8");
  const options = { ...optionsOf(text), simulate: false };
  const findingsOf = (input: string): Finding[] => review({ path: name, text: input, kind: "patch" }, options).flatMap((one) => one.findings);
  const made = { text, findingsOf, findings: findingsOf(text) };
  originals.set(name, made);
  return made;
};

/** What gives no finding could give one only where something is lost. */
const isTold = (form: string, name: string): boolean => !name.includes("/ok-") || /stripped|wrapped|depth 2/.test(form);

describe.each(transformations)("$name", ({ name: form, apply }) => {
  test.each(fixtures.filter((name) => isTold(form, name)))("%s", (name) => {
    const { text, findingsOf, findings } = originalOf(name);
    const changed = apply(text);
    const found = findingsOf(changed);
    const places = found.map(({ ruleId, messageId, location }) => `${ruleId} ${messageId} ${location.patchLine}:${location.column}`).toSorted();
    expect(places).toEqual(expectedPlaces(findings, readPatches(text), readPatches(changed)));
    const index = lineIndex(changed);
    for (const { location } of found) {
      const { start, end } = index.spanOf(location.patchLine);
      expect(location.endColumn).toBeGreaterThan(location.column);
      expect(location.endColumn - 1).toBeLessThanOrEqual(end - start);
    }
  });
});
