// SPDX-License-Identifier: GPL-2.0-only
import { createWriteStream, type WriteStream } from "node:fs";
import { once } from "node:events";
import type { Writable } from "node:stream";
import { failureReason } from "../node/failure.ts";
import { COLORED, PLAIN } from "../report/paint.ts";
import type { ReportArguments } from "./arguments.ts";
import type { CliIo } from "./io.ts";
import { writerOf, type Writer } from "./writer.ts";

/** Opens the file of `--output`; the reason is for the user. */
export async function openOutput(path: string): Promise<{ readonly stream: WriteStream } | { readonly reason: string }> {
  const stream = createWriteStream(path);
  try {
    await once(stream, "open");
    return { stream };
  } catch (error) {
    return { reason: failureReason(error) };
  }
}

/** The writer that the options ask for; `output` is null for the standard output. */
export function reportWriter(args: ReportArguments, io: CliIo, output: Writable | null): Writer {
  const isColored = args.color === "always" || (args.color === "auto" && output === null && io.isStdoutTerminal && !io.env.NO_COLOR);
  return writerOf(args.format, { paint: isColored ? COLORED : PLAIN, quiet: args.quiet, summary: args.summary, showsSuppressed: args.showSuppressed });
}
