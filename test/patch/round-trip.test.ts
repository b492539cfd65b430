// SPDX-License-Identifier: GPL-2.0-only
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Hunk, PatchDocument } from "../../server/patch/model.ts";
import { readPatches } from "../../server/patch/read.ts";
import { codes, expectExactPositions, hunksOf } from "./check.ts";
import type { SamplePatch } from "./generate.ts";
import { samplePatch } from "./generate.ts";
import type { SampleHunk } from "./sample.ts";
import { mailText, stripWhiteSpace, textOf } from "./sample.ts";
import { transformations } from "./transform.ts";

const spaces = (text: string): string => text.replace(/\s+/g, " ").trim();

interface Content {
  readonly lines: readonly string[];
  /** Context lines without text, in the text or known to be lost. */
  readonly blanks: number;
}

const contentOf = (lines: readonly { readonly kind: string; readonly text: string }[], lost: number, losesBlanks: boolean): Content => {
  const isBlank = (line: { readonly kind: string; readonly text: string }): boolean => line.kind === "context" && line.text.trim() === "";
  return {
    lines: lines.filter((line) => !isBlank(line)).map((line) => `${line.kind} ${losesBlanks ? spaces(line.text) : line.text}`),
    blanks: lines.filter(isBlank).length + lost,
  };
};

const expected = (patch: SamplePatch, losesBlanks: boolean): Content[] => patch.flat().map((hunk) => contentOf(hunk.lines, 0, losesBlanks));
const found = (document: PatchDocument, losesBlanks: boolean): Content[] =>
  hunksOf(document).map((hunk) => contentOf(hunk.lines, hunk.lostContext, losesBlanks));

const linesOfDiff = (mail: string): number => mail.slice(mail.indexOf("diff --git")).split("\n").length;

describe.each(transformations)("any patch, $name", ({ apply, losesBlanks, mayReport, mustReport, name }) => {
  it("is the same patch", () => {
    fc.assert(fc.property(samplePatch, (patch) => {
      const mail = mailText("[PATCH] a", textOf(patch));
      const text = apply(mail);
      const document = readPatches(text);
      const reported = codes(document);
      expectExactPositions(document);
      if (name === "white space stripped") return;
      expect(found(document, losesBlanks)).toEqual(expected(patch, losesBlanks));
      expect(reported.filter((code) => !mayReport.includes(code))).toEqual([]);
      if (text.includes("diff --git") && linesOfDiff(text) > linesOfDiff(mail)) for (const code of mustReport) expect(reported).toContain(code);
    }), { numRuns: 60, seed: 20261120 });
  });
});

/** `same`: everything is there; `reported`: it is not, and a problem stands at the hunk; `silent`: it is not, and nothing says so. */
const outcome = (document: PatchDocument, hunk: Hunk | undefined, sample: SampleHunk): "same" | "reported" | "silent" => {
  if (hunk === undefined) return "silent";
  const [one, other] = [contentOf(hunk.lines, hunk.lostContext, true), contentOf(sample.lines, 0, true)];
  if (JSON.stringify(one) === JSON.stringify(other)) return "same";
  const last = hunk.lines.at(-1)?.line ?? hunk.line;
  const isTold = document.problems.some(({ code, line }) => code !== "whitespace-lost" && line !== null && line >= hunk.line && line <= last);
  return isTold ? "reported" : "silent";
};

describe("5,000 stripped hunks", () => {
  it("are recovered, and where not, reported", () => {
    const counts = { same: 0, reported: 0, silent: 0 };
    fc.assert(fc.property(samplePatch, (patch) => {
      const document = readPatches(stripWhiteSpace(mailText("[PATCH] a", textOf(patch))));
      expect(codes(document)).toContain("whitespace-lost");
      const hunks = hunksOf(document);
      expect(hunks.length).toBe(patch.flat().length);
      patch.flat().forEach((sample, at) => (counts[outcome(document, hunks[at], sample)] += 1));
    }), { numRuns: 1400, seed: 20261120, endOnFailure: true });
    expect(counts.same + counts.reported + counts.silent).toBeGreaterThan(5000);
    expect(counts.silent).toBe(0);
    expect(counts.same / (counts.same + counts.reported)).toBeGreaterThan(0.995);
  });
});
