// SPDX-License-Identifier: GPL-2.0-only
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** Buffers that may pile up between two steps of a batch. */
const MOST_BUFFERS = 24 * 1024 * 1024;
const MOST_HEAP = 80 * 1024 * 1024;
/** By how much the heap may outgrow what the last collection left: less costs time for nothing. */
const GROWTH = 1.2;
/** Where the process, with all of its threads, holds this much already, time is the cheaper of the two. */
const MUCH = 380 * 1024 * 1024;
const GROWTH_OF_MUCH = 1.06;

let collect: (() => void) | undefined;
/** What the last collection left, in bytes. */
let live = 0;

/** Frees what the steps of a batch left behind where that is much: V8 waits longer, and is slow to see how large the buffers of an exploration are. */
export function collectBetweenSteps(): void {
  const { arrayBuffers, heapUsed, rss } = process.memoryUsage();
  if (arrayBuffers < MOST_BUFFERS && heapUsed < Math.max(MOST_HEAP, live * (rss < MUCH ? GROWTH : GROWTH_OF_MUCH))) return;
  collect ??= exposedCollector();
  collect();
  live = process.memoryUsage().heapUsed;
}

function exposedCollector(): () => void {
  setFlagsFromString("--expose-gc");
  const exposed: unknown = runInNewContext("globalThis.gc");
  return typeof exposed === "function" ? (exposed as () => void) : () => undefined;
}
