// SPDX-License-Identifier: GPL-2.0-only
import { mkdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { afterAll, beforeAll } from "vitest";

const ROOT = join(dirname(fileURLToPath(import.meta.url)), "../..");

/** The path of a worker thread's program, which is built before the tests of a file and removed after them. */
export function builtWorker(entry: string): string {
  // Inside of the checkout, so that the thread finds the parser.
  const folder = join(ROOT, "node_modules", `.patchwalk-worker-test-${process.pid}-${entry.replace(/\W/g, "-")}`);
  const outfile = join(folder, "worker.cjs");
  beforeAll(async () => {
    mkdirSync(folder, { recursive: true });
    await build({
      absWorkingDir: ROOT, entryPoints: [entry], outfile, bundle: true, platform: "node", target: "node20", format: "cjs",
      external: ["tree-sitter", "tree-sitter-c"], define: { "import.meta.url": "importMetaUrl" }, logLevel: "silent",
      banner: { js: `const importMetaUrl = require("node:url").pathToFileURL(__filename).href;` },
    });
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return outfile;
}
