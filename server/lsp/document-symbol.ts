// SPDX-License-Identifier: GPL-2.0-only
import { SymbolKind } from "vscode-languageserver/node";
import type { Connection, DocumentSymbol, Range, SymbolInformation } from "vscode-languageserver/node";
import { functionOf } from "../patch/hunk-function.ts";
import type { FileDiff, Hunk, MailMessage, Patch, PatchDocument } from "../patch/model.ts";
import { readSeries } from "../patch/series.ts";
import type { Series } from "../patch/series.ts";
import { clipped, visibleLine, visiblePath } from "../report/visible.ts";
import { lineIndex } from "../text/line-index.ts";
import type { LineIndex } from "../text/line-index.ts";
import type { Client } from "./client.ts";
import type { ReadingCache } from "./reading-cache.ts";

/** A symbol of whole document lines, 1-based. */
interface Outline {
  readonly name: string;
  readonly detail: string;
  readonly kind: SymbolKind;
  readonly from: number;
  readonly to: number;
  readonly children: readonly Outline[];
}

/** Longer names are cut: an outline shows no more. */
const NAME_LENGTH = 120;

const nameOr = (name: string | null, other: string): string => clipped(visibleLine(name ?? ""), NAME_LENGTH) || other;

const lastLine = (children: readonly { readonly to: number }[], own: number): number =>
  children.reduce((last, child) => Math.max(last, child.to), own);

const rangeText = ({ header }: Hunk): string =>
  header === null ? "no header" : `@@ -${header.oldStart},${header.oldCount} +${header.newStart},${header.newCount} @@`;

function hunkOutline(hunk: Hunk): Outline {
  const name = functionOf(hunk);
  const detail = rangeText(hunk);
  return {
    name: nameOr(name, hunk.header === null ? "quoted lines" : detail),
    detail: name === null && hunk.header !== null ? "" : detail,
    kind: name === null ? SymbolKind.Struct : SymbolKind.Function,
    from: hunk.line,
    to: hunk.lines.reduce((last, line) => Math.max(last, line.line), hunk.line),
    children: [],
  };
}

function fileOutline(file: FileDiff): Outline {
  const hunks = file.hunks.map(hunkOutline);
  const path = file.newPath ?? file.oldPath;
  return {
    name: path === null ? "quoted code" : nameOr(visiblePath(path), "quoted code"),
    detail: file.change === "modified" || file.change === "unknown" ? "" : file.change,
    kind: SymbolKind.File, from: file.line, to: lastLine(hunks, file.line), children: hunks,
  };
}

const filesOf = (patches: readonly Patch[]): Outline[] => patches.flatMap((patch) => patch.files.map(fileOutline));

function messageName({ tag, subject, commit, kind }: MailMessage): string {
  if (tag === null || tag.title === "") return nameOr(subject, commit === null ? "diff" : `commit ${commit.slice(0, 12)}`);
  const place = tag.index === null ? "" : `${tag.index}/${tag.total} `;
  return nameOr(`${kind === "reply" ? "Re: " : ""}${place}${tag.title}`, "diff");
}

const messageOutline = (message: MailMessage): Outline => ({
  name: messageName(message),
  detail: message.from === null ? "" : clipped(visibleLine(message.from), NAME_LENGTH),
  kind: message.kind === "patch" ? SymbolKind.Module : message.kind === "cover" ? SymbolKind.Namespace : SymbolKind.Event,
  from: message.startLine, to: message.endLine, children: filesOf(message.patches),
});

/** All mails of a series in document order, the replies at their places. */
const mailsOf = (series: Series): MailMessage[] => [
  ...(series.cover === null ? [] : [series.cover]), ...series.replies,
  ...series.patches.flatMap((patch) => [patch.mail, ...patch.superseded, ...patch.replies]),
].map((mail) => mail.message).toSorted((a, b) => a.startLine - b.startLine);

function seriesOutline(series: Series): readonly Outline[] {
  const mails = mailsOf(series).map(messageOutline);
  const first = mails[0];
  if (first === undefined || mails.length < 2) return mails;
  const title = (series.cover ?? series.patches[0]?.mail)?.message.tag?.title ?? null;
  const missing = series.missing.length > 0 ? ", incomplete" : "";
  return [{
    name: nameOr(title, "series"),
    detail: `v${series.version}, ${series.total} patch${series.total === 1 ? "" : "es"}${missing}`,
    kind: SymbolKind.Package, from: first.from, to: lastLine(mails, first.to), children: mails,
  }];
}

/** Series, patch, file, hunk. A bare diff has no mail, so its files stand on top. */
function outlineOf(reading: PatchDocument): Outline[] {
  const [only] = reading.messages;
  if (only !== undefined && reading.messages.length === 1 && only.subject === null && only.commit === null) return filesOf(only.patches);
  const { series, others } = readSeries([reading]);
  const rest = others.filter(({ message }) => message.patches.length > 0).map(({ message }) => messageOutline(message));
  return [...series.flatMap(seriesOutline), ...rest].toSorted((a, b) => a.from - b.from);
}

function rangeOf(from: number, to: number, index: LineIndex): Range {
  const { start, end } = index.spanOf(to);
  return { start: { line: from - 1, character: 0 }, end: { line: to - 1, character: end - start } };
}

const nested = (outline: Outline, index: LineIndex): DocumentSymbol => ({
  name: outline.name,
  ...(outline.detail === "" ? {} : { detail: outline.detail }),
  kind: outline.kind,
  range: rangeOf(outline.from, outline.to, index),
  selectionRange: rangeOf(outline.from, outline.from, index),
  children: outline.children.map((child) => nested(child, index)),
});

const flat = (outline: Outline, container: string | null, uri: string, index: LineIndex): SymbolInformation[] => [
  {
    name: outline.name, kind: outline.kind, location: { uri, range: rangeOf(outline.from, outline.to, index) },
    ...(container === null ? {} : { containerName: container }),
  },
  ...outline.children.flatMap((child) => flat(child, outline.name, uri, index)),
];

/** The outline of a patch document. */
export function answerSymbolRequests(connection: Connection, readings: ReadingCache, client: Client): void {
  connection.onDocumentSymbol(({ textDocument: { uri } }) => {
    const reading = readings.of(uri);
    if (reading === null) return null;
    const index = lineIndex(reading.text);
    const outline = outlineOf(reading);
    return client.nestsSymbols
      ? outline.map((each) => nested(each, index))
      : outline.flatMap((each) => flat(each, null, uri, index));
  });
}
