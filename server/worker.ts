// SPDX-License-Identifier: GPL-2.0-only
import { parentPort, workerData } from "node:worker_threads";
import { REVIEWS, reviewTaskRunner } from "./cli/review-service.ts";
import { scanTaskRunner, type ScanWorkerData } from "./cli/scan-task.ts";
import { serveTree, type TreeMessage, type TreeWorkerData } from "./cli/tree-service.ts";
import { serveTasks } from "./node/serve-tasks.ts";
import { workspaceTree } from "./node/workspace-tree.ts";
import { review } from "./review/review.ts";

/**
 * Entry of a worker thread: reviews documents of an editor, or one file of a tree after the other, as it is told, or keeps a
 * tree for the editor.
 */
const data = workerData as ScanWorkerData | TreeWorkerData | typeof REVIEWS;

if (parentPort) {
  const port = parentPort;
  if (data === REVIEWS) serveTasks(port, reviewTaskRunner(review, workspaceTree));
  else if ("tree" in data) {
    const send = (message: TreeMessage): void => {
      // A port of a thread, not of a window: it has one reader.
      // oxlint-disable-next-line unicorn/require-post-message-target-origin
      port.postMessage(message);
    };
    serveTree(data, (take) => port.on("message", take), send, () => port.close());
  } else serveTasks(port, scanTaskRunner(data));
}
