// SPDX-License-Identifier: GPL-2.0-only
import { parentPort, workerData } from "node:worker_threads";
import { scanTaskRunner, type ScanWorkerData } from "./cli/scan-task.ts";

/** Entry of a worker thread: reviews one file of a tree after the other, as it is told. */
const run = scanTaskRunner(workerData as ScanWorkerData);

parentPort?.on("message", ({ task, what }: { task: number; what: string }) => {
  try {
    parentPort?.postMessage({ task, result: run(what) });
  } catch (error) {
    parentPort?.postMessage({ task, error: error instanceof Error ? error.message : String(error) });
  }
});
