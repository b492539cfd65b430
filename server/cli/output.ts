// SPDX-License-Identifier: GPL-2.0-only
import { createWriteStream, type WriteStream } from "node:fs";
import { once } from "node:events";
import { failureReason } from "../node/failure.ts";

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
