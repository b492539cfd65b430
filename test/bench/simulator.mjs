// SPDX-License-Identifier: GPL-2.0-only
// What exploring costs: states per second, how much reductions leave out, and how soon an answer is there.
import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";

const ROOT = join(import.meta.dirname, "../..");
/** Beside the native packages that the build copies. */
const FOLDER = join(ROOT, "dist", `bench-${process.pid}`);

async function measure() {
  mkdirSync(FOLDER, { recursive: true });
  try {
    const outfile = join(FOLDER, "simulator.mjs");
    const entry = join(import.meta.dirname, "simulator.ts");
    await build({ entryPoints: [entry], outfile, bundle: true, platform: "node", format: "esm", external: ["tree-sitter", "tree-sitter-c"], logLevel: "error" });
    const { status, stdout, stderr } = spawnSync(process.execPath, [outfile, join(ROOT, "test/fixtures/rules")], { encoding: "utf8" });
    if (status !== 0) throw new Error(stderr);
    return JSON.parse(stdout);
  } finally {
    rmSync(FOLDER, { recursive: true });
  }
}

/** Prints one line; a value above its limit makes the run fail. */
function report(label, value, limit, unit) {
  console.log(`${label.padEnd(44)}${value.toFixed(2)} ${unit} (limit ${limit})${value > limit ? "  TOO MUCH" : ""}`);
  if (value > limit) process.exitCode = 1;
}

const { first, readable, proof, crowdedReadable, counted, rates, cancel, shown } = await measure();
report("first violation of a walk, 3 threads, warm", first, 1, "ms");
console.log(`${"its readable counterexample".padEnd(44)}${(readable / first).toFixed(1)} x that`);
report("proof of the fixed walk, 7 threads, warm", proof, 25, "ms");
report("counterexample of the walk, 7 threads, warm", crowdedReadable, 25, "ms");
report("exact counts of 32038 states", counted, 250, "ms");
report("from a raised flag to the answer, median", cancel, 1, "ms");
for (const { model, states, statesPerSecond, transitionsPerSecond, reducedStates, speedup } of rates) {
  const speed = `${(statesPerSecond / 1e6).toFixed(2)} M states/s, ${(transitionsPerSecond / 1e6).toFixed(1)} M transitions/s`;
  console.log(`${`${model}, ${states} states`.padEnd(44)}${speed}; reduced ${reducedStates}: ${(states / reducedStates).toFixed(0)} x fewer, ${speedup.toFixed(0)} x faster`);
}
const crowded = rates.find(({ states }) => states === 2163334);
if (!crowded || crowded.states / crowded.reducedStates < 100) {
  console.log("reductions leave too much of the walk with 7 threads");
  process.exitCode = 1;
}
const FEW = 6;
const most = Math.max(...shown.map(({ switches }) => switches));
const distribution = Array.from({ length: most + 1 }, (_, count) => `${count}: ${shown.filter(({ switches }) => switches === count).length}`);
console.log(`${"context switches of counterexamples".padEnd(44)}${distribution.join(", ")}`);
const many = shown.filter(({ switches }) => switches > FEW);
for (const { name, switches } of many) console.log(`  ${switches} in ${name}`);
report(`of these, more than ${FEW} switches`, (100 * many.length) / shown.length, 5, "%");
