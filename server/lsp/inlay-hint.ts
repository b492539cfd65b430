// SPDX-License-Identifier: GPL-2.0-only
import type { CancellationToken, Connection, InlayHint, TextDocuments } from "vscode-languageserver/node";
import type { TextDocument } from "vscode-languageserver-textdocument";
import { heldLine } from "../report/held.ts";
import type { HeldLines } from "../review/held.ts";
import type { HeldCache } from "./held-cache.ts";
import type { SettingsCache } from "./settings.ts";
import { nextTurn } from "./next-turn.ts";

/** Lines between two looks at whether the request still stands. */
const LINES_PER_TURN = 20;

/** Lines above the range that are looked at for what was said last. */
const LINES_BEFORE = 40;

const endOf = (document: TextDocument, line: number): number =>
  document.getText({ start: { line, character: 0 }, end: { line: line + 1, character: 0 } }).replace(/[\r\n]+$/, "").length;

/** Where what is held changes from one line of code to the next, it is said behind the line. */
async function hintsIn(document: TextDocument, lines: HeldLines, first: number, last: number, token: CancellationToken): Promise<InlayHint[] | null> {
  const hints: InlayHint[] = [];
  let said = "";
  for (let line = Math.max(0, first - LINES_BEFORE); line <= last; line++) {
    if (line % LINES_PER_TURN === 0) await nextTurn();
    if (token.isCancellationRequested) return null;
    const here = lines.at(line + 1);
    if (here === null) continue;
    const text = heldLine(here);
    if (text !== said && text !== "" && line >= first)
      hints.push({ position: { line, character: endOf(document, line) }, label: text, paddingLeft: true });
    said = text;
  }
  return hints;
}

/** What is held, for those who switched it on. */
export function answerInlayHintRequests(connection: Connection, documents: TextDocuments<TextDocument>, held: HeldCache, settings: SettingsCache): void {
  connection.languages.inlayHint.on(async ({ textDocument, range }, token) => {
    const { showsHeld } = await settings.editor(textDocument.uri);
    const document = documents.get(textDocument.uri);
    const lines = showsHeld && document !== undefined ? await held.of(textDocument.uri) : null;
    if (document === undefined || lines === null) return null;
    return hintsIn(document, lines, range.start.line, Math.min(range.end.line, document.lineCount - 1), token);
  });
}
