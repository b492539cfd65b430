// SPDX-License-Identifier: GPL-2.0-only
import { expect } from "vitest";
import type { Hunk, PatchDocument, PatchLine } from "../../server/patch/model.ts";
import { lineIndex } from "../../server/text/line-index.ts";
import { standsWhereItSays } from "./place-check.ts";

export const hunksOf = (document: PatchDocument): readonly Hunk[] =>
  document.patches.flatMap((patch) => patch.files.flatMap((file) => file.hunks));

export const linesOf = (document: PatchDocument): readonly PatchLine[] => hunksOf(document).flatMap((hunk) => hunk.lines);

export const codes = (document: PatchDocument): readonly string[] => document.problems.map((problem) => problem.code);

/** Every line of the result stands where it says; a count keeps the assertions few for large documents. */
export const expectExactPositions = (document: PatchDocument, firstLine = 1): void => {
  const index = lineIndex(document.text);
  const lineOf = (offset: number): number => index.lineOf(offset) + firstLine - 1;
  const wrong = linesOf(document).filter((line) => !standsWhereItSays(document.text, line, lineOf));
  expect(wrong).toEqual([]);
};

/** One line of a hunk as `marker text @new/old`, for short expectations. */
export const brief = (line: PatchLine): string =>
  `${{ context: " ", added: "+", deleted: "-" }[line.kind]}${line.text} @${line.newLine ?? "."}/${line.oldLine ?? "."}`;
