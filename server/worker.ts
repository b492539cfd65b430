// SPDX-License-Identifier: GPL-2.0-only
import { parentPort, workerData } from "node:worker_threads";
import { scanTaskRunner, type ScanWorkerData } from "./cli/scan-task.ts";
import { serveTree, type TreeWorkerData } from "./cli/tree-service.ts";
import { SIMULATES } from "./node/simulator-thread.ts";
import { simulate, type Simulation } from "./simulator/simulation.ts";

/** Entry of a worker thread: simulates, or reviews one file of a tree after the other, as it is told, or keeps a tree for the editor. */
const data = workerData as ScanWorkerData | TreeWorkerData | typeof SIMULATES;

const answer = (message: unknown): void => {
  // A port of a thread, not of a window: it has one reader.
  // oxlint-disable-next-line unicorn/require-post-message-target-origin
  parentPort?.postMessage(message);
};

if (data !== SIMULATES && "tree" in data) serveTree(data, (take) => parentPort?.on("message", take), answer, () => parentPort?.close());
else {
  const run: (what: never) => unknown = data === SIMULATES ? (what: Simulation) => simulate(what) : scanTaskRunner(data);
  parentPort?.on("message", ({ task, what }: { task: number; what: never }) => {
    try {
      answer({ task, result: run(what) });
    } catch (error) {
      answer({ task, error: error instanceof Error ? error.message : String(error) });
    }
  });
}
