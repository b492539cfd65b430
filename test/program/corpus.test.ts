// SPDX-License-Identifier: GPL-2.0-only
import { setImmediate } from "node:timers/promises";
import { expect, test } from "vitest";
import { lowerFile } from "../../server/analysis/tree-lower.ts";
import { parseRelease, type Release } from "../../server/kernel/release.ts";
import { lowerFunction } from "../../server/program/lower.ts";
import { outlineOf } from "../../server/program/outline.ts";
import { readPart, readSource } from "../../server/program/read-code.ts";
import { imageOfFile } from "../../server/source/image.ts";
import { filesOfMm, hasTree, treeRelease } from "../kernel-tree.ts";
import { lostCalls } from "./lost-calls.ts";

/** The share of functions of mm/ of which some construct is not lowered. Measured: 1 of 6,176 in 6.1.192, 2 of 6,809 in 6.12.117. */
const highestRate = 0.001;

/** Calls of mm/ that the program does not have and should. Measured: none of 37,274 in 6.1.192, none of 41,053 in 6.12.117. */
const highestLoss = 0;

function release(): Release {
  const parsed = parseRelease(treeRelease);
  if (!parsed) throw new Error(`no release: ${treeRelease}`);
  return parsed;
}

test.skipIf(!hasTree)(
  "functions of mm/ are lowered whole, and no call gets lost (needs PATCHWALK_KERNEL_TREE)",
  async () => {
    const target = release();
    let count = 0;
    const partial: string[] = [];
    const lost: string[] = [];
    for (const { path, text } of filesOfMm()) {
      const image = imageOfFile(path, text);
      for (const code of readSource(text).functions) {
        count++;
        // Nothing is put in the place of its call, so that every call must be there.
        const program = lowerFunction(image, code, target, new Map());
        const reasons = program.assumptions.filter((one) => one.kind === "not-lowered");
        if (reasons.length > 0) partial.push(`${path} ${code.name}: ${reasons.map((one) => one.text).join("; ")}`);
        lost.push(...lostCalls(text, code, program, target).map((call) => `${path} ${code.name}: ${call}`));
      }
      await setImmediate();
    }
    expect(count).toBeGreaterThan(1000);
    expect(partial.length / count, partial.join("\n")).toBeLessThanOrEqual(highestRate);
    expect(lost.length, lost.join("\n")).toBeLessThanOrEqual(highestLoss);
  },
  300_000,
);

test.skipIf(!hasTree)(
  "a function that is read on its own out of its file is the same (needs PATCHWALK_KERNEL_TREE)",
  async () => {
    const target = release();
    const other: string[] = [];
    for (const { path, text } of filesOfMm()) {
      const outline = outlineOf(text);
      const parts = new Map(outline.functions.flatMap((fn) => readPart(text, fn)).map((code) => [`${code.name} ${code.start}`, code]));
      for (const code of readSource(text).functions) if (JSON.stringify(parts.get(`${code.name} ${code.start}`)) !== JSON.stringify(code)) other.push(`${path} ${code.name}`);
      const programs = lowerFile(imageOfFile(path, text), outline, target).programsOf(outline.functions);
      expect(programs.map((one) => one.name)).toEqual(outline.functions.map((one) => one.name));
      await setImmediate();
    }
    expect(other).toEqual([]);
  },
  300_000,
);
