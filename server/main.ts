// SPDX-License-Identifier: GPL-2.0-only
import { startProcessServer } from "./lsp/process-server.ts";
import { commitsIn } from "./node/commits.ts";
import { rulePage, ruleFolders } from "./node/rule-folders.ts";
import { workspaceTree } from "./node/workspace-tree.ts";
import { ruleById } from "./review/catalogue.ts";
import { heldInDocument } from "./review/held.ts";
import { review } from "./review/review.ts";

const folders = ruleFolders(import.meta.url);

startProcessServer({
  review,
  held: heldInDocument,
  ruleOf: ruleById,
  commits: commitsIn,
  tree: workspaceTree,
  ruleUrl: (ruleId) => (ruleById(ruleId) === null ? null : rulePage(ruleId, folders)),
});
