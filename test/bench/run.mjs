// SPDX-License-Identifier: GPL-2.0-only
// Ratios and peaks, all measured in one run, alternating: absolute times depend on the machine and mean little.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildSync } from "esbuild";

const ROOT = join(import.meta.dirname, "../..");
const CLI = join(ROOT, "dist/cli.cjs");
const PEAK = join(import.meta.dirname, "peak-memory.cjs");
const EXAMPLES = join(ROOT, "docs/examples");
const SHARED = join(ROOT, "../shared/patches");
const ROUNDS = 15;

const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];

function time(args) {
  const begin = process.hrtime.bigint();
  const { status, stderr } = spawnSync(process.execPath, args, { encoding: "utf8", maxBuffer: 1 << 28 });
  if (status === null || status > 1) throw new Error(`status ${status}: ${args.join(" ")}\n${stderr}`);
  return { ms: Number(process.hrtime.bigint() - begin) / 1e6, peak: Number(/peak-rss-kib (\d+)/.exec(stderr)?.[1] ?? 0) / 1024 };
}

/** Median times of several commands, run in turn so that noise hits all alike. */
function alternate(commands) {
  const times = commands.map(() => []);
  for (let round = 0; round < ROUNDS; round++) commands.forEach((args, index) => times[index].push(time(args).ms));
  return times.map(median);
}

function startUp() {
  const patch = join(EXAMPLES, readdirSync(EXAMPLES).find((name) => name.startsWith("0001")));
  const clean = join(EXAMPLES, readdirSync(EXAMPLES).find((name) => name.startsWith("0004")));
  const [bare, one, without, nothing] = alternate([["-e", "0"], [CLI, "lint", patch], [CLI, "lint", "--no-simulate", patch], [CLI, "lint", clean]]);
  console.log(`one patch with a proved finding   ${(one / bare).toFixed(2)} x a bare node start`);
  console.log(`the same without the simulator    ${(without / bare).toFixed(2)} x`);
  console.log(`a clean patch                     ${(nothing / bare).toFixed(2)} x`);
}

/** Prints one line; a value above its limit makes the run fail. */
function report(label, value, limit, unit) {
  console.log(`${label.padEnd(34)}${value.toFixed(2)} ${unit} (limit ${limit})`);
  if (value > limit) process.exitCode = 1;
}

const patchesAt = (folder) => readdirSync(folder).filter((name) => name.endsWith(".patch")).map((name) => join(folder, name));

/** The patch of median length. */
function typicalPatch() {
  const files = patchesAt(existsSync(SHARED) ? SHARED : EXAMPLES).map((file) => ({ file, size: readFileSync(file).length }));
  return files.toSorted((a, b) => a.size - b.size)[files.length >> 1].file;
}

/** One mail with a diff of at least `bytes`. */
function largePatch(folder, bytes) {
  const diffs = patchesAt(existsSync(SHARED) ? SHARED : EXAMPLES).map((file) => {
    const text = readFileSync(file, "utf8");
    const from = text.search(/^diff --git /m);
    return from < 0 ? "" : text.slice(from).replace(/^-- \n[^]*$/m, "");
  });
  const parts = ["From: Example Developer <dev@example.org>\nSubject: [PATCH] large\n\nText.\n---\n"];
  for (let size = 0; size < bytes; size += diffs.join("").length) parts.push(...diffs);
  const file = join(folder, "large.patch");
  writeFileSync(file, parts.join(""));
  return file;
}

/** The reader alone: its share of a short run, its speed, and its memory for one large mail and for many mails. */
function reader() {
  const folder = mkdtempSync(join(tmpdir(), "patchwalk-bench-"));
  try {
    const program = join(folder, "reader.mjs");
    buildSync({ entryPoints: [join(import.meta.dirname, "reader.ts")], bundle: true, platform: "node", format: "esm", outfile: program });
    const run = (...args) => JSON.parse(spawnSync(process.execPath, [program, ...args], { encoding: "utf8" }).stdout);
    const typical = typicalPatch();
    const bare = [];
    const cold = [];
    const warm = [];
    for (let round = 0; round < ROUNDS; round++) {
      bare.push(time(["-e", "0"]).ms);
      const measured = run("latency", typical);
      cold.push(measured.cold);
      warm.push(measured.warm);
    }
    report("reading a typical patch, first", median(cold) / median(bare), 0.2, "x a bare node start");
    report("the same, warm", median(warm) / median(bare), 0.2, "x");
    const large = run("throughput", largePatch(folder, 20e6));
    report(`one mail of ${(large.size / 1e6).toFixed(0)} MB, read only`, large.peakMiB, Math.round(150 + (10 * large.size) / 2 ** 20), "MiB at its peak");
    const { file } = mailbox(folder, 100e6);
    const many = run("throughput", file);
    report(`mbox of ${(many.size / 1e6).toFixed(0)} MB, read only`, many.peakMiB, Math.round(150 + (10 * many.largest) / 2 ** 20), "MiB at its peak");
    console.log(`${"its speed".padEnd(34)}${(many.size / 1e3 / many.ms).toFixed(1)} MB/s, ${many.mails} mails`);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** An mbox of at least `bytes` from the patches at hand. */
function mailbox(folder, bytes) {
  const source = existsSync(SHARED) ? SHARED : EXAMPLES;
  const mails = readdirSync(source).filter((name) => name.endsWith(".patch")).map((name) => {
    const text = readFileSync(join(source, name), "utf8");
    return `From dev@example.org Mon Sep 17 00:00:00 2001\n${text.startsWith("From ") ? text.slice(text.indexOf("\n") + 1) : text}\n\n`;
  });
  const parts = [];
  let size = 0;
  for (let index = 0; size < bytes; index++) {
    parts.push(mails[index % mails.length]);
    size += mails[index % mails.length].length;
  }
  const file = join(folder, "large.mbox");
  writeFileSync(file, parts.join(""));
  return { file, size, mails: parts.length };
}

function archive() {
  const folder = mkdtempSync(join(tmpdir(), "patchwalk-bench-"));
  try {
    const { file, size, mails } = mailbox(folder, 50e6);
    const { ms, peak } = time(["-r", PEAK, CLI, "lint", "--fail-on", "never", "--output", join(folder, "out"), file]);
    console.log(`mbox of ${(size / 1e6).toFixed(0)} MB, ${mails} mails       ${(size / 1e3 / ms).toFixed(1)} MB/s, peak ${peak.toFixed(0)} MiB (limit 400)`);
    if (peak > 400) process.exitCode = 1;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

startUp();
reader();
archive();
await import("./simulator.mjs");
await import("./evidence.mjs");
await import("./tree.mjs");
await import("./spin.mjs");
