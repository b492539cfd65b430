// SPDX-License-Identifier: GPL-2.0-only
import { setImmediate } from "node:timers/promises";
import { expect, test } from "vitest";
import { functionsOf } from "../../server/syntax/functions.ts";
import { parseC } from "../../server/syntax/parse.ts";
import { filesOfMm, hasTree } from "../kernel-tree.ts";

/**
 * The share of functions in mm/ with ERROR or MISSING nodes. Measured: 0 of 6,176 in Linux 6.1.192, 1 of 6,809 in
 * 6.12.117; without the overlay 19 %.
 */
const highestRate = 0.001;

test.skipIf(!hasTree)(
  "functions of mm/ are read without errors (needs PATCHWALK_KERNEL_TREE)",
  async () => {
    let count = 0;
    const broken: string[] = [];
    for (const { path, text } of filesOfMm()) {
      const functions = functionsOf(parseC(text));
      count += functions.length;
      for (const it of functions) if (it.hasError) broken.push(`${path}: ${it.name}`);
      // The binding frees native trees in a later turn only.
      await setImmediate();
    }
    expect(count).toBeGreaterThan(1000);
    expect(broken.length / count, broken.join("\n")).toBeLessThanOrEqual(highestRate);
  },
  300_000,
);
