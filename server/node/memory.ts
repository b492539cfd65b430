// SPDX-License-Identifier: GPL-2.0-only
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** Buffers that may pile up between two tasks of a batch. */
const MOST_BUFFERS = 24 * 1024 * 1024;
const MOST_HEAP = 96 * 1024 * 1024;

let collect: (() => void) | undefined;

/** Frees what a task left behind where that is much: V8 is slow to see how large the buffers of an exploration are. */
export function collectAfterTask(): void {
  const { arrayBuffers, heapUsed } = process.memoryUsage();
  if (arrayBuffers < MOST_BUFFERS && heapUsed < MOST_HEAP) return;
  collect ??= exposedCollector();
  collect();
}

function exposedCollector(): () => void {
  setFlagsFromString("--expose-gc");
  const exposed: unknown = runInNewContext("globalThis.gc");
  return typeof exposed === "function" ? (exposed as () => void) : () => undefined;
}
