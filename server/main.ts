// SPDX-License-Identifier: GPL-2.0-only
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { isMainThread } from "node:worker_threads";
import { reviewThreads } from "./cli/review-threads.ts";
import { workspaceTrees } from "./cli/workspace-trees.ts";
import { startProcessServer } from "./lsp/process-server.ts";
import { commitsIn } from "./node/commits.ts";
import { rulePage, ruleFolders } from "./node/rule-folders.ts";
import { workspaceConfiguration } from "./node/workspace-configuration.ts";
import { workspaceTree } from "./node/workspace-tree.ts";
import { ruleById } from "./review/catalogue.ts";
import { heldInDocument } from "./review/held.ts";
import { review } from "./review/review.ts";

const here = fileURLToPath(import.meta.url);
const built = join(dirname(here), "worker.cjs");
const workerFile = here.endsWith(".cjs") && existsSync(built) ? built : null;
const folders = ruleFolders(import.meta.url);

/** Threads of the built server load this file, too: the engine is shipped once. */
if (isMainThread) serve();
else void import("./worker.ts");

function serve(): void {
  startProcessServer({
    review,
    ...(workerFile === null ? {} : { reviewer: reviewThreads(workerFile) }),
    held: heldInDocument,
    ruleOf: ruleById,
    commits: commitsIn,
    tree: workspaceTree,
    configuration: workspaceConfiguration,
    trees: workspaceTrees({ env: process.env, workerFile }),
    ruleUrl: (ruleId) => (ruleById(ruleId) === null ? null : rulePage(ruleId, folders)),
  });
}
