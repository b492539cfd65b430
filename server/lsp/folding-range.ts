// SPDX-License-Identifier: GPL-2.0-only
import { FoldingRangeKind } from "vscode-languageserver/node";
import type { Connection, FoldingRange } from "vscode-languageserver/node";
import type { FileDiff, MailMessage, PatchDocument } from "../patch/model.ts";
import { quoteBlocks } from "../patch/quote-block.ts";
import type { Client } from "./client.ts";
import type { ReadingCache } from "./reading-cache.ts";

/** Document lines, 1-based, first and last included. */
interface Fold {
  readonly from: number;
  readonly to: number;
  readonly kind: FoldingRangeKind | null;
}

const hunkEnd = (file: FileDiff): number =>
  file.hunks.reduce((last, hunk) => hunk.lines.reduce((at, line) => Math.max(at, line.line), Math.max(last, hunk.line)), file.line);

const fileFolds = (file: FileDiff): Fold[] => [
  { from: file.line, to: hunkEnd(file), kind: null },
  ...file.hunks.map((hunk): Fold => ({ from: hunk.line, to: hunk.lines.at(-1)?.line ?? hunk.line, kind: null })),
];

/** The text between the header and the first file of a patch that is not quoted. */
function messageFold(message: MailMessage): Fold[] {
  const file = message.patches.find((patch) => patch.form !== "quoted")?.files[0];
  if (file === undefined && message.kind !== "cover") return [];
  return [{ from: message.bodyLine, to: file === undefined ? message.endLine : file.line - 1, kind: FoldingRangeKind.Comment }];
}

/** In a mailbox the first line of a mail folds the whole of it. */
const mailFolds = (message: MailMessage, isMailbox: boolean): Fold[] => [
  { from: message.startLine + (isMailbox ? 1 : 0), to: message.bodyLine - 1, kind: FoldingRangeKind.Imports },
  ...messageFold(message),
  ...message.patches.flatMap((patch) => patch.files.flatMap(fileFolds)),
];

/** Mails, their headers and messages, files, hunks and quotes; by first line, the outer before the inner. */
function foldsOf(reading: PatchDocument): Fold[] {
  const isMailbox = reading.messages.length > 1;
  const mails = isMailbox ? reading.messages.map(({ startLine, endLine }): Fold => ({ from: startLine, to: endLine, kind: FoldingRangeKind.Region })) : [];
  const quotes = quoteBlocks(reading).map(({ startLine, endLine }): Fold => ({ from: startLine, to: endLine, kind: FoldingRangeKind.Comment }));
  const found = [...mails, ...reading.messages.flatMap((message) => mailFolds(message, isMailbox)), ...quotes]
    .filter((fold) => fold.to > fold.from)
    .toSorted((a, b) => a.from - b.from || b.to - a.to);
  // Editors take one range a line. The outer one of a file and its only quote is the same.
  return found.filter((fold, at) => fold.from !== found[at - 1]?.from);
}

/** The ranges that an editor can fold. */
export function answerFoldingRequests(connection: Connection, readings: ReadingCache, client: Client): void {
  connection.onFoldingRanges(({ textDocument }) => {
    const reading = readings.of(textDocument.uri);
    // Without an answer the editor folds by indentation, as it does for any text.
    if (reading === null) return null;
    return foldsOf(reading).slice(0, client.foldingLimit).map((fold): FoldingRange => ({
      startLine: fold.from - 1,
      endLine: fold.to - 1,
      ...(fold.kind === null ? {} : { kind: fold.kind }),
    }));
  });
}
