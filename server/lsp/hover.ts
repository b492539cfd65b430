// SPDX-License-Identifier: GPL-2.0-only
import { MarkupKind } from "vscode-languageserver/node";
import type { TextDocument } from "vscode-languageserver-textdocument";
import type { Connection, Hover, Position, Range, TextDocuments } from "vscode-languageserver/node";
import { hoverMarkdown, hoverPlain } from "../report/hover.ts";
import type { HoverOptions } from "../report/hover.ts";
import { heldLines, summaryLines } from "../report/held.ts";
import { fencedText } from "../report/markdown.ts";
import type { HeldLines } from "../review/held.ts";
import type { Client } from "./client.ts";
import type { HeldCache } from "./held-cache.ts";
import { findingRange } from "./range.ts";
import type { ReviewCache, ReviewedDocument } from "./review-cache.ts";

export type RuleOf = (ruleId: string) => HoverOptions["rule"];

/** Findings lie on one line each. */
const holds = ({ start, end }: Range, { line, character }: Position): boolean =>
  line === start.line && character >= start.character && character <= end.character;

function hoverAt(position: Position, reviewed: ReviewedDocument, reviews: ReviewCache, client: Client, ruleOf: RuleOf): Hover | null {
  const found = reviewed.reviews
    .flatMap((review) => review.findings)
    .map((finding) => ({ finding, range: findingRange(reviewed.document, finding.location) }))
    .filter(({ range }) => holds(range, position));
  const first = found[0];
  if (first === undefined) return null;
  const isMarkdown = client.hoverFormat === MarkupKind.Markdown;
  const texts = found.map(({ finding: reported }) => {
    // Fixes are looked for when somebody asks for actions: then they are told here, too.
    const fixes = reviews.knownFixes(reviewed.document, reported);
    const finding = fixes ? { ...reported, fixes } : reported;
    const options = { rule: ruleOf(finding.ruleId), lineLabel: reviewed.kind === "c" ? "line" : "mail" };
    return isMarkdown ? hoverMarkdown(finding, options) : hoverPlain(finding, options);
  });
  return {
    contents: { kind: client.hoverFormat, value: texts.join(isMarkdown ? "\n\n---\n\n" : "\n\n") },
    range: first.range,
  };
}

/** The word that a position touches, with where it stands on its line. */
function wordAt(line: string, character: number): { readonly word: string; readonly start: number } | null {
  for (const match of line.matchAll(/[A-Za-z_]\w*/g))
    if (match.index <= character && character <= match.index + match[0].length) return { word: match[0], start: match.index };
  return null;
}

/** What the function under the cursor asks of its callers, and what holds where the cursor is. */
function heldHoverAt(position: Position, document: TextDocument, held: HeldLines, client: Client): Hover | null {
  const line = document.getText({ start: { line: position.line, character: 0 }, end: { line: position.line + 1, character: 0 } });
  const touched = wordAt(line, position.character);
  if (touched === null) return null;
  const summary = held.summaryOf(touched.word);
  const here = held.at(position.line + 1);
  const parts = [summary === null ? [] : summaryLines(touched.word, summary), here === null ? [] : heldLines(here)].filter((lines) => lines.length > 0);
  if (parts.length === 0) return null;
  const value = client.hoverFormat === MarkupKind.Markdown ? parts.map((lines) => fencedText(lines)).join("\n\n") : parts.map((lines) => lines.join("\n")).join("\n\n");
  const { line: row } = position;
  return {
    contents: { kind: client.hoverFormat, value },
    range: { start: { line: row, character: touched.start }, end: { line: row, character: touched.start + touched.word.length } },
  };
}

/** Who points at a word does not wait for a long exploration: what is held there is known without one. */
const PATIENCE_MS = 800;

function soon<T>(result: Promise<T>, ms: number): Promise<T | "later"> {
  let timer: NodeJS.Timeout | undefined;
  const patience = new Promise<"later">((resolve) => {
    timer = setTimeout(() => resolve("later"), ms);
  });
  return Promise.race([result, patience]).finally(() => clearTimeout(timer));
}

/** The story of the findings under the cursor; where there is none, or none yet, what holds there. */
export function answerHoverRequests(connection: Connection, documents: TextDocuments<TextDocument>, reviews: ReviewCache, held: HeldCache, client: Client, ruleOf: RuleOf): void {
  connection.onHover(async ({ textDocument, position }, token) => {
    const reviewed = await soon(reviews.of(textDocument.uri, token), PATIENCE_MS);
    if (reviewed === null) return null;
    const found = reviewed === "later" ? null : hoverAt(position, reviewed, reviews, client, ruleOf);
    if (found !== null) return found;
    const lines = await held.of(textDocument.uri);
    const document = documents.get(textDocument.uri);
    return lines === null || document === undefined ? null : heldHoverAt(position, document, lines, client);
  });
}
