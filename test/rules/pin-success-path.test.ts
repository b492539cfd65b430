// SPDX-License-Identifier: GPL-2.0-only
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { DEFAULT_OPTIONS } from "../../server/review/options.ts";
import { review } from "../../server/review/review.ts";

const FOLDERS = [
  "../../docs/examples/0003-misc-toy-pin-the-source-of-a-job.patch",
  "../fixtures/rules/gup-readonly-longterm/partial-pin-undone-by-helper.c",
];

test.each(FOLDERS)("%s: the schedule takes the path on which the function succeeds", (name) => {
  const text = readFileSync(join(import.meta.dirname, name), "utf8");
  const [found] = review({ path: name, text, kind: name.endsWith(".c") ? "c" : "patch" }, { ...DEFAULT_OPTIONS, release: "5.15" }).flatMap((one) => one.findings);
  expect(found?.tier).toBe("proved");
  const steps = (found?.evidence?.schedule ?? []).map((row) => row.step).join("\n");
  expect(steps).toContain("returns with the page pinned");
  expect(steps).not.toContain("not all pages");
  expect(steps).not.toContain("unpin(");
});
