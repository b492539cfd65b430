// SPDX-License-Identifier: GPL-2.0-only
import { createReadStream, readFileSync } from "node:fs";
import { messagesOf } from "../../server/mail/mbox-stream.ts";
import { readPatches } from "../../server/patch/read.ts";

// One process for one measurement of the reader alone; the result is one line of JSON.

const WARM_ROUNDS = 200;

const timed = (work: () => unknown): number => {
  const begin = performance.now();
  work();
  return performance.now() - begin;
};

/** Reads a mailbox mail by mail. */
async function throughput(file: string): Promise<Record<string, number>> {
  const begin = performance.now();
  let [mails, patches, largest, size] = [0, 0, 0, 0];
  for await (const { text, firstLine } of messagesOf(createReadStream(file))) {
    mails += 1;
    size += text.length;
    largest = Math.max(largest, text.length);
    patches += readPatches(text, { firstLine }).patches.length;
  }
  return { ms: performance.now() - begin, mails, patches, largest, size, peakMiB: process.resourceUsage().maxRSS / 1024 };
}

/** Reads one patch for the first time in a process, and then when the compiler has seen it often. */
function latency(file: string): Record<string, number> {
  const text = readFileSync(file, "utf8");
  const cold = timed(() => readPatches(text));
  const warm = Array.from({ length: WARM_ROUNDS }, () => timed(() => readPatches(text))).toSorted((a, b) => a - b);
  return { cold, warm: warm[WARM_ROUNDS >> 1] ?? 0, size: text.length };
}

const [mode, file = ""] = process.argv.slice(2);
const result = mode === "latency" ? latency(file) : await throughput(file);
process.stdout.write(`${JSON.stringify(result)}\n`);
