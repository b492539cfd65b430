// SPDX-License-Identifier: GPL-2.0-only
import type { Connection, DocumentLink } from "vscode-languageserver/node";
import type { PatchDocument } from "../patch/model.ts";
import { lineIndex } from "../text/line-index.ts";
import type { ReadingCache } from "./reading-cache.ts";

const ADDRESS = /\bhttps?:\/\/[^\s<>"'`\\^{}|]{1,2000}/g;
/** Longer lines are no lines of a person. */
const MAX_LINE = 4000;

/** The lines of code, whose addresses are the code's. */
const codeLines = ({ patches }: PatchDocument): ReadonlySet<number> =>
  new Set(patches.flatMap((patch) => patch.files.flatMap((file) => file.hunks.flatMap((hunk) => hunk.lines.map((line) => line.line)))));

const OPENING: Readonly<Record<string, string>> = { ")": "(", "]": "[" };

/** An address without the signs that end a sentence, and without a bracket that it does not open. */
function withoutTail(address: string): string {
  let end = address.length;
  for (let last = address[end - 1] ?? ""; end > 0; last = address[end - 1] ?? "") {
    const opening = OPENING[last];
    if (opening === undefined ? !".,;:!?*".includes(last) : address.lastIndexOf(opening, end - 2) >= 0) break;
    end -= 1;
  }
  return address.slice(0, end);
}

function linksOfLine(text: string, line: number): DocumentLink[] {
  return Array.from(text.matchAll(ADDRESS)).flatMap((match): DocumentLink[] => {
    const target = withoutTail(match[0]);
    const end = match.index + match[0].length;
    // A soft break of an encoded body cuts the address: half of one leads nowhere.
    if (end === text.length && match[0].endsWith("=")) return [];
    return [{
      range: { start: { line: line - 1, character: match.index }, end: { line: line - 1, character: match.index + target.length } },
      target,
    }];
  });
}

/**
 * The addresses that headers, commit messages and remarks name: `Link:`, `Closes:`, a Message-ID in the address of an
 * archive. A bare Message-ID or a `Fixes:` commit has an address only where an archive or a tree is at hand.
 */
function linksOf(reading: PatchDocument): DocumentLink[] {
  const code = codeLines(reading);
  const index = lineIndex(reading.text);
  const links: DocumentLink[] = [];
  for (let line = 1; line <= index.lineCount; line += 1) {
    const { start, end } = index.spanOf(line);
    if (code.has(line) || end - start > MAX_LINE) continue;
    for (const link of linksOfLine(reading.text.slice(start, end), line)) links.push(link);
  }
  return links;
}

/** The addresses outside of code. */
export function answerLinkRequests(connection: Connection, readings: ReadingCache): void {
  connection.onDocumentLinks(({ textDocument }) => {
    const reading = readings.of(textDocument.uri);
    return reading === null ? null : linksOf(reading);
  });
}
