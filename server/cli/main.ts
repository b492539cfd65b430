// SPDX-License-Identifier: GPL-2.0-only
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { ruleFolders } from "../node/rule-folders.ts";
import { ENGINE } from "./engine.ts";
import type { CliIo } from "./io.ts";
import { EXIT } from "./io.ts";
import { crashText } from "./lint.ts";
import { runCli } from "./run.ts";

/** An interrupt ends what runs in threads; a second one, or one of another command, ends the process at once. */
const interrupted = new AbortController();
if (["scan", "index"].includes(process.argv[2] ?? "")) process.once("SIGINT", () => interrupted.abort(new Error("interrupted")));

const here = fileURLToPath(import.meta.url);
const workerFile = join(dirname(here), "worker.cjs");

const io: CliIo = {
  workerFile: here.endsWith(".cjs") && existsSync(workerFile) ? workerFile : null,
  get build() {
    return createHash("sha256").update(readFileSync(here)).digest("hex");
  },
  signal: interrupted.signal,
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  isStdoutTerminal: process.stdout.isTTY,
  isStderrTerminal: process.stderr.isTTY,
  env: process.env,
  ruleFolders: ruleFolders(import.meta.url),
  now: () => performance.now(),
};

function crash(error: unknown): void {
  process.stderr.write(crashText(error, "", io));
  process.exit(EXIT.internal);
}

process.on("uncaughtException", crash);
process.on("unhandledRejection", crash);
// A reader of stderr that went away takes nothing from the result.
process.stderr.on("error", () => undefined);

// `exit`, not `exitCode`: an open standard input would keep the process alive.
void runCli(process.argv.slice(2), io, ENGINE).then((status) => process.exit(status));
