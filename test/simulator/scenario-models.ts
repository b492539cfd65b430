// SPDX-License-Identifier: GPL-2.0-only
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { review } from "../../server/review/review.ts";
import { optionsOf } from "../fixture-file.ts";

const FIXTURES = join(import.meta.dirname, "../fixtures/rules");
const EXAMPLES = join(import.meta.dirname, "../../docs/examples");

/** Reviews every fixture of every rule and the example series: whatever models the rules build are built. */
export const reviewAllFixtures = (): void => {
  const folders = [EXAMPLES, ...readdirSync(FIXTURES).toSorted().map((rule) => join(FIXTURES, rule))];
  for (const folder of folders) {
    for (const name of readdirSync(folder).toSorted()) {
      if (!/\.(c|patch)$/.test(name)) continue;
      const text = readFileSync(join(folder, name), "utf8");
      const isFile = name.endsWith(".c");
      review({ path: isFile ? `mm/${name}` : name, text, kind: isFile ? "c" : "patch" }, optionsOf(text));
    }
  }
};
