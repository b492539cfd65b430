// SPDX-License-Identifier: GPL-2.0-only
// What the index of a tree and the analysis after an edit cost, as multiples of the bare parser in the same run.
// Needs a kernel tree: PATCHWALK_KERNEL_TREE=/path/to/linux npm run bench
import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";

const ROOT = join(import.meta.dirname, "../..");
const TREE = process.env.PATCHWALK_KERNEL_TREE ?? "";
const FOLDER = join(ROOT, "node_modules", `.patchwalk-bench-${process.pid}`);

function run(args) {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8", maxBuffer: 1 << 28 });
  if (status === null || status > 1) throw new Error(`${stderr}`);
  return { stdout, stderr };
}

function report(words, value, limit, unit) {
  console.log(`${words.padEnd(44)}${value.toFixed(2)} ${unit} (limit ${limit})${value > limit ? "  TOO MUCH" : ""}`);
  if (value > limit) process.exitCode = 1;
}

if (TREE === "") console.log("trees: skipped, PATCHWALK_KERNEL_TREE names no kernel tree");
else {
  mkdirSync(FOLDER, { recursive: true });
  try {
    const outfile = join(FOLDER, "tree.mjs");
    await build({ entryPoints: [join(import.meta.dirname, "tree.ts")], outfile, bundle: true, platform: "node", format: "esm", external: ["tree-sitter", "tree-sitter-c"], logLevel: "error" });
    const { bare, cold, warm, full, p50, p95, most, new95, proved50, proved95 } = JSON.parse(run([outfile, TREE]).stdout);
    report("cold index of mm/", cold / bare, 3, "x parsing it");
    report("warm index of mm/", warm / bare, 0.8, "x parsing it");
    report("edit in hugetlb.c to result, median", p50 / full, 3, "x parsing it");
    report("edit in hugetlb.c to result, p95", p95 / full, 3, "x parsing it");
    report("the slowest edit", most / full, 10, "x parsing it");
    console.log(`${"p95 of edits that were not taken back".padEnd(44)}${(new95 / full).toFixed(2)} x parsing it`);
    console.log(`${"to findings with their proofs".padEnd(44)}median ${(proved50 / full).toFixed(2)}, p95 ${(proved95 / full).toFixed(2)} x parsing it`);
    const scan = run(["-r", join(import.meta.dirname, "peak-memory.cjs"), join(ROOT, "dist/cli.cjs"), "scan", TREE, "mm", "--no-cache", "--fail-on", "never", "--output", join(FOLDER, "report")]);
    report("peak memory of a scan of mm/", Number(/peak-rss-kib (\d+)/.exec(scan.stderr)[1]) / 1024, 600, "MiB");
  } finally {
    rmSync(FOLDER, { recursive: true });
  }
}
