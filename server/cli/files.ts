// SPDX-License-Identifier: GPL-2.0-only
import { stat } from "node:fs/promises";
import { fileChunks } from "../node/chunks.ts";
import { failureReason } from "../node/failure.ts";
import { lintableFiles } from "../node/listing.ts";
import type { CliIo } from "./io.ts";

/** One file to lint, or why there is nothing to lint under that name. */
export type InputFile =
  | { readonly path: string; readonly kind: "patch" | "c"; readonly chunks: () => AsyncIterable<Uint8Array> }
  | { readonly path: string; readonly kind: "unreadable"; readonly reason: string };

const kindOf = (path: string): "patch" | "c" => (/\.[ch]$/.test(path) ? "c" : "patch");

const fileOf = (path: string): InputFile => ({ path, kind: kindOf(path), chunks: () => fileChunks(path) });

/** The files that the arguments of a command mean, in their order; `-` and no argument at all mean stdin. */
export async function* inputFiles(names: readonly string[], io: CliIo): AsyncGenerator<InputFile> {
  for (const name of names.length === 0 ? ["-"] : names) {
    if (name === "-") {
      yield { path: "-", kind: "patch", chunks: () => io.stdin };
      continue;
    }
    try {
      if (!(await stat(name)).isDirectory()) {
        yield fileOf(name);
        continue;
      }
      const found = await lintableFiles(name);
      if (found.length === 0) {
        yield { path: name, kind: "unreadable", reason: "no patch, mail or C file in this directory" };
      }
      for (const path of found) yield fileOf(path);
    } catch (error) {
      yield { path: name, kind: "unreadable", reason: failureReason(error) };
    }
  }
}
