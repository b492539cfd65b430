// SPDX-License-Identifier: GPL-2.0-only
import { MarkupKind } from "vscode-languageserver/node";
import type { Connection, Hover, Position, Range } from "vscode-languageserver/node";
import { hoverMarkdown, hoverPlain } from "../report/hover.ts";
import type { HoverOptions } from "../report/hover.ts";
import type { Client } from "./client.ts";
import { findingRange } from "./range.ts";
import type { ReviewCache, ReviewedDocument } from "./review-cache.ts";

export type RuleOf = (ruleId: string) => HoverOptions["rule"];

/** Findings lie on one line each. */
const holds = ({ start, end }: Range, { line, character }: Position): boolean =>
  line === start.line && character >= start.character && character <= end.character;

function hoverAt(position: Position, reviewed: ReviewedDocument, client: Client, ruleOf: RuleOf): Hover | null {
  const found = reviewed.reviews
    .flatMap((review) => review.findings)
    .map((finding) => ({ finding, range: findingRange(reviewed.document, finding.location) }))
    .filter(({ range }) => holds(range, position));
  const first = found[0];
  if (first === undefined) return null;
  const isMarkdown = client.hoverFormat === MarkupKind.Markdown;
  const texts = found.map(({ finding }) => {
    const options = { rule: ruleOf(finding.ruleId), lineLabel: reviewed.kind === "c" ? "line" : "mail" };
    return isMarkdown ? hoverMarkdown(finding, options) : hoverPlain(finding, options);
  });
  return {
    contents: { kind: client.hoverFormat, value: texts.join(isMarkdown ? "\n\n---\n\n" : "\n\n") },
    range: first.range,
  };
}

/** The story of the findings under the cursor. */
export function answerHoverRequests(connection: Connection, reviews: ReviewCache, client: Client, ruleOf: RuleOf): void {
  connection.onHover(async ({ textDocument, position }, token) => {
    const reviewed = await reviews.of(textDocument.uri, token);
    return reviewed === null ? null : hoverAt(position, reviewed, client, ruleOf);
  });
}
