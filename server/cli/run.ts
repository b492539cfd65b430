// SPDX-License-Identifier: GPL-2.0-only
import { commitsIn } from "../node/commits.ts";
import { rulePage } from "../node/rule-folders.ts";
import { workspaceConfiguration } from "../node/workspace-configuration.ts";
import { workspaceTree } from "../node/workspace-tree.ts";
import { visibleLine } from "../report/visible.ts";
import { RULESET, VERSION } from "../report/version.ts";
import { heldInDocument } from "../review/held.ts";
import type { RuleMeta } from "../rules/meta.ts";
import type { Engine } from "./engine.ts";
import { explain } from "./explain.ts";
import { EXIT, openSink } from "./io.ts";
import type { CliIo } from "./io.ts";
import { indexTree } from "./index-tree.ts";
import { crashText, lint } from "./lint.ts";
import { listRules } from "./rules.ts";
import { scan } from "./scan.ts";
import { simulate } from "./simulate.ts";
import { USAGE } from "./usage.ts";

/** Commands of the contract that this version does not have. */
const LATER = ["reply", "fetch", "hook", "mcp", "report-false"];

async function print(io: CliIo, text: string): Promise<number> {
  await openSink(io.stdout).write(text);
  return EXIT.clean;
}

function usageError(io: CliIo, reason: string): number {
  io.stderr.write(`patchwalk: ${visibleLine(reason)}; see patchwalk --help\n`);
  return EXIT.unusable;
}

/** The language server owns the process from here on; it ends with its client. */
async function serve(io: CliIo, engine: Engine): Promise<number> {
  const { startProcessServer } = await import("../lsp/process-server.ts");
  const { reviewThreads } = await import("./review-threads.ts");
  const { workspaceTrees } = await import("./workspace-trees.ts");
  const ruleOf = (id: string): RuleMeta | null => engine.rules().find((rule) => rule.id === id) ?? null;
  startProcessServer({
    review: engine.review,
    ...(io.workerFile ? { reviewer: reviewThreads(io.workerFile) } : {}),
    held: heldInDocument,
    ruleOf,
    commits: commitsIn,
    tree: workspaceTree,
    configuration: workspaceConfiguration,
    trees: workspaceTrees({ env: io.env, workerFile: io.workerFile ?? null }),
    ruleUrl: (id) => (ruleOf(id) === null ? null : rulePage(id, io.ruleFolders)),
  });
  return new Promise(() => undefined);
}

async function dispatch(argv: readonly string[], io: CliIo, engine: Engine): Promise<number> {
  const [command, ...rest] = argv;
  if (argv.includes("--help") || argv.includes("-h") || command === "help") return print(io, USAGE);
  switch (command) {
    case undefined: return usageError(io, "no command");
    case "--version": return print(io, `patchwalk ${VERSION} (rules ${RULESET})\n`);
    case "lint": return lint(rest, io, engine);
    case "scan": return scan(rest, io, engine);
    case "index": return indexTree(rest, io);
    case "rules": return listRules(rest, io, engine);
    case "explain": return explain(rest, io, engine);
    case "simulate": return simulate(rest, io, engine);
    case "lsp": return rest.includes("--stdio") ? serve(io, engine) : usageError(io, "lsp takes --stdio");
    default:
      return usageError(io, LATER.includes(command)
        ? `command ${command} is not available in this version`
        : `no command is called '${command}'`);
  }
}

/** Runs one command line, without program name, and gives its exit status. Never rejects. */
export async function runCli(argv: readonly string[], io: CliIo, engine: Engine): Promise<number> {
  try {
    return await dispatch(argv, io, engine);
  } catch (error) {
    if (io.signal?.aborted) {
      io.stderr.write("patchwalk: interrupted\n");
      return EXIT.interrupted;
    }
    io.stderr.write(crashText(error, "", io));
    return EXIT.internal;
  }
}
