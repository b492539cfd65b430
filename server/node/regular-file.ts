// SPDX-License-Identifier: GPL-2.0-only
import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { errorCode, failureReason } from "./failure.ts";

/** The beginning of a file as text, or why it was not read; `isMissing`: there is none. */
export type ReadFile = { readonly text: string } | { readonly reason: string; readonly isMissing: boolean };

/** Reads a file that is to be small. A pipe would wait for whoever writes into it, and a device has no end: neither is read. */
export function readRegularFile(path: string, { maxBytes, followsLinks }: { readonly maxBytes: number; readonly followsLinks: boolean }): ReadFile {
  let file: number | null = null;
  try {
    // What was a file a moment ago may be a link by now.
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | (followsLinks ? 0 : constants.O_NOFOLLOW));
    const found = fstatSync(file);
    if (!found.isFile()) return { reason: "not used, because it is no file", isMissing: false };
    const bytes = Buffer.alloc(Math.min(found.size, maxBytes));
    let length = 0;
    for (let read = -1; read !== 0 && length < bytes.length; length += read) read = readSync(file, bytes, length, bytes.length - length, null);
    return { text: bytes.toString("utf8", 0, length) };
  } catch (error) {
    return { reason: failureReason(error), isMissing: errorCode(error) === "ENOENT" };
  } finally {
    if (file !== null) closeSync(file);
  }
}
