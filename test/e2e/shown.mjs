// SPDX-License-Identifier: GPL-2.0-only
// Prints what the pictures in docs/images show: messages and steps of the documents they were taken of.
// --check: says whether the pictures still show what users see (status 1 where they do not).
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";

const ROOT = join(import.meta.dirname, "../..");
const SHOWN = ["test/e2e/workspace/faulty.patch", "test/e2e/workspace/review.txt", "docs/examples/0002-mm-toy-count-huge-pages.patch"];

const { stdout } = spawnSync(process.execPath, [join(ROOT, "dist/cli.cjs"), "lint", "--format", "json", ...SHOWN], { cwd: ROOT, encoding: "utf8" });
const shown = JSON.parse(stdout).inputs.map(({ path, findings }) => ({
  path,
  findings: findings.map(({ message, evidence }) => ({ message, steps: evidence?.schedule.map(({ step }) => step) ?? [] })),
}));
const text = `${JSON.stringify(shown, null, 1)}\n`;
if (process.argv[2] !== "--check") process.stdout.write(text);
else if (readFileSync(join(ROOT, "docs/images/shown.json"), "utf8") === text) console.log("pictures: up to date");
else {
  console.log("pictures: stale; take them again with UPDATE_IMAGES=1 npm run test:e2e");
  process.exitCode = 1;
}
