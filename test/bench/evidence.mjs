// SPDX-License-Identifier: GPL-2.0-only
// What the evidence of one finding costs: lifting, verdict, fix and readable schedule, in a process that is warm.
import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";

const ROOT = join(import.meta.dirname, "../..");
/** Beside the native packages that the build copies. */
const FOLDER = join(ROOT, "dist", `bench-${process.pid}`);
const MEDIAN_MS = 10;
const P95_MS = 100;

mkdirSync(FOLDER, { recursive: true });
try {
  const outfile = join(FOLDER, "evidence.mjs");
  await build({ entryPoints: [join(import.meta.dirname, "evidence.ts")], outfile, bundle: true, platform: "node", format: "esm", external: ["tree-sitter", "tree-sitter-c"], logLevel: "error" });
  const { status, stdout, stderr } = spawnSync(process.execPath, [outfile, join(ROOT, "test/fixtures/rules")], { encoding: "utf8" });
  if (status !== 0) throw new Error(stderr);
  const findings = JSON.parse(stdout).toSorted((a, b) => a.ms - b.ms);
  const at = (part) => findings[Math.min(findings.length - 1, Math.floor(part * findings.length))];
  const line = (label, { ms, name }, limit) =>
    console.log(`${label.padEnd(44)}${ms.toFixed(2)} ms${limit === null ? "" : ` (limit ${limit})`}, ${name}${limit !== null && ms > limit ? "  TOO MUCH" : ""}`);
  console.log(`evidence of ${findings.length} findings of the fixtures, warm, nothing remembered`);
  line("  median", at(0.5), MEDIAN_MS);
  line("  p95", at(0.95), P95_MS);
  line("  slowest", at(1), null);
  if (at(0.5).ms > MEDIAN_MS || at(0.95).ms > P95_MS) process.exitCode = 1;
} finally {
  rmSync(FOLDER, { recursive: true });
}
