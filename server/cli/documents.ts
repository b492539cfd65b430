// SPDX-License-Identifier: GPL-2.0-only
import { errorCode, failureReason } from "../node/failure.ts";
import { peek, wholeOf } from "../node/chunks.ts";
import type { Problem } from "../text/problem.ts";
import type { Engine } from "./engine.ts";

/** One text to review, or why there is none. Lines of the text count from `firstLine` of its file. */
export type Document =
  | {
    readonly kind: "patch" | "c";
    readonly text: string;
    readonly firstLine: number;
    /** What went wrong while the bytes became text; lines of the file. */
    readonly problems: readonly Problem[];
  }
  | { readonly kind: "unreadable"; readonly reason: string };

/** Bytes that decide whether a file is text. */
const HEAD_BYTES = 8 * 1024;

/** Larger files are generated: the largest of mm/ that people write has 0.3 MB. Time and memory are bounded by this. */
const MAX_C_BYTES = 2 * 1024 * 1024;

const startsWith = (head: Uint8Array, ...bytes: number[]): boolean => bytes.every((byte, at) => head[at] === byte);

/** Why a file is no text, from its first bytes; null where it may be text. */
export function refusal(head: Uint8Array): string | null {
  if (head.length === 0) return "empty file";
  if (startsWith(head, 0x1f, 0x8b) || startsWith(head, 0xfd, 0x37, 0x7a) || startsWith(head, 0x28, 0xb5, 0x2f, 0xfd)) {
    return "compressed file: unpack it first";
  }
  if (startsWith(head, 0xff, 0xfe) || startsWith(head, 0xfe, 0xff)) return "UTF-16 text: save it as UTF-8";
  if (startsWith(head, 0xff, 0xd8, 0xff) || head.includes(0)) return "binary file";
  if (!head.includes(0x0a) && head.filter((byte) => byte === 0x0d).length > 3) return "carriage returns end its lines: convert them";
  const controls = head.filter((byte) => byte < 0x20 && !(byte >= 0x07 && byte <= 0x0d) && byte !== 0x1b).length;
  return controls * 20 > head.length ? "binary file" : null;
}

const unreadable = (reason: string): Document => ({ kind: "unreadable", reason });

/** The texts of one file: the mails of a mailbox one after the other, any other file as a whole. */
export async function* documentsOf(
  chunks: AsyncIterable<Uint8Array>,
  kind: "patch" | "c",
  engine: Engine,
): AsyncGenerator<Document> {
  try {
    const { head, all } = await peek(chunks, HEAD_BYTES);
    const reason = refusal(head);
    if (reason !== null) {
      yield unreadable(reason);
      return;
    }
    yield* kind === "c" ? cFile(all) : mails(all, engine);
  } catch (error) {
    // Errors of the system carry a code; anything else is a bug and not the file's fault.
    if (errorCode(error) === "") throw error;
    yield unreadable(failureReason(error));
  }
}

function decoded(bytes: Uint8Array): { readonly text: string; readonly problems: readonly Problem[] } {
  try {
    return { text: new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes), problems: [] };
  } catch {
    const problem = { code: "not-utf8", message: "a file that is not UTF-8 was read as latin1", line: null };
    return { text: Buffer.from(bytes).toString("latin1"), problems: [problem] };
  }
}

async function* cFile(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Document> {
  const bytes = await wholeOf(chunks, MAX_C_BYTES);
  if (bytes === null) {
    yield unreadable("C file larger than 2 MiB: not reviewed");
    return;
  }
  const { text, problems } = decoded(bytes);
  yield text.trim() === "" ? unreadable("empty file") : { kind: "c", text, firstLine: 1, problems };
}

async function* mails(chunks: AsyncIterable<Uint8Array>, engine: Engine): AsyncGenerator<Document> {
  let isEmpty = true;
  for await (const { text, firstLine, problems } of engine.messagesOf(chunks)) {
    if (text.trim() === "") continue;
    isEmpty = false;
    yield { kind: "patch", text, firstLine, problems };
  }
  if (isEmpty) yield unreadable("empty file");
}
