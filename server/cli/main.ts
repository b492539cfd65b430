// SPDX-License-Identifier: GPL-2.0-only
import { ruleFolders } from "../node/rule-folders.ts";
import { ENGINE } from "./engine.ts";
import type { CliIo } from "./io.ts";
import { EXIT } from "./io.ts";
import { crashText } from "./lint.ts";
import { runCli } from "./run.ts";

const io: CliIo = {
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
