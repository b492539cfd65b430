// SPDX-License-Identifier: GPL-2.0-only
import type { Connection, DocumentLink } from "vscode-languageserver/node";
import type { PatchDocument } from "../patch/model.ts";
import { lineIndex } from "../text/line-index.ts";
import type { ReadingCache } from "./reading-cache.ts";
import type { Trust } from "./trust.ts";

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

const isHeader = ({ messages }: PatchDocument, line: number): boolean =>
  messages.some(({ startLine, bodyLine }) => startLine <= line && line < bodyLine);

/** The Message-ID of a mail in the archive of the kernel's lists, which finds it whatever the list was. */
function linksOfMessageId(text: string, line: number): DocumentLink[] {
  const match = /^(?:Message-ID|In-Reply-To):[ \t]*<([^\s@<>"\\^`{|}]{3,500}@[^\s<>"\\^`{|}]{1,250})>/i.exec(text);
  if (match === null) return [];
  const id = match[1]!;
  const start = match[0].length - 1 - id.length;
  return [{
    range: { start: { line: line - 1, character: start }, end: { line: line - 1, character: start + id.length } },
    target: `https://lore.kernel.org/all/${encodeURIComponent(id).replaceAll("%40", "@")}/`,
  }];
}

/** A commit that a `Fixes:` trailer names, quoted or not. */
interface NamedCommit {
  readonly id: string;
  readonly range: DocumentLink["range"];
}

function fixedCommit(text: string, line: number): NamedCommit[] {
  const match = /^[>|: \t]*Fixes:[ \t]*(?:commit[ \t]+)?([0-9a-f]{7,40})(?![0-9a-z])/i.exec(text);
  if (match === null) return [];
  const id = match[1]!;
  const range = { start: { line: line - 1, character: match[0].length - id.length }, end: { line: line - 1, character: match[0].length } };
  return [{ id: id.toLowerCase(), range }];
}

/**
 * The addresses that headers, commit messages and remarks name (`Link:`, `Closes:`), the mails that headers name, and the
 * commits of `Fixes:` trailers, which have an address only where a tree at hand knows them.
 */
function linksOf(reading: PatchDocument): { readonly links: DocumentLink[]; readonly commits: NamedCommit[] } {
  const code = codeLines(reading);
  const index = lineIndex(reading.text);
  const links: DocumentLink[] = [];
  const commits: NamedCommit[] = [];
  for (let line = 1; line <= index.lineCount; line += 1) {
    const { start, end } = index.spanOf(line);
    if (code.has(line) || end - start > MAX_LINE) continue;
    const text = reading.text.slice(start, end);
    for (const link of linksOfLine(text, line)) links.push(link);
    for (const commit of fixedCommit(text, line)) commits.push(commit);
    for (const link of linksOfMessageId(text, line)) if (isHeader(reading, line)) links.push(link);
  }
  return { links, commits };
}

/**
 * The full names of commits (40 hexadecimal digits) by the abbreviated names that were asked for, as the repositories at
 * the workspace folders know them; names that none knows are left out. Never rejects.
 */
export type CommitLookup = (folders: readonly string[], ids: readonly string[]) => Promise<ReadonlyMap<string, string>>;

/** A commit in Linus Torvalds' tree; the server of the kernel's trees finds those of other trees under it too. */
const commitAddress = (name: string): string => `https://git.kernel.org/linus/${name}`;

/** The addresses, mails and commits outside of code; commits in a workspace that is trusted only, since Git is asked about them. */
export function answerLinkRequests(connection: Connection, readings: ReadingCache, folders: readonly string[], trust: Trust, lookup: CommitLookup | undefined): void {
  // An edit asks again: a commit that was found once stays, one that is missing may come with the next fetch.
  const known = new Map<string, string>();

  async function find(commits: readonly NamedCommit[]): Promise<void> {
    const missing = commits.map(({ id }) => id).filter((id) => !known.has(id));
    if (missing.length === 0 || folders.length === 0 || lookup === undefined || !trust.isTrusted()) return;
    for (const [id, name] of await lookup(folders, missing)) known.set(id, name);
  }

  connection.onDocumentLinks(async ({ textDocument }) => {
    const reading = readings.of(textDocument.uri);
    if (reading === null) return null;
    const { links, commits } = linksOf(reading);
    await find(commits);
    for (const { id, range } of commits) {
      const name = known.get(id);
      if (name !== undefined) links.push({ range, target: commitAddress(name) });
    }
    return links;
  });
}
