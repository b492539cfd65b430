// SPDX-License-Identifier: GPL-2.0-only
import type { Review } from "../review/finding.ts";
import { jsonClosing, jsonInput, jsonLine, jsonOpening } from "../report/json.ts";
import type { ConfigurationJson, Summary } from "../report/json.ts";
import type { Paint } from "../report/paint.ts";
import { inputText, summaryText } from "../report/text.ts";
import type { Format } from "./arguments.ts";

export type Timings = Readonly<Record<"totalMs" | "reviewMs", number>>;

/** Turns reviews into the text of one format, part by part, as they come. */
export interface Writer {
  readonly open: () => string;
  /** `index` counts the inputs before this one; `kind` is that of its file. */
  readonly input: (path: string, review: Review, index: number, kind: "patch" | "c") => string;
  readonly close: (summary: Summary, inputs: number, timings: Timings | null, configurations: readonly ConfigurationJson[]) => string;
}

export interface WriterOptions {
  readonly paint: Paint;
  readonly quiet: boolean;
  readonly summary: boolean;
  /** Tell what is suppressed, too. */
  readonly showsSuppressed: boolean;
}

const JSON_WRITER: Writer = { open: jsonOpening, input: jsonInput, close: jsonClosing };

const JSONL_WRITER: Writer = { open: () => "", input: jsonLine, close: () => "" };

const timingsText = (timings: Timings | null): string =>
  timings === null ? "" : `patchwalk: ${timings.totalMs} ms, of which ${timings.reviewMs} ms in reviews\n`;

const textWriter = ({ paint, quiet, summary, showsSuppressed }: WriterOptions): Writer => ({
  open: () => "",
  input: (path, review, _index, kind) =>
    inputText(path, review, { paint, lineLabel: kind === "c" ? "line" : "mail", brief: quiet, showsSuppressed }),
  close: (counts, inputs, timings) => (summary ? summaryText(counts, inputs, paint) : "") + timingsText(timings),
});

export function writerOf(format: Format, options: WriterOptions): Writer {
  switch (format) {
    case "json": return JSON_WRITER;
    case "jsonl": return JSONL_WRITER;
    case "text": return textWriter(options);
  }
}
